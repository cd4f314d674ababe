import type { StoreReader } from '../../crds/store.ts';
import type { DepotLocation } from '../../depot/open.ts';
import { diffInWorker } from './diff-in-worker.ts';
import type { SnapshotDiff } from './diff-shape.ts';
import { resolveReference } from './resolve-reference.ts';

/** Each comparison has a core to itself and hundreds of MiB; more at once are asked to queue. */
const maxAtOnce = 2;

export type Differ = (from: string, to: string, signal: AbortSignal) => Promise<SnapshotDiff>;

/**
 * Compares what two references mean (see `resolveReference`), outside the server's own thread and
 * no more than two at a time.
 */
export function snapshotDiffer({
  store,
  namespace,
  depot,
}: {
  readonly store: StoreReader;
  /** Where the names are looked for; `default` when left out. */
  readonly namespace?: string;
  readonly depot: DepotLocation;
}): Differ {
  const queue = limited(maxAtOnce);
  return async function diffSnapshots(from, to, signal) {
    const before = await resolveReference(store, from, namespace);
    const after = await resolveReference(store, to, namespace);
    const diff = await queue(() => diffInWorker(depot, before.members, after.members, signal));
    return { from: before.side, to: after.side, ...diff };
  };
}

function limited(most: number): <T>(work: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async function run(work) {
    if (running >= most) await new Promise<void>((resolve) => waiting.push(resolve));
    else running += 1;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else running -= 1;
    }
  };
}
