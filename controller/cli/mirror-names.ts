/** Parts of archive URLs that say nothing about whose archive it is. */
const generic = new Set(
  'apt archive deb debian debs dists download downloads linux main packages ppa prod pub public release repo repos repository stable ubuntu www'.split(
    ' ',
  ),
);

export interface Nameable {
  readonly url: string;
  readonly suites: readonly string[];
}

/**
 * A name for each archive, all different: `debian`, `debian-security`, `docker`. Two mirrors of one
 * archive are told apart by their suites, two archives that would share a name by their hosts.
 */
export function mirrorNames(mirrors: readonly Nameable[]): readonly string[] {
  const taken = new Map<string, string>(); // name → url
  return mirrors.map(({ url, suites }) => {
    const name = archiveName(url);
    const { hostname } = new URL(url);
    const [suite = ''] = suites;
    const byHost = isAddress(hostname) ? '' : joined(name, hostname.split('.')[0] ?? '');
    const candidates = [
      name,
      ...(taken.get(name) === url ? [] : [byHost]),
      suite.startsWith(name) ? slug(suite) : joined(name, suite),
      ...(byHost === '' ? [] : [joined(byHost, suite)]),
    ];
    const free = candidates.find((candidate) => candidate !== '' && !taken.has(candidate));
    const chosen = free ?? numbered(name, taken);
    taken.set(chosen, url);
    return chosen;
  });
}

function archiveName(url: string): string {
  const { hostname, pathname } = new URL(url);
  const parts = pathname.split('/').filter((part) => part !== '');
  const [only] = parts;
  // A mirror of a distribution looks like this on any host.
  if (only !== undefined && parts.length === 1 && /^(debian|ubuntu)/i.test(only)) return slug(only);
  const telling = parts.findLast(
    (part) => !generic.has(part.toLowerCase()) && /[a-z]{2}/i.test(part),
  );
  if (telling !== undefined) return slug(telling);
  return slug(isAddress(hostname) ? (only ?? 'archive') : ownerOf(hostname));
}

function isAddress(hostname: string): boolean {
  return /^[\d.]+$|^\[/.test(hostname) || !hostname.includes('.');
}

/** `download.docker.com` → `docker`. */
function ownerOf(hostname: string): string {
  const labels = hostname.split('.');
  return labels.at(-2) ?? hostname;
}

function joined(name: string, more: string): string {
  return slug(`${name}-${more}`);
}

function numbered(name: string, taken: ReadonlyMap<string, string>): string {
  let number = 2;
  while (taken.has(`${name}-${number}`)) number += 1;
  return `${name}-${number}`;
}

/** As names of objects have to be, and short enough for a file. */
function slug(text: string): string {
  const plain = text
    .toLowerCase()
    .replace(/[^a-z0-9.]+/g, '-')
    .slice(0, 60);
  return plain.replace(/^[-.]+|[-.]+$/g, '').replace(/\.{2,}/g, '.') || 'archive';
}
