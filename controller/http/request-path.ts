/** A request path that no file can have: answered with 400. */
export class BadPath extends Error {
  override readonly name = 'BadPath';
}

export interface RequestPath {
  /** Decoded, without empty and `.` segments. */
  readonly segments: readonly string[];
  /** Whether it names a directory: it ends in a slash (or in `/.`). */
  readonly directory: boolean;
}

/**
 * Reads the path of a request target (RFC 9112 §3.2: `/path?query` or `http://host/path`).
 * apt asks for `%2b` where a file has `+`, and for `/./` in flat repositories, so escapes are
 * decoded once and `.` and empty segments dropped. Throws `BadPath` for malformed escapes, and for
 * what could mean something else to somebody behind us: `..`, NUL and other controls, backslashes
 * and encoded slashes.
 */
export function requestPath(target: string): RequestPath {
  const path = pathOf(target);
  const segments: string[] = [];
  let last = '';
  for (const raw of path.slice(1).split('/')) {
    last = decode(raw);
    if (last !== '' && last !== '.') segments.push(last);
  }
  return { segments, directory: last === '' || last === '.' };
}

function pathOf(target: string): string {
  const relative = target.startsWith('/') ? target : target.replace(/^https?:\/\/[^/?#]*/i, '');
  const path = relative.replace(/[?#].*$/s, '');
  if (path === '' && relative !== target) return '/';
  if (!path.startsWith('/')) throw new BadPath('the request target is not a path');
  return path;
}

function decode(raw: string): string {
  const segment = raw.includes('%') ? unescaped(raw) : raw;
  if (segment === '..') throw new BadPath('the path must not contain ".."');
  if (/[\u0000-\u001f\u007f\\/]/.test(segment)) {
    throw new BadPath('the path contains a character that no file name has');
  }
  return segment;
}

function unescaped(raw: string): string {
  try {
    return decodeURIComponent(raw);
  } catch {
    throw new BadPath('the path contains a malformed escape');
  }
}

/** The path of a URL for these segments: `/a%2Bb/c`. */
export function urlPath(segments: readonly string[], directory = false): string {
  const path = `/${segments.map(encodeURIComponent).join('/')}`;
  return directory && segments.length > 0 ? `${path}/` : path;
}
