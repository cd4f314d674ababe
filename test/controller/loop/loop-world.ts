import assert from 'node:assert/strict';
import { createLog } from '../../../controller/log.ts';
import { startLoop, type Loop, type LoopOptions } from '../../../controller/loop/controller.ts';
import { openSqliteStore, type SqliteOptions } from '../../../controller/store/sqlite.ts';
import type { ObjectOf } from '../../../crds/kind.ts';
import { conditionOf, type KubeObject, type ObjectKey } from '../../../crds/object.ts';
import { StoreError, type Store } from '../../../crds/store.ts';
import type { Reconciler, Report, RunContext } from '../../../reconcilers/reconciler.ts';
import { assertGoodStatus } from '../../world/status-checks.ts';
import type { Scope } from '../../world/temp.ts';
import { FossilKind, keyed, validateMadeUp, widget, WidgetKind } from '../store/made-up.ts';
import { HeldClock, turns } from './held-clock.ts';

export type Widget = ObjectOf<typeof WidgetKind>;
export type WidgetReport = Report<Widget['status']>;
type WidgetRun = (object: Widget, context: RunContext) => Promise<WidgetReport> | WidgetReport;

/** A store that counts its writes, checks every status, and fails when told to. */
export interface WatchedStore extends Store {
  /** The writes so far, as `updateStatus one`. */
  readonly writes: string[];
  /** Called before each call of that name; what it throws, the call throws. */
  before: Partial<Record<keyof Store, (argument: unknown) => void | Promise<void>>>;
}

export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

export interface World {
  readonly store: WatchedStore;
  readonly loop: Loop;
  readonly clock: HeldClock;
  readonly lines: readonly LogLine[];
  /** Starts another loop on the same store, as after a restart. */
  restart(): Loop;
  read(name: string): Promise<KubeObject>;
  /** `True Succeeded` of the Ready condition, at the present generation. */
  ready(name: string): Promise<string>;
}

type WorldOptions = Partial<Omit<LoopOptions, 'store' | 'reconcilers'>> & {
  readonly storeOptions?: Partial<SqliteOptions>;
};

/** A loop on a real store, in which time stands still. */
export function startWorld(
  t: Scope,
  reconcilers: LoopOptions['reconcilers'],
  { storeOptions, ...loopOptions }: WorldOptions = {},
): World {
  const kinds = [WidgetKind, FossilKind];
  const inner = openSqliteStore(':memory:', { kinds, validate: validateMadeUp, ...storeOptions });
  const store = watched(inner);
  const clock = new HeldClock();
  const lines: LogLine[] = [];
  const write = (line: string) => lines.push(JSON.parse(line) as LogLine);
  const log = createLog({ format: 'json', level: 'debug', write });
  const start = () =>
    startLoop({ store, reconcilers, log, clock, random: () => 0.5, ...loopOptions });
  let loop = start();
  t.after(async () => {
    const stopped = loop.stop(0);
    await clock.pass(0);
    await stopped;
    inner.close();
  });

  return {
    store,
    clock,
    lines,
    get loop() {
      return loop;
    },
    restart: () => (loop = start()),
    read,
    async ready(name) {
      const object = await read(name);
      const { status, reason, observedGeneration } = conditionOf(object, 'Ready') ?? {};
      const isStale = observedGeneration !== object.metadata.generation;
      return `${status} ${reason}${isStale ? ' (stale)' : ''}`;
    },
  };

  async function read(name: string): Promise<KubeObject> {
    const object = await inner.get(keyed(name));
    assert.ok(object, `there is no ${name}`);
    return object;
  }
}

/** A reconciler of Widgets that is one function, and what it was called for. */
export function widgets(
  run: WidgetRun = reportSize,
  finalize?: (object: Widget, context: RunContext) => Promise<void>,
): Reconciler<typeof WidgetKind> & { readonly runs: string[] } {
  const runs: string[] = [];
  return {
    kind: WidgetKind,
    runs,
    async reconcile(object, context) {
      runs.push(object.metadata.name);
      return run(object, context);
    },
    ...(finalize && { finalize }),
  };
}

export function reportSize({ spec: { size } }: Widget): WidgetReport {
  return { status: { size }, message: `has size ${size}` };
}

/** Changes an object as a person would: again and again, until nobody was faster. */
export async function edit(
  store: Store,
  key: ObjectKey,
  change: (object: KubeObject) => KubeObject,
): Promise<KubeObject> {
  for (;;) {
    const object = await store.get(key);
    if (!object) throw new StoreError('NotFound', 'it is gone');
    try {
      return await store.update(change(object));
    } catch (error) {
      if (!(error instanceof Error && 'reason' in error && error.reason === 'Conflict'))
        throw error;
    }
  }
}

export function annotate(store: Store, name: string, annotations: Record<string, string>) {
  return edit(store, keyed(name), (object) => ({
    ...object,
    metadata: { ...object.metadata, annotations },
  }));
}

export function resize(store: Store, name: string, size: number, more: object = {}) {
  return edit(store, keyed(name), (object) => ({ ...object, spec: { size, ...more } }));
}

export { keyed, turns, widget };

function watched(inner: Store): WatchedStore {
  const writes: string[] = [];
  const store: WatchedStore = {
    writes,
    before: {},
    get: async (key) => {
      await store.before.get?.(key);
      return inner.get(key);
    },
    list: async (kind, options) => {
      await store.before.list?.(kind);
      return inner.list(kind, options);
    },
    scan: async (kind, options) => {
      await store.before.list?.(kind);
      return inner.scan(kind, options);
    },
    async *watch(kind, options) {
      const changes = inner.watch(kind, options);
      await store.before.watch?.(kind);
      for await (const event of changes) {
        yield event;
        await store.before.watch?.(kind);
      }
    },
    create: (manifest) => inner.create(manifest),
    async update(object) {
      await store.before.update?.(object);
      writes.push(`update ${object.metadata.name}`);
      return inner.update(object);
    },
    async updateStatus(object) {
      await store.before.updateStatus?.(object);
      assertGoodStatus(object);
      writes.push(`updateStatus ${object.metadata.name}`);
      return inner.updateStatus(object);
    },
    apply: (manifest, manager) => inner.apply(manifest, manager),
    delete: (key, options) => inner.delete(key, options),
    async record(event) {
      await store.before.record?.(event);
      return inner.record(event);
    },
    applyStatus: (part, manager, options) => inner.applyStatus(part, manager, options),
    managedFields: (key) => inner.managedFields(key),
    events: (regarding) => inner.events(regarding),
  };
  return store;
}
