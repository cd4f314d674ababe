import type { DepotLocation } from '../../depot/open.ts';
import { HostSlots } from '../fetch/slots.ts';
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

/** It has some 40 MB, and starts within 0.3 s. */
const idleMs = 10_000;
/** Refreshes from one host, which share a few connections; more of them would only need memory. */
const atOnce = 16;

/** Runs refreshes in the mirror thread. */
export class ThreadRunner implements RefreshRunner {
  readonly #caller: ThreadCaller<RefreshRequest, Refreshed, Progress>;
  readonly #hosts = new HostSlots();

  constructor(data: ThreadData) {
    this.#caller = new ThreadCaller(new URL('./thread.ts', import.meta.url), data, { idleMs });
  }

  refresh(
    request: RefreshRequest,
    onNews: (progress: Progress) => void,
    signal: AbortSignal,
  ): Promise<Refreshed> {
    const { host } = new URL(request.spec.url);
    return this.#hosts.use(host, atOnce, signal, () =>
      this.#caller.call(request, { signal, onNews }),
    );
  }

  close(): Promise<void> {
    return this.#caller.close();
  }
}
