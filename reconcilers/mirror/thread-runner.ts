import type { DepotLocation } from '../../depot/open.ts';
import { ThreadCaller } from '../threads/caller.ts';
import type { Progress, Refreshed, RefreshRequest } from './request.ts';

/** Runs refreshes somewhere. Rejects with a CairnError, or with the signal's reason. */
export interface RefreshRunner {
  refresh(
    request: RefreshRequest,
    onProgress: (progress: Progress) => void,
    signal: AbortSignal,
  ): Promise<Refreshed>;
}

/** What the mirror thread is started with. */
export interface ThreadData {
  readonly depot: DepotLocation;
  /** A folder. */
  readonly cache: string;
}

/** Runs refreshes in the mirror thread. */
export class ThreadRunner implements RefreshRunner {
  readonly #caller: ThreadCaller<RefreshRequest, Refreshed, Progress>;

  constructor(data: ThreadData) {
    this.#caller = new ThreadCaller(new URL('./thread.ts', import.meta.url), data);
  }

  refresh(
    request: RefreshRequest,
    onNews: (progress: Progress) => void,
    signal: AbortSignal,
  ): Promise<Refreshed> {
    return this.#caller.call(request, { signal, onNews });
  }

  close(): Promise<void> {
    return this.#caller.close();
  }
}
