import type { MirrorSpec } from '../../crds/mirror.ts';
import type { Blobs, TreeEntry } from '../../depot/depot.ts';
import type { DepotLocation } from '../../depot/open.ts';
import type { HostSlots } from '../fetch/slots.ts';
import type { Upstream } from '../fetch/upstream.ts';
import { FetchThread, isWorthAThread } from './fetch-thread.ts';
import { fetchPoolFile, type FetchContext } from './pool-file.ts';
import type { Counter } from './progress.ts';
import type { RefreshRequest } from './request.ts';

export interface PoolDeps {
  readonly upstream: Upstream;
  readonly blobs: Blobs;
  readonly slots: HostSlots;
  readonly counter: Counter;
  readonly signal: AbortSignal;
  /** Where the depot is, for the thread that shares in large pools; without it there is none. */
  readonly depot?: DepotLocation | undefined;
}

/** Files that go to the other thread at once: many enough that messages cost nothing. */
const batchSize = 32;
const stretchBytes = 64 * 1024 * 1024;

/**
 * Fetches the pool files that the depot doesn't have, several at a time; of many, half in a thread
 * of its own. Returns the paths that upstream doesn't have either, where the spec says to record
 * that; else throws at the first. What was fetched stays, so the next try is shorter.
 */
export async function fetchPool(
  entries: readonly TreeEntry[],
  { spec, credentials }: RefreshRequest,
  deps: PoolDeps,
): Promise<readonly string[]> {
  const { depot, signal, counter } = deps;
  const work = new SharedWork(entries);
  const { connections } = spec.limits;
  const shares = depot !== undefined && isWorthAThread(entries.length, spec.limits);
  const thread = shares ? new FetchThread({ depot, spec, credentials }) : undefined;
  const remote = thread ? Math.floor(connections / 2) : 0;
  const context: FetchContext = {
    ...deps,
    onMissing: spec.missingFiles.pool,
    onBytes: (count) => {
      counter.bytes(count);
      flush(count);
    },
  };
  const flush = inStretches(() => void deps.blobs.sync().catch(() => {})); // told by the last one
  try {
    await Promise.all([
      ...Array.from({ length: connections - remote }, () => localLane(work, context, counter)),
      ...Array.from({ length: remote }, () => remoteLane(work, thread, spec, deps)),
    ]);
    await thread?.sync(signal);
    return work.absent.sort();
  } finally {
    await thread?.close();
  }
}

/**
 * Has what is fetched brought to the disk while more is coming: the disk has nothing else to do
 * meanwhile, the end has not to wait for all of it, and a power cut harms less.
 */
function inStretches(sync: () => void): (bytes: number) => void {
  let unsynced = 0;
  return (bytes) => {
    unsynced += bytes;
    if (unsynced < stretchBytes) return;
    unsynced = 0;
    sync();
  };
}

class SharedWork {
  readonly absent: string[] = [];
  readonly #entries: readonly TreeEntry[];
  #next = 0;

  constructor(entries: readonly TreeEntry[]) {
    this.#entries = entries;
  }

  take(count: number): readonly TreeEntry[] {
    const taken = this.#entries.slice(this.#next, this.#next + count);
    this.#next += taken.length;
    return taken;
  }
}

async function localLane(work: SharedWork, context: FetchContext, counter: Counter) {
  for (let [entry] = work.take(1); entry; [entry] = work.take(1)) {
    context.signal.throwIfAborted();
    if (await fetchPoolFile(entry, context)) counter.file();
    else work.absent.push(entry.path);
  }
}

/** Each lane of the other thread takes the place of one connection here. */
async function remoteLane(
  work: SharedWork,
  thread: FetchThread | undefined,
  spec: MirrorSpec,
  { slots, counter, signal }: PoolDeps,
) {
  const { host } = new URL(spec.url);
  for (let batch = work.take(batchSize); thread && batch.length > 0; batch = work.take(batchSize)) {
    const taken = batch;
    const { bytes, absent } = await slots.use(host, spec.limits.connections, signal, () =>
      thread.fetch(taken, signal),
    );
    counter.bytes(bytes);
    counter.file(taken.length - absent.length);
    work.absent.push(...absent);
  }
}
