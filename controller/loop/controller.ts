import { keyOf, type ObjectKey } from '../../crds/object.ts';
import { CairnError } from '../../crds/reasons.ts';
import { StoreError, type Store } from '../../crds/store.ts';
import type { Check } from '../health.ts';
import type { Log } from '../log.ts';
import { jittered } from './backoff.ts';
import { Breath } from './breath.ts';
import { DependencyIndex } from './dependencies.ts';
import { EventLine } from './event-line.ts';
import { healthOf } from './health.ts';
import { Informer } from './informer.ts';
import { createMetrics, type LoopMetrics, type ReconcileResult } from './metrics.ts';
import { realClock, WorkQueue, type Clock, type Priority } from './queue.ts';
import { RateGuard } from './rate-guard.ts';
import { Runner, type AnyReconciler, type Next } from './run.ts';
import { isDeclaredChange, urgencyOf, type Seen } from './seen.ts';

export interface LoopOptions {
  readonly store: Store;
  /** At most one per kind. */
  readonly reconcilers: readonly AnyReconciler[];
  readonly log: Log;
  /** The time that statuses show. */
  readonly now?: () => Date;
  readonly metrics?: LoopMetrics;
  /** How many objects are worked on at once. */
  readonly workers?: number;
  /** A run that takes longer is broken off, and repeated later; 5 minutes by default. */
  readonly runTimeoutMs?: number;
  /** The time that passes; for tests. */
  readonly clock?: Clock;
  readonly random?: () => number;
}

export interface Loop {
  /** Every kind has been listed once. */
  readonly synced: Promise<void>;
  /** Runs an object soon, as if something it depends on had changed. */
  poke(key: ObjectKey): void;
  /** Resolves when all that is in the store is known, and nothing waits or runs. For tests. */
  idle(): Promise<void>;
  /** For the liveness probe. */
  health(): readonly Check[];
  /**
   * Takes nothing in any more, aborts what runs and waits for it so long, and then for events, a second
   * at most. Yields the keys of those that would not end. What is aborted writes nothing.
   */
  stop(graceMs: number): Promise<readonly string[]>;
}

const defaultWorkers = 4;
/** Events that still wait are worth no more, when another replica waits to lead. */
const eventsGraceMs = 1000;
/** With so many objects in the queue, what people can do without for a moment comes later. */
const manyWaiting = 100;
const defaultRunTimeoutMs = 5 * 60_000;
/** No growing pauses while the store is away: once it is back, everything is to go on soon. */
const awayMs = 2000;
/** Looks that nobody asked for, lest anything be forgotten. They write nothing when all is well. */
const safetyMs = { done: 10 * 3600_000, waiting: 5 * 60_000, blind: 30_000 };

/** Starts to bring every object of the reconcilers' kinds to what it asks for, until stopped. */
export function startLoop(options: LoopOptions): Loop {
  return new ReconcileLoop(options);
}

class ReconcileLoop implements Loop {
  readonly synced: Promise<void>;
  readonly #options: LoopOptions;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #metrics: LoopMetrics;
  readonly #runner: Runner;
  readonly #runTimeoutMs: number;
  readonly #queue: WorkQueue;
  readonly #kinds: ReadonlySet<string>;
  readonly #informers = new Map<string, Informer>();
  readonly #following: Promise<void>[] = [];
  readonly #dependencies = new DependencyIndex();
  readonly #guard = new RateGuard();
  readonly #events: EventLine;
  readonly #breath = new Breath();
  readonly #stop = new AbortController();

