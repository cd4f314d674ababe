import type { DepotLocation } from '../../depot/open.ts';
import { ThreadCaller } from '../threads/caller.ts';
import type { Published, PublishRequest } from './request.ts';
import type { SlowFiles, SlowRequest } from './slow-files.ts';

/** What its threads are started with. */
export interface PublisherData {
  readonly depot: DepotLocation;
}

/** Nobody needs it most of the time. */
const idleMs = 60_000;

/**
 * Publishes in a thread of its own: packing and hashing never hold up the one that answers apt. What
 * takes long is made in another one, and holds up neither.
 */
export class Publisher {
  readonly #caller: ThreadCaller<PublishRequest, Published>;
  readonly #slow: ThreadCaller<SlowRequest, SlowFiles>;

  constructor(data: PublisherData) {
    this.#caller = new ThreadCaller(new URL('./thread.ts', import.meta.url), data);
    this.#slow = new ThreadCaller(new URL('./slow-thread.ts', import.meta.url), data, { idleMs });
  }

  publish(request: PublishRequest, signal: AbortSignal): Promise<Published> {
    return this.#caller.call(request, { signal });
  }

  makeSlowFiles(request: SlowRequest, signal: AbortSignal): Promise<SlowFiles> {
    return this.#slow.call(request, { signal });
  }

  async close(): Promise<void> {
    await Promise.all([this.#caller.close(), this.#slow.close()]);
  }
}
