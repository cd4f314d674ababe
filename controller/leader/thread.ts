/**
 * The thread that asks for the lease and renews it. It has an event loop of its own: whatever keeps
 * the main one busy, the lease does not run out meanwhile.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { createLog } from '../log.ts';
import { Connection } from '../store/kubernetes/connection.ts';
import { findCluster } from '../store/kubernetes/kubeconfig.ts';
import type { RequestObserver } from '../store/kubernetes/request-metrics.ts';
import { campaign } from './campaign.ts';
import { monotonicMs } from './clock.ts';
import { Lease } from './lease.ts';
import type { LeaseNews, LeaseOrder, LeaseThreadData } from './messages.ts';
import { sharedMemory, watchMainThread } from './watchdog.ts';

const data = workerData as LeaseThreadData; // `Leadership` has started this
const shared = sharedMemory(data.memory);
const { until } = shared;
const unwatch = watchMainThread(shared, data.longestStillMs);
const tell = (news: LeaseNews) => parentPort?.postMessage(news);
const stop = new AbortController();
let address: string | undefined;
parentPort?.on('message', (order: LeaseOrder) => {
  if (order.type === 'address') address = order.address;
  else stop.abort();
});

const cluster = await findCluster(data.env);
const log = createLog({ format: 'text', level: 'error', write: () => undefined });
const observer: RequestObserver = {
  asked: (method, code, seconds) => tell({ type: 'asked', method, code, seconds }),
  retried: () => {}, // this thread has its own pauses
};
const connection = new Connection({ cluster, log, observer });
const { namespace, name, identity } = data;
const now = () => new Date();
const where = { namespace, name, identity, address: () => address };
const lease = new Lease({ connection, ...where, clock: monotonicMs, now });
let isLeading = false;
await campaign(
  {
    lease,
    clock: monotonicMs,
    renewed(end, epoch) {
      until[0] = end;
      if (!isLeading) tell({ type: 'leading', epoch });
      isLeading = true;
    },
    follows: (at, forMs) => tell({ type: 'follows', address: at, until: monotonicMs() + forMs }),
    lost(because) {
      until[0] = 0;
      tell({ type: 'lost', because });
    },
    told: (message, isTrouble) => tell({ type: 'told', message, isTrouble }),
  },
  stop.signal,
);
until[0] = 0;
unwatch();
connection.close();
parentPort?.close();
