import type { DepotLocation } from '../../depot/open.ts';
import { ThreadCaller } from '../threads/caller.ts';
import type { Published, PublishRequest } from './request.ts';

/** What the repository thread is started with. */
export interface PublisherData {
  readonly depot: DepotLocation;
}

/** Publishes in a thread of its own: packing and hashing never hold up the one that answers apt. */
export class Publisher {
  readonly #caller: ThreadCaller<PublishRequest, Published>;

  constructor(data: PublisherData) {
    this.#caller = new ThreadCaller(new URL('./thread.ts', import.meta.url), data);
  }

  publish(request: PublishRequest, signal: AbortSignal): Promise<Published> {
    return this.#caller.call(request, { signal });
  }

  close(): Promise<void> {
    return this.#caller.close();
  }
}
