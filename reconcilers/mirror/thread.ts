/**
 * The mirror thread: all refreshes run here, so that downloading, hashing and parsing never hold up
 * the thread that answers apt. Started by `thread-runner.ts`.
 */
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { openBlobs } from '../../depot/file-blobs.ts';
import { HostSlots } from '../fetch/slots.ts';
import { PoolLists } from './pool-lists.ts';
import { Counter } from './progress.ts';
import { asFailure } from './failures.ts';
import { refresh } from './refresh.ts';
import type { RefreshRequest } from './request.ts';
import type { FromThread, ThreadData, ToThread } from './thread-messages.ts';

const progressEveryMs = 1000;

if (!parentPort) throw new Error('thread.ts runs as a worker thread only');
const port = parentPort;
const { depot, cache } = workerData as ThreadData; // set by thread-runner.ts alone
const blobs = await openBlobs(depot);
const lists = new PoolLists(join(cache, 'pool-lists'), blobs);
lists.prune(Date.now());
const slots = new HostSlots();
const running = new Map<number, AbortController>();

port.on('message', (message: ToThread) => {
  if (message.type === 'abort') running.get(message.id)?.abort(new Error('stopped'));
  else void run(message.id, message.request);
});

async function run(id: number, request: RefreshRequest): Promise<void> {
  const stop = new AbortController();
  running.set(id, stop);
  const counter = new Counter();
  const ticker = setInterval(
    () => tell({ type: 'progress', id, progress: counter.read(performance.now()) }),
    progressEveryMs,
  );
  try {
    const deps = { blobs, lists, slots, now: () => new Date() };
    const refreshed = await refresh(request, deps, counter, stop.signal);
    tell({ type: 'done', id, refreshed });
  } catch (error) {
    tell({ type: 'failed', id, failure: asFailure(error) });
  } finally {
    clearInterval(ticker);
    running.delete(id);
  }
}

function tell(message: FromThread): void {
  port.postMessage(message);
}
