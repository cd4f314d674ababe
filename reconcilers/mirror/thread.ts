/**
 * The mirror thread: all refreshes run here, so that downloading, hashing and parsing never hold up
 * the thread that answers apt. Started by `thread-runner.ts`.
 */
import { join } from 'node:path';
import { workerData } from 'node:worker_threads';
import { openDepot } from '../../depot/open.ts';
import { HostSlots } from '../fetch/slots.ts';
import { answerCalls } from '../threads/answerer.ts';
import { ShrinkHeldError } from './failures.ts';
import { PoolLists } from './pool-lists.ts';
import { Counter } from './progress.ts';
import { refresh } from './refresh.ts';
import type { Progress, Refreshed, RefreshRequest } from './request.ts';
import type { ThreadData } from './thread-runner.ts';

const progressEveryMs = 1000;
const tidyEveryMs = 6 * 3_600_000;

const { depot, cache } = workerData as ThreadData; // set by thread-runner.ts alone
const blobs = await openDepot(depot);
const lists = new PoolLists(join(cache, 'pool-lists'), blobs);
tidy();
setInterval(tidy, tidyEveryMs).unref();
const deps = { blobs, lists, slots: new HostSlots(), now: () => new Date(), depot };

answerCalls<RefreshRequest, Refreshed, Progress>(
  async (request, { signal, tell }) => {
    const counter = new Counter();
    const ticker = setInterval(() => tell(counter.read(performance.now())), progressEveryMs);
    try {
      return await refresh(request, deps, counter, signal);
    } finally {
      clearInterval(ticker);
    }
  },
  (error) => (error instanceof ShrinkHeldError ? error.shrink : undefined),
);

/** Nothing of this is needed: what is pruned too early is made, or fetched, again. */
function tidy(): void {
  lists.prune(Date.now());
  blobs.prunePartials(Date.now());
}
