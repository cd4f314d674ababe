/** The name of an image, as engines read it. */
export interface ImageReference {
  /** `docker.io` where the name has none. */
  readonly registry: string;
  /** Inside of that registry. */
  readonly path: string;
  /** What was given, without tag and digest. */
  readonly repository: string;
  /** `registry/path:tag`, or `registry/path@digest`. */
  readonly full: string;
}

const component = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
const label = '[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?';
const host = new RegExp(`^${label}(?:\\.${label})*(?::[0-9]{1,5})?$`);
const path = new RegExp(`^${component}(?:/${component})*$`);
const tagOrDigest = /^(.*?)(?::([A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?(?:@(sha256:[0-9a-f]{64}))?$/;
const longestName = 255;

/**
 * Takes the name of an image apart, as in the grammar of github.com/distribution/reference. Undefined for what is none; nothing that
 * it takes leads out of a URL's path.
 */
export function parseImageName(name: string): ImageReference | undefined {
  const [, repository = '', tag, digest] = tagOrDigest.exec(name) ?? [];
  if (repository.length > longestName) return undefined;
  const [first = '', ...rest] = repository.split('/');
  const hasHost = rest.length > 0 && (/[.:A-Z]/.test(first) || first === 'localhost');
  const registry = hasHost ? first : 'docker.io';
  const given = hasHost ? rest.join('/') : repository;
  if (!host.test(registry) || !path.test(given)) return undefined;
  const isOfficial = registry === 'docker.io' && !given.includes('/');
  const whole = isOfficial ? `library/${given}` : given;
  const end = digest === undefined ? `:${tag ?? 'latest'}` : `@${digest}`;
  return { registry, path: whole, repository, full: `${registry}/${whole}${end}` };
}