  constructor(options: LoopOptions) {
    const { store, reconcilers, log, now = () => new Date() } = options;
    this.#options = options;
    this.#clock = options.clock ?? realClock;
    this.#random = options.random ?? Math.random;
    this.#metrics = options.metrics ?? createMetrics();
    this.#runTimeoutMs = options.runTimeoutMs ?? defaultRunTimeoutMs;
    const byKind = new Map(reconcilers.map((one) => [one.kind.kind, one]));
    this.#kinds = new Set(byKind.keys());
    const poke = (key: string) => this.#wake(key, 1);
    const isBusy = () => this.#queue.waiting > manyWaiting;
    this.#events = new EventLine({ store, log, isBusy });
    this.#runner = new Runner({
      ...{ store, reconcilers: byKind, now, log, poke, isBusy },
      events: this.#events,
    });
    const workers = options.workers ?? defaultWorkers;
    this.#queue = new WorkQueue({
      work: (key, signal, priority) => this.#work(key, signal, priority),
      workers,
      clock: this.#clock,
      random: this.#random,
      observer: this.#metrics.queue,
    });
    const kinds = this.#kinds;
    this.#metrics.watch({
      workers,
      kinds,
      stats: () => this.#queue.stats(),
      objects: () => this.#seen(),
    });
    for (const kind of this.#kinds) this.#follow(kind);
    this.synced = Promise.all([...this.#informers.values()].map((one) => one.synced)).then(
      () => {},
    );
  }

  poke(key: ObjectKey): void {
    this.#wake(keyOf(key), 1);
  }

  async idle(): Promise<void> {
    await this.synced;
    while (!this.#stop.signal.aborted && !(await this.#isIdle())) {
      await this.#queue.quiet();
      await this.#events.empty();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  health(): readonly Check[] {
    return healthOf(this.#queue.stats(), this.#informers, this.#runTimeoutMs);
  }

  async stop(graceMs: number): Promise<readonly string[]> {
    this.#stop.abort();
    const stuck = await this.#queue.shutdown(graceMs);
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const cancel = this.#clock.after(Math.min(graceMs, eventsGraceMs), resolve);
    await this.#events.stop(late);
    cancel();
    await Promise.all(this.#following);
    return stuck;
  }

  async #isIdle(): Promise<boolean> {
    for (const informer of this.#informers.values()) {
      if (!(await informer.isCaughtUp())) return false;
    }
    return this.#queue.isQuiet() && this.#events.isEmpty();
  }

  /** Follows a kind; one without a reconciler is followed for those who depend on it. */
  #follow(kind: string): void {
    if (this.#informers.has(kind)) return;
    const informer = new Informer({
      kind,
      store: this.#options.store,
      clock: this.#clock,
      log: this.#options.log,
      changed: (after, before, isFirstList) => this.#changed(after, before, isFirstList),
      gone: (last) => this.#gone(last),
    });
    this.#informers.set(kind, informer);
    this.#following.push(informer.run(this.#stop.signal));
  }

  #changed(after: Seen, before: Seen | undefined, isFirstList: boolean): void {
    this.#wakeDependents(after, before);
    if (before && before.uid !== after.uid) this.#runner.gone(before);
    const urgency = urgencyOf(before, after);
    if (urgency === undefined || !this.#kinds.has(after.kind)) return;
    if (urgency === 0) this.#queue.forgive(keyOf(after));
    if (urgency === 0 && !isFirstList) this.#runner.tellSoon(keyOf(after));
    this.#queue.add(keyOf(after), isFirstList ? 2 : urgency);
  }

  #gone(last: Seen): void {
    const key = keyOf(last);
    this.#queue.drop(key);
    this.#runner.gone(last);
    this.#forget(key);
    this.#wakeDependents(last);
  }

  #forget(key: string): void {
    this.#dependencies.remove(key);
    this.#guard.forget(key);
    this.#runner.forget(key);
  }

  #wakeDependents(object: Seen, before?: Seen): void {
    const labels = before ? [object.labels, before.labels] : [object.labels];
    const isDeclared = before === undefined || isDeclaredChange(before, object);
    const woken = this.#dependencies.changed(object, { isDeclared, labels });
    const isMeant = before?.uid !== object.uid || before.generation !== object.generation;
    for (const key of woken) {
      if (isMeant) this.#guard.pay(key, this.#clock.now());
      this.#wake(key, 1);
    }
  }

  /** Adds a key that no person has changed: too many of these in a row have to wait. */
  #wake(key: string, priority: Priority): void {
    const wait = this.#guard.waitMs(key, this.#clock.now());
    if (wait === 0) this.#queue.add(key, priority);
    else this.#queue.addAfter(key, wait, priority);
  }

  /** One run of a key, from the queue. Never rejects. */
  async #work(key: string, signal: AbortSignal, priority: Priority): Promise<void> {
    if (priority > 0) await this.#breath.take(this.#queue.isUrgent);
    const start = this.#clock.now();
    const object = parseKey(key);
    this.#dependencies.begin(key);
    const isTooMany = this.#guard.ran(key, start);
    if (isTooMany) this.#tellOfHotLoop(object);
    const run = this.#limited(object, signal);
    const next = await run.catch((error: unknown): Next => {
      if (signal.aborted) return { do: 'stop' };
      if (error instanceof StoreError && error.reason === 'Unavailable') {
        this.#options.log.warn('the store is away', { ...object, because: error.message });
        return { do: 'return', again: { ms: awayMs } };
      }
      this.#options.log.error('the store failed', { ...object, error });
      return { do: 'return', remedy: 'retry' };
    });
    const dependsOn = next.do === 'return' ? next.dependsOn : undefined;
    for (const { kind } of dependsOn ?? []) this.#follow(kind);
    if (this.#dependencies.end(key, dependsOn)) this.#wake(key, 1);
    this.#schedule(key, next);
    this.#metrics.reconciled(object.kind, resultOf(next), (this.#clock.now() - start) / 1000);
  }

  /** A run that is broken off when it takes too long: what it waits for will not come any more. */
  async #limited(object: ObjectKey, signal: AbortSignal): Promise<Next> {
    const limit = new AbortController();
    const stop = () => limit.abort(signal.reason);
    const cancel = this.#clock.after(this.#runTimeoutMs, () => {
      this.#metrics.timedOut(object.kind);
      const told = `the run took more than ${this.#runTimeoutMs / 1000} s, and was broken off`;
      limit.abort(new CairnError('RunTimeout', told));
    });
    signal.addEventListener('abort', stop);
    try {
      return await this.#runner.run(object, limit.signal);
    } finally {
      cancel();
      signal.removeEventListener('abort', stop);
    }
  }

  #schedule(key: string, next: Next): void {
    if (next.do === 'gone') this.#forget(key);
    if (next.do === 'repeat') this.#wake(key, 1);
    if (next.do !== 'return') return;
    const { remedy, reason, again, isProgressing = false } = next;
    if (reason === 'InternalError') this.#metrics.panicked(parseKey(key).kind);
    if (remedy === 'stall') this.#metrics.stalled(parseKey(key).kind);
    if (remedy === 'retry') this.#queue.retry(key);
    else this.#queue.forgive(key);
    const isWaiting = remedy === 'wait' || isProgressing;
    const isBlind = next.dependsOn === undefined; // it threw: what wakes it may not be known
    const safety = !isWaiting ? 'done' : isBlind ? 'blind' : 'waiting';
    const { ms, exact = false } = again ?? { ms: safetyMs[safety] };
    const wish = exact ? ms : jittered(ms, this.#random());
    const least = this.#guard.waitMs(key, this.#clock.now());
    this.#queue.addAfter(key, Math.max(wish, least), 2);
  }

  #tellOfHotLoop(regarding: ObjectKey): void {
    this.#options.log.warn('excessive reconciles', { ...regarding });
    const message = 'is run all the time although nobody changes it; it is slowed down';
    this.#events.add({ regarding, type: 'Warning', reason: 'ExcessiveReconciles', message });
  }

  *#seen(): Iterable<Seen> {
    for (const { known } of this.#informers.values()) yield* known.values();
  }
}

function resultOf(next: Next): ReconcileResult {
  if (next.do === 'repeat') return 'requeue';
  if (next.do !== 'return') return 'success';
  if (next.remedy === 'retry' || next.remedy === 'stall') return 'error';
  return next.again ? 'requeue_after' : 'success';
}

/** The inverse of `keyOf`: none of the parts has a slash in it. */
function parseKey(key: string): ObjectKey {
  const [kind = '', namespace = '', name = ''] = key.split('/');
  return { kind, namespace, name };
}
