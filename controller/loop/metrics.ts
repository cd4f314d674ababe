import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { QueueObserver, QueueStats } from './queue.ts';
import type { Seen } from './seen.ts';

/** As in controller-runtime. */
export type ReconcileResult = (typeof results)[number];
const results = ['success', 'error', 'requeue', 'requeue_after'] as const;

/** What gauges read when somebody scrapes. */
export interface LoopState {
  stats(): QueueStats;
  objects(): Iterable<Seen>;
  readonly workers: number;
  readonly kinds: Iterable<string>;
}

/**
 * The loop's metrics, under the names of controller-runtime and client-go, so that dashboards made
 * for those work. Series of an object go with the object.
 */
export interface LoopMetrics {
  readonly registry: Registry;
  readonly queue: QueueObserver;
  reconciled(kind: string, result: ReconcileResult, seconds: number): void;
  /** A failure that only a person can mend. */
  stalled(kind: string): void;
  /** A failure that nobody foresaw: what a panic is in Go. */
  panicked(kind: string): void;
  /** A run that was broken off because it took too long. */
  timedOut(kind: string): void;
  /** Gauges read this loop from now on. */
  watch(state: LoopState): void;
}

const name = 'cairn';
const queueLabels = { name, controller: name };
const runBuckets = [0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300];
const waitBuckets = [0.001, 0.01, 0.1, 1, 5, 30, 60, 300];

export function createMetrics(registry: Registry = new Registry()): LoopMetrics {
  const counters = reconcileMetrics(registry);
  const queue = queueMetrics(registry);
  return {
    registry,
    queue,
    reconciled(kind, result, seconds) {
      counters.total.inc({ controller: kind, result });
      counters.time.observe({ controller: kind }, seconds);
      if (result === 'error') counters.errors.inc({ controller: kind });
    },
    stalled: (kind) => counters.terminal.inc({ controller: kind }),
    panicked: (kind) => counters.panics.inc({ controller: kind }),
    timedOut: (kind) => counters.timeouts.inc({ controller: kind }),
    watch(state) {
      for (const controller of state.kinds) {
        for (const result of results) counters.total.inc({ controller, result }, 0);
        const { errors, terminal, panics, timeouts } = counters;
        for (const one of [errors, terminal, panics, timeouts]) one.inc({ controller }, 0);
      }
      queueGauges(registry, state);
      objectGauges(registry, state);
    },
  };
}

function reconcileMetrics(registry: Registry) {
  const registers = [registry];
  const labelNames = ['controller'] as const;
  return {
    total: new Counter({
      name: 'controller_runtime_reconcile_total',
      help: 'Runs by kind and result.',
      labelNames: ['controller', 'result'],
      registers,
    }),
    errors: new Counter({
      name: 'controller_runtime_reconcile_errors_total',
      help: 'Runs that failed.',
      labelNames,
      registers,
    }),
    terminal: new Counter({
      name: 'controller_runtime_terminal_reconcile_errors_total',
      help: 'Runs that failed in a way that only a person can mend.',
      labelNames,
      registers,
    }),
    panics: new Counter({
      name: 'controller_runtime_reconcile_panics_total',
      help: 'Runs that failed in a way that nobody foresaw.',
      labelNames,
      registers,
    }),
    timeouts: new Counter({
      name: 'controller_runtime_reconcile_timeouts_total',
      help: 'Runs that were broken off because they took too long.',
      labelNames,
      registers,
    }),
    time: new Histogram({
      name: 'controller_runtime_reconcile_time_seconds',
      help: 'How long a run took.',
      labelNames,
      buckets: runBuckets,
      registers,
    }),
  };
}

function queueMetrics(registry: Registry): QueueObserver {
  const registers = [registry];
  const labelNames = ['name', 'controller'];
  const adds = new Counter({
    name: 'workqueue_adds_total',
    help: 'Keys added to the queue.',
    labelNames,
    registers,
  });
  const retries = new Counter({
    name: 'workqueue_retries_total',
    help: 'Keys that come back after a failure.',
    labelNames,
    registers,
  });
  const waited = new Histogram({
    name: 'workqueue_queue_duration_seconds',
    help: 'How long a key waited before its run.',
    labelNames,
    buckets: waitBuckets,
    registers,
  });
  const worked = new Histogram({
    name: 'workqueue_work_duration_seconds',
    help: 'How long the run of a key took.',
    labelNames,
    buckets: runBuckets,
    registers,
  });
  for (const counter of [adds, retries]) counter.inc(queueLabels, 0);
  return {
    added: () => adds.inc(queueLabels),
    retried: () => retries.inc(queueLabels),
    started: (_key, waitedMs) => waited.observe(queueLabels, waitedMs / 1000),
    finished: (_key, tookMs) => worked.observe(queueLabels, tookMs / 1000),
  };
}

function queueGauges(registry: Registry, { stats, workers, kinds }: LoopState): void {
  const registers = [registry];
  const ages = () => [...stats().running.values()].map((ms) => ms / 1000);
  const ofQueue = (metric: string, help: string, read: () => number) => {
    const labelNames = Object.keys(queueLabels);
    const collect = function (this: Gauge) {
      this.set(queueLabels, read());
    };
    return new Gauge({ name: metric, help, labelNames, registers, collect });
  };
  const ofKinds = (metric: string, help: string, read: (kind: string) => number) => {
    const collect = function (this: Gauge) {
      for (const controller of kinds) this.set({ controller }, read(controller));
    };
    return new Gauge({ name: metric, help, labelNames: ['controller'], registers, collect });
  };
  ofQueue('workqueue_unfinished_work_seconds', 'Age of all runs that go on.', () =>
    ages().reduce((sum, one) => sum + one, 0),
  );
  ofQueue('workqueue_longest_running_processor_seconds', 'Age of the oldest run.', () =>
    Math.max(0, ...ages()),
  );
  ofKinds('controller_runtime_active_workers', 'Runs that go on.', (kind) => {
    const keys = [...stats().running.keys()];
    return keys.filter((key) => key.startsWith(`${kind}/`)).length;
  });
  // All kinds share them.
  ofKinds('controller_runtime_max_concurrent_reconciles', 'Runs at once.', () => workers);
  new Gauge({
    name: 'workqueue_depth',
    help: 'Keys that wait, by priority: 0 edits, 1 dependencies, 2 periodic.',
    labelNames: ['name', 'controller', 'priority'],
    registers,
    collect() {
      for (const [priority, depth] of Object.entries(stats().depth)) {
        this.set({ ...queueLabels, priority }, depth);
      }
    },
  });
}

/** Made anew at each scrape, so that no series outlives its object. */
function objectGauges(registry: Registry, { objects }: LoopState): void {
  new Gauge({
    name: 'cairn_resource_info',
    help: 'One per object, with its readiness.',
    labelNames: ['kind', 'namespace', 'name', 'ready', 'suspended'],
    registers: [registry],
    collect() {
      this.reset();
      for (const { kind, namespace, name, ready, isSuspended } of objects()) {
        this.set({ kind, namespace, name, ready, suspended: String(isSuspended) }, 1);
      }
    },
  });
}
