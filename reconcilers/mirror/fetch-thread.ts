import { availableParallelism } from 'node:os';
import type { MirrorSpec } from '../../crds/mirror.ts';
import type { TreeEntry } from '../../depot/depot.ts';
import type { DepotLocation } from '../../depot/open.ts';
import type { Credentials } from '../fetch/upstream.ts';
import { ThreadCaller } from '../threads/caller.ts';

/** What the fetch thread is started with. */
export interface FetchThreadData {
  readonly depot: DepotLocation;
  readonly spec: MirrorSpec;
  readonly credentials: Credentials | undefined;
}

/** `fetch` asks for files one after the other; `sync` makes all of them durable. */
export type FetchCall =
  { readonly type: 'fetch'; readonly entries: readonly TreeEntry[] } | { readonly type: 'sync' };

export interface FetchAnswer {
  readonly bytes: number;
  /** Paths that upstream doesn't have. */
  readonly absent: readonly string[];
}

/** Starting a thread takes as long as so many small files. */
const leastFiles = 2000;

/** With one processor, few files, one connection or a rate to keep, a second thread is no help. */
export function isWorthAThread(files: number, limits: MirrorSpec['limits']): boolean {
  const { connections, bytesPerSecond } = limits;
  const isLimited = connections < 2 || bytesPerSecond !== undefined;
  return files >= leastFiles && !isLimited && availableParallelism() > 1;
}

/** A thread that fetches pool files of one refresh, beside the mirror thread. */
export class FetchThread {
  readonly #caller: ThreadCaller<FetchCall, FetchAnswer>;

  constructor(data: FetchThreadData) {
    this.#caller = new ThreadCaller(new URL('./fetch-thread-main.ts', import.meta.url), data);
  }

  /** Fetches files over one connection. Rejects as `fetchPoolFile` throws. */
  fetch(entries: readonly TreeEntry[], signal: AbortSignal): Promise<FetchAnswer> {
    return this.#caller.call({ type: 'fetch', entries }, { signal });
  }

  async sync(signal: AbortSignal): Promise<void> {
    await this.#caller.call({ type: 'sync' }, { signal });
  }

  close(): Promise<void> {
    return this.#caller.close();
  }
}
