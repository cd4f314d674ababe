import type { Server } from './server.ts';

/** Every kube-apiserver renews a lease of its own; so does a Cairn that is one of several replicas. */
const ignored = new Set(['leases']);

/** How many writes of each kind of object an API server has been asked for, by anybody. */
export type Writes = ReadonlyMap<string, number>;

/** As the server's own metrics tell it. */
export async function writesOf(server: Server): Promise<Writes> {
  const text = await server.send('GET', '/metrics');
  const counts = new Map<string, number>();
  for (const line of text.split('\n')) {
    const [, labels = '', value] = /^apiserver_request_total\{(.*)\} (\S+)$/.exec(line) ?? [];
    const verb = /verb="(\w+)"/.exec(labels)?.[1] ?? '';
    const resource = /[{,]resource="(\w*)"/.exec(`{${labels}`)?.[1] ?? '';
    if (!/^(POST|PUT|PATCH|APPLY|DELETE)/.test(verb) || ignored.has(resource)) continue;
    const what = `${verb} ${resource}${/subresource="status"/.test(labels) ? '/status' : ''}`;
    counts.set(what, (counts.get(what) ?? 0) + Number(value));
  }
  return counts;
}

/** What was written between two readings. */
export function writesBetween(before: Writes, after: Writes): Writes {
  const grown = [...after].map(([what, count]) => [what, count - (before.get(what) ?? 0)] as const);
  return new Map(grown.filter(([, count]) => count > 0));
}

export function total(writes: Writes): number {
  return [...writes.values()].reduce((sum, count) => sum + count, 0);
}

export function describe(writes: Writes): string {
  return [...writes].map(([what, count]) => `${count} ${what}`).join(', ');
}
