/** What is asked of an upstream, and which answers fit. */
import type { IncomingHttpHeaders } from 'node:http';
import { CairnError } from '../../crds/reasons.ts';

/** What upstream said of a file before; it need not send it again. */
export interface Validators {
  readonly etag?: string | undefined;
  readonly lastModified?: string | undefined;
}

export interface Asked {
  readonly signal: AbortSignal;
  readonly headers: Readonly<Record<string, string>>;
  readonly method?: 'GET' | 'HEAD';
}

/** What is compressed on the way has neither the size nor the hash that the archive lists. */
export const always = { 'user-agent': 'cairn/0.1 (APT mirror)', 'accept-encoding': 'identity' };

/** Asks caches on the way to look again. */
export const noCache = { 'cache-control': 'no-cache' };

/** Statuses that mean something here: a part, say, only for somebody who has asked for one. */
export function isAskedFor(status: number, { headers }: Asked): boolean {
  if (status === 206 || status === 416) return headers['range'] !== undefined;
  if (status !== 304) return [200, 404, 410].includes(status);
  return (headers['if-none-match'] ?? headers['if-modified-since']) !== undefined;
}

/** Throws UpstreamRefused for a page that is compressed on the way all the same. */
export function checkEncoding(path: string, headers: IncomingHttpHeaders): void {
  const encoding = headers['content-encoding'] ?? 'identity';
  if (encoding === 'identity' || encoding === '') return;
  throw new CairnError(
    'UpstreamRefused',
    `${path} comes with Content-Encoding ${encoding}, although it was asked for as it is`,
  );
}

export function conditional(validators: Validators | undefined): Record<string, string> {
  const { etag, lastModified } = validators ?? {};
  return {
    ...(etag ? { 'if-none-match': etag } : {}),
    ...(lastModified ? { 'if-modified-since': lastModified } : {}),
  };
}

export function validatorsOf(headers: IncomingHttpHeaders): Validators {
  return { etag: headers.etag, lastModified: headers['last-modified'] };
}

/** Where a request goes: of a URL, what HTTP takes. */
export interface Place {
  readonly origin: string;
  readonly host: string;
  /** With the query. */
  readonly path: string;
}

export function placeAt(url: URL): Place {
  return { origin: url.origin, host: url.host, path: url.pathname + url.search };
}

export function urlOf({ origin, path }: Place): URL {
  return new URL(origin + path);
}

/** Neither is there anything to escape, nor anything that a URL leaves out, such as `./`. */
const plainPath = /^[\w~-][\w.~-]*(\/[\w~-][\w.~-]*)*$/;

/**
 * The place of a path below a URL that ends with a slash. `+` is escaped too: object stores read it
 * as a space. Most paths are plain, and there are many: parsing a URL of each costs more than all the
 * rest that is done for a small file here.
 */
export function placeBelow(base: URL, path: string): Place {
  if (plainPath.test(path)) {
    return { origin: base.origin, host: base.host, path: base.pathname + path };
  }
  const escaped = path.split('/').map(encodeURIComponent).join('/');
  return placeAt(new URL(escaped, base));
}
