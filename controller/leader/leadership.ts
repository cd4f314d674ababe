import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { Log } from '../log.ts';
import { misdirected } from '../store/kubernetes/failure.ts';
import type { RequestObserver } from '../store/kubernetes/request-metrics.ts';
import { ApiError } from '../store/kubernetes/statuses.ts';
import { monotonicMs } from './clock.ts';
import type { LeaseNews, LeaseOrder, LeaseThreadData } from './messages.ts';
import { beat, sharedMemory } from './watchdog.ts';

/** Longer than anything that is done in one go, by far. */
const defaultStillMs = 60_000;

export interface LeadershipOptions {
  /** Finds the cluster: see `findCluster`. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where the Lease is. */
  readonly namespace: string;
  readonly name: string;
  readonly log: Log;
  readonly observer?: RequestObserver;
  /** The process is killed when its main thread stands still for so long; 60 s by default. */
  readonly longestStillMs?: number;
}

/** Which replica leads, as far as this one knows. */
export type Leader =
  | { readonly is: 'self' }
  /** Another one; its address is `IP:PORT`, if it has told one. */
  | { readonly is: 'other'; readonly address: string | undefined }
  | { readonly is: 'nobody' };

/** Being the one of several replicas that works. */
export interface Leadership {
  /** Resolves with the epoch, which grows with each new leader, once this process leads. */
  readonly leading: Promise<number>;
  /** Resolves with the reason once it leads no more; it must not do anything then but end. */
  readonly lost: Promise<string>;
  /** How long this process certainly leads from now on, in ms; throws `Unavailable` when it doesn't. */
  fence(): number;
  isLeading(): boolean;
  leader(): Leader;
  /** Tells the other replicas, while this one leads, that it is reached at `IP:PORT`. */
  advertise(address: string): void;
  /** Why nobody knows here who leads, if so. */
  trouble(): string | undefined;
  /** For how long this process has not led any more, in ms; 0 if it does, or never did. */
  lapsedMs(): number;
  /** Gives the lease away. To be called when nothing writes any more. */
  release(): Promise<void>;
}

/** Asks for a Lease, and keeps it, in a thread of its own. */
export function seekLeadership(options: LeadershipOptions): Leadership {
  const { env, namespace, name, log, observer, longestStillMs = defaultStillMs } = options;
  const shared = sharedMemory();
  const { until } = shared;
  const identity = `${hostname()}_${randomUUID()}`;
  const { memory } = shared;
  const where = { env: { ...env }, namespace, name, identity };
  const workerData: LeaseThreadData = { ...where, memory, longestStillMs };
  const worker = new Worker(new URL('./thread.ts', import.meta.url), { workerData });
  const leading = Promise.withResolvers<number>();
  const lost = Promise.withResolvers<string>();
  const ended = Promise.withResolvers<void>();
  const still = beat(shared);
  let hasLed = false;
  let trouble: string | undefined;
  let lostAt: number | undefined;
  let other: { readonly address: string | undefined; readonly until: number } | undefined;
  const lose = (because: string) => {
    until[0] = 0;
    lostAt ??= monotonicMs();
    lost.resolve(because);
  };
  worker.on('message', (news: LeaseNews) => {
    if (news.type === 'leading') {
      hasLed = true;
      leading.resolve(news.epoch);
    } else if (news.type === 'asked') {
      observer?.asked(news.method, news.code, news.seconds);
    } else if (news.type === 'follows') other = news;
    else if (news.type === 'lost') lose(news.because);
    else {
      trouble = news.isTrouble ? news.message : undefined;
      log[news.isTrouble ? 'warn' : 'info']('leader election', { because: news.message });
    }
  });
  worker.on('error', (error) => lose(error instanceof Error ? error.message : String(error)));
  worker.on('exit', () => {
    still();
    lose('its thread has ended');
    ended.resolve();
  });
  const order = (what: LeaseOrder) => worker.postMessage(what);
  const leftMs = () => (until[0] ?? 0) - monotonicMs();
  return {
    leading: leading.promise,
    lost: lost.promise,
    fence() {
      const left = leftMs();
      if (left > 1) return left;
      throw new ApiError('Unavailable', 'this replica does not lead (any more)', {
        status: misdirected,
      });
    },
    isLeading: () => leftMs() > 0,
    leader() {
      if (leftMs() > 0) return { is: 'self' };
      const isKnown = !hasLed && other !== undefined && other.until > monotonicMs();
      return isKnown ? { is: 'other', address: other?.address } : { is: 'nobody' };
    },
    advertise: (address) => order({ type: 'address', address }),
    trouble: () => trouble,
    lapsedMs() {
      if (!hasLed) return 0;
      return Math.max(0, monotonicMs() - (lostAt ?? until[0] ?? 0));
    },
    async release() {
      order({ type: 'stop' });
      await ended.promise;
    },
  };
}
