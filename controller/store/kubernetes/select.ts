import type { ListOptions } from '../../../crds/store.ts';
import type { Cache } from './cache.ts';
import type { Entry } from './entry.ts';

/** What a list shows of a cache, sorted by namespace and name. A few names are looked up. */
export function selected(cache: Cache, { namespace, labels, among }: ListOptions): Entry[] {
  const isNamed = namespace !== undefined && among !== undefined && among.labels === undefined;
  const found = isNamed
    ? [...new Set(among.names)].flatMap((name) => cache.get(namespace, name) ?? [])
    : cache.all().filter((entry) => namespace === undefined || entry.namespace === namespace);
  const names = new Set(among?.names);
  const wanted = found.filter(
    (entry) =>
      (labels === undefined || hasAll(entry, labels)) &&
      (among === undefined ||
        names.has(entry.name) ||
        (among.labels !== undefined && hasAll(entry, among.labels))),
  );
  return wanted.sort((a, b) => order(a.namespace, b.namespace) || order(a.name, b.name));
}

function hasAll({ labels }: Entry, wanted: Readonly<Record<string, string>>): boolean {
  return Object.entries(wanted).every(([key, value]) => labels[key] === value);
}

function order(one: string, other: string): number {
  return one === other ? 0 : one < other ? -1 : 1;
}
