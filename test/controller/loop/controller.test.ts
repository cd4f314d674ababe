import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createMetrics } from '../../../controller/loop/metrics.ts';
import fc from 'fast-check';
import { annotations, finalizer, type KubeObject } from '../../../crds/object.ts';
import { CairnError } from '../../../crds/reasons.ts';
import { StoreError } from '../../../crds/store.ts';
import type { Dependency, RunContext } from '../../../reconcilers/reconciler.ts';
import {
  annotate,
  edit,
  keyed,
  reportSize,
  resize,
  startWorld,
  turns,
  widget,
  widgets,
  type Widget,
  type WidgetReport,
} from './loop-world.ts';
import { altered } from '../store/made-up.ts';

const hour = 3600_000;

describe('an object', () => {
  it('becomes ready with one write, and costs none as long as nothing changes', async (t) => {
    const reconciler = widgets();
    const { store, loop, clock, ready, read } = startWorld(t, [reconciler]);
    await store.create(widget('one', { size: 3 }));

    await loop.idle();
    for (let day = 0; day < 7; day += 1) {
      await clock.pass(24 * hour);
      await loop.idle();
    }

    assert.equal(await ready('one'), 'True Succeeded');
    assert.equal((await read('one')).status.observedGeneration, 1);
    assert.deepEqual(store.writes, ['updateStatus one']);
    assert.ok(reconciler.runs.length > 7, 'it was looked at all the same');
  });

  it('is run for a change of its spec or annotations, not for its own status or labels', async (t) => {
    const reconciler = widgets();
    const { store, loop, read } = startWorld(t, [reconciler]);
    await store.create(widget('one', { size: 1 }));
    await loop.idle();
    const { runs } = reconciler;

    await edit(store, keyed('one'), (object) => withLabels(object, { app: 'x' }));
    await store.updateStatus({ ...(await read('one')), status: (await read('one')).status });
    await loop.idle();
    assert.equal(runs.length, 1);
    await resize(store, 'one', 2);
    await loop.idle();
    assert.equal(runs.length, 2);
    await annotate(store, 'one', { note: 'hello' });
    await loop.idle();
    assert.equal(runs.length, 3);
    assert.deepEqual((await read('one')).status, {
      ...(await read('one')).status,
      size: 2,
      observedGeneration: 2,
    });
  });

  it('is looked at again when its reconciler wants it, up to 10 % later, or exactly', async (t) => {
    let again: WidgetReport['again'] & {} = { ms: 1000 };
    let random = 0;
    const reconciler = widgets((object) => ({ ...reportSize(object), again }));
    const { store, loop, clock } = startWorld(t, [reconciler], { random: () => random });
    await store.create(widget('one'));
    await loop.idle();
    const soonest = clock.nextIn();
    random = 1;
    await clock.pass(1000);
    await loop.idle();
    const latest = clock.nextIn();
    again = { ms: 5000, exact: true };
    await clock.pass(1100);
    await loop.idle();

    assert.deepEqual([soonest, latest, clock.nextIn()], [1000, 1100, 5000]);
    assert.equal(reconciler.runs.length, 3);
  });

  it('is run when background work has news of it', async (t) => {
    let poke = () => {};
    let isDone = false;
    const reconciler = widgets((object, context) => {
      poke = context.poke;
      return { ...reportSize(object), message: 'm', progressing: !isDone };
    });
    const { store, loop, ready } = startWorld(t, [reconciler]);
    await store.create(widget('one'));
    await loop.idle();
    assert.equal(await ready('one'), 'False Progressing');

    isDone = true;
    poke();
    await loop.idle();

    assert.equal(await ready('one'), 'True Succeeded');
  });

  it('that is gone is not run again', async (t) => {
    const reconciler = widgets((object) => ({ ...reportSize(object), again: { ms: 1000 } }));
    const { store, loop, clock } = startWorld(t, [reconciler]);
    await store.create(widget('one'));
    await loop.idle();

    await store.delete(keyed('one'));
    await loop.idle();
    await clock.pass(hour);

    assert.deepEqual(reconciler.runs, ['one']);
    assert.equal(clock.nextIn(), undefined);
  });

  it('cannot be confused by a reconciler that writes into what it was handed', async (t) => {
    const reconciler = widgets((object) => {
      object.status.size = object.spec.size;
      return reportSize(object);
    });
    const { store, loop, read } = startWorld(t, [reconciler]);
    await store.create(widget('one', { size: 3 }));

    await loop.idle();

    assert.equal('size' in (await read('one')).status, true);
  });

  it('keeps a short status when the reported one is too large to be stored', async (t) => {
    const text = 'x'.repeat(2 * 1024 * 1024);
    const reconciler = widgets((object) => ({ ...reportSize(object), status: { text } as object }));
    const { store, loop, ready } = startWorld(t, [reconciler]);
    await store.create(widget('one'));

    await loop.idle();

    assert.equal(await ready('one'), 'False InternalError');
  });
});

describe('a suspended object', () => {
  const ways = [
    ['spec.suspend', (store, on) => resize(store, 'one', 2, { suspend: on })],
    ['the annotation', (store, on) => annotate(store, 'one', { [annotations.paused]: String(on) })],
  ] as const satisfies [string, (store: Parameters<typeof resize>[0], on: boolean) => unknown][];
  for (const [what, set] of ways) {
    it(`is left as it is, by ${what}, until it goes on`, async (t) => {
      const reconciler = widgets();
      const { store, loop, read } = startWorld(t, [reconciler]);
      await store.create(widget('one'));
      await loop.idle();
      const before = await read('one');

      await set(store, true);
      await loop.idle();
      const during = await read('one');
      await set(store, false);
      await loop.idle();

      assert.deepEqual(during.status, before.status);
      assert.deepEqual(reconciler.runs, ['one', 'one']);
    });
  }

  it('is run as long as work of before goes on, and told not to begin any', async (t) => {
    const told: unknown[] = [];
    let isBusy = true;
    const reconciler = widgets((object, context) => {
      told.push(context.isSuspended);
      return reportSize(object);
    });
    const { store, loop } = startWorld(t, [{ ...reconciler, isBusy: () => isBusy }]);
    await store.create(widget('one', { size: 1, suspend: true }));
    await loop.idle();

    isBusy = false;
    loop.poke(keyed('one'));
    await loop.idle();

    assert.deepEqual(told, [true]);
  });

  it('is cleaned up and goes when it is deleted', async (t) => {
    const cleaned: string[] = [];
    const reconciler = widgets(
      reportSize,
      async ({ metadata }) => void cleaned.push(metadata.name),
    );
    const { store, loop } = startWorld(t, [reconciler]);
    await store.create(widget('one'));
    await loop.idle();
    await resize(store, 'one', 1, { suspend: true });

    await store.delete(keyed('one'));
    await loop.idle();

    assert.equal(await store.get(keyed('one')), undefined);
    assert.deepEqual(cleaned, ['one']);
  });
});

describe('a request to reconcile now', () => {
  for (const name of [annotations.reconcile, annotations.fluxReconcile]) {
    it(`by ${name} is told to the reconciler, and echoed when it was handled`, async (t) => {
      const asked: (string | undefined)[] = [];
      const reconciler = widgets((object, { requested }) => {
        asked.push(requested);
        return reportSize(object);
      });
      const { store, loop, clock, read } = startWorld(t, [reconciler]);
      await store.create(widget('one'));
      await loop.idle();

      await annotate(store, 'one', { [name]: 'token' });
      await loop.idle();
      await clock.pass(24 * hour);
      await loop.idle();

      assert.deepEqual(asked.slice(0, 3), [undefined, 'token', undefined]);
      assert.equal((await read('one')).status.lastHandledReconcileAt, 'token');
      assert.equal(store.writes.filter((write) => write.startsWith('updateStatus')).length, 2);
    });
  }

  it('by both annotations ends at the later one', async (t) => {
    const reconciler = widgets();
    const { store, loop, read } = startWorld(t, [reconciler]);
    await store.create(widget('one'));
    await annotate(store, 'one', {
      [annotations.reconcile]: '2026-08-01T12:00:00Z',
      [annotations.fluxReconcile]: '2026-08-01T15:00:00+02:00',
    });

    await loop.idle();

    assert.equal((await read('one')).status.lastHandledReconcileAt, '2026-08-01T15:00:00+02:00');
    assert.ok(reconciler.runs.length <= 2);
  });

  it('is not echoed while the object is suspended, nor before its work is done', async (t) => {
    let handled: string | null | undefined = null;
    const reconciler = widgets((object) => ({ ...reportSize(object), handled: handled ?? null }));
    const { store, loop, read } = startWorld(t, [reconciler]);
    await store.create(widget('one', { size: 1, suspend: true }));
    await annotate(store, 'one', { [annotations.reconcile]: 'token' });
    const echo = async () => {
      await loop.idle();
      return (await read('one')).status.lastHandledReconcileAt;
    };

    assert.equal(await echo(), undefined);
    await resize(store, 'one', 1);
    assert.equal(await echo(), undefined);
    handled = 'token';
    loop.poke(keyed('one'));
    assert.equal(await echo(), 'token');
  });

  it('is echoed when it was handled and failed', async (t) => {
    const { store, loop, read } = startWorld(t, [widgets(() => fail('UpstreamRefused'))]);
    await store.create(widget('one'));
    await annotate(store, 'one', { [annotations.reconcile]: 'token' });

    await loop.idle();

    assert.equal((await read('one')).status.lastHandledReconcileAt, 'token');
  });
});

describe('a failure', () => {
  it('that may pass is tried again with a back-off, and with one write', async (t) => {
    const reconciler = widgets(() => fail('UpstreamUnreachable'));
    const { store, loop, clock, ready } = startWorld(t, [reconciler], { random: () => 1 });
    await store.create(widget('one'));
    await loop.idle();

    const delays: (number | undefined)[] = [];
    for (let count = 0; count < 4; count += 1) {
      delays.push(clock.nextIn());
      await clock.pass(clock.nextIn() ?? 0);
      await loop.idle();
    }

    assert.equal(await ready('one'), 'False UpstreamUnreachable');
    assert.deepEqual(delays, [750, 1500, 3000, 6000]);
    assert.deepEqual(store.writes, ['updateStatus one']);
  });

  it('is tried at once when a person changes something, from the first back-off on', async (t) => {
    const reconciler = widgets(() => fail('UpstreamUnreachable'));
    const { store, loop, clock } = startWorld(t, [reconciler], { random: () => 1 });
    await store.create(widget('one'));
    await loop.idle();
    for (let count = 0; count < 4; count += 1) await clock.pass(clock.nextIn() ?? 0);

    await resize(store, 'one', 2);
    await loop.idle();

    assert.equal(clock.nextIn(), 750);
  });

  it('that only a person can mend waits for that', async (t) => {
    const reconciler = widgets(() => fail('KeyUnusable'));
    const { store, loop, clock, ready } = startWorld(t, [reconciler]);
    await store.create(widget('one'));
    await loop.idle();

    await clock.pass(8 * hour);
    await loop.idle();

    assert.equal(await ready('one'), 'False KeyUnusable');
    assert.equal(reconciler.runs.length, 1);
  });

  it('that nobody foresaw is an InternalError whose stack is logged once', async (t) => {
    const reconciler = widgets(() => {
      throw new TypeError('x is not a function');
    });
    const { store, loop, clock, lines, ready } = startWorld(t, [reconciler]);
    await store.create(widget('one'));
    await loop.idle();
    await clock.pass(60_000);
    await loop.idle();

    const logged = lines.filter(({ level }) => level === 'error');
    assert.equal(await ready('one'), 'False InternalError');
    assert.ok(reconciler.runs.length > 3);
    assert.equal(logged.length, 1);
    assert.match(
      String(logged[0]?.['error']),
      /TypeError: x is not a function\n.*controller\.test\.ts/,
    );
  });

  it('leaves what was found before, and what still wakes the object', async (t) => {
    let isBroken = false;
    const reconciler = widgets((object) => {
      if (object.metadata.name === 'two') return reportSize(object);
      if (isBroken) return fail('DependencyNotReady');
      return { ...reportSize(object), dependsOn: [keyed('two')] };
    });
    const { store, loop, read, ready } = startWorld(t, [reconciler]);
    await store.create(widget('one', { size: 5 }));
    await loop.idle();
    isBroken = true;
    await store.create(widget('two'));
    await loop.idle();
    assert.equal(await ready('one'), 'False DependencyNotReady');
    assert.equal(Object(await read('one')).status.size, 5);

    isBroken = false;
    await resize(store, 'two', 2);
    await loop.idle();

    assert.equal(await ready('one'), 'True Succeeded');
  });

  it('of the store is no failure of the object, and passes', async (t) => {
    const { store, loop, clock, ready, lines } = startWorld(t, [widgets()]);
    let isDown = true;
    store.before.updateStatus = () => {
      if (isDown) throw new Error('disk I/O error');
    };
    await store.create(widget('one'));
    await loop.idle();
    assert.ok(lines.some(({ msg }) => msg === 'the store failed'));

    isDown = false;
    await clock.pass(1000);
    await loop.idle();

    assert.equal(await ready('one'), 'True Succeeded');
  });
});

describe('somebody else who writes at the same time', () => {
  it('costs another run and nothing else', async (t) => {
    let isFirst = true;
    const reconciler = widgets(async (object) => {
      if (isFirst) await resize(store, 'one', 7);
      isFirst = false;
      return reportSize(object);
    });
    const { store, loop, lines, read } = startWorld(t, [reconciler]);
    await store.create(widget('one', { size: 1 }));

    await loop.idle();

    assert.equal(Object(await read('one')).status.size, 7);
    assert.equal(reconciler.runs.length, 2);
    assert.deepEqual(
      (await store.events(keyed('one'))).map(({ reason }) => reason),
      ['Succeeded'],
    );
    assert.ok(lines.every(({ level }) => level === 'debug' || level === 'info'));
  });
});

describe('an object that depends on others', () => {
  const follows = (dependsOn: readonly Dependency[]) =>
    widgets(async (object, { store }) => {
      if (object.metadata.name !== 'follower') return reportSize(object);
      const { items } = await store.list('Widget');
      const size = items.reduce((sum, one) => sum + ownSize(one), 0);
      return { status: { size }, message: `sees ${size}`, dependsOn };
    });
  const ways: readonly (readonly [string, readonly Dependency[]])[] = [
    ['by name', [keyed('other')]],
    ['by kind', [{ kind: 'Widget', namespace: 'default' }]],
  ];
  for (const [what, dependsOn] of ways) {
    it(`${what} is woken when one appears, changes its spec or status, or goes`, async (t) => {
      const { store, loop, read } = startWorld(t, [follows(dependsOn)]);
      const seen = async () => {
        await loop.idle();
        return Object(await read('follower')).status.size;
      };
      await store.create(widget('follower', { size: 0 }));
      assert.equal(await seen(), 0);

      await store.create(widget('other', { size: 5 }));
      assert.equal(await seen(), 5);
      await resize(store, 'other', 6);
      assert.equal(await seen(), 6);
      await store.delete(keyed('other'));
      assert.equal(await seen(), 0);
    });
  }

  it('of which it minds what is declared is not woken by statuses', async (t) => {
    const ways: readonly Dependency[] = [
      { ...keyed('other'), aspect: 'declared' },
      { kind: 'Widget', namespace: 'default', aspect: 'declared' },
    ];
    for (const dependsOn of ways) {
      const reconciler = widgets((object) => ({
        ...reportSize(object),
        ...(object.metadata.name === 'follower' && { dependsOn: [dependsOn] }),
      }));
      const { store, loop } = startWorld(t, [reconciler]);
      const runsAfter = async (change: () => Promise<unknown>) => {
        await loop.idle();
        const before = reconciler.runs.filter((name) => name === 'follower').length;
        await change();
        await loop.idle();
        return reconciler.runs.filter((name) => name === 'follower').length - before;
      };
      const relabel = (labels: Record<string, string>) =>
        edit(store, keyed('other'), (found) => altered(found, { labels }));
      await store.create(widget('follower'));
      await loop.idle();
      await store.create(widget('other'));
      const restate = async () => {
        const other = await store.get(keyed('other'));
        assert.ok(other);
        await store.updateStatus({ ...other, status: { ...other.status, size: 77 } as object });
      };

      assert.equal(await runsAfter(restate), 0);
      assert.equal(await runsAfter(() => resize(store, 'other', 4)), 1);
      assert.equal(await runsAfter(() => relabel({ a: 'b' })), 1);
      assert.equal(await runsAfter(() => annotate(store, 'other', { a: 'b' })), 1);
      assert.equal(await runsAfter(() => store.delete(keyed('other'))), 1);
    }
  });

  it('by label is woken by those that have it, and by one that loses it, and by no others', async (t) => {
    const labels = { app: 'x', tier: 'y' };
    const reconciler = widgets((object) => ({
      ...reportSize(object),
      dependsOn: [{ kind: 'Widget', namespace: 'default', labels }],
    }));
    const { store, loop } = startWorld(t, [reconciler]);
    await store.create(widget('follower'));
    const one = await store.create(widget('one', { size: 1 }, { labels }));
    await store.create(widget('other', { size: 1 }, { labels: { app: 'z' } }));
    const runsAfter = async (change: Promise<unknown>) => {
      await loop.idle();
      const before = reconciler.runs.filter((name) => name === 'follower').length;
      await change;
      await loop.idle();
      return reconciler.runs.filter((name) => name === 'follower').length - before;
    };

    assert.equal(await runsAfter(resize(store, 'other', 2)), 0);
    assert.ok((await runsAfter(resize(store, 'one', 2))) > 0);
    const loses = edit(store, keyed('one'), (object) => altered(object, { labels: {} }));
    assert.ok((await runsAfter(loses)) > 0);
    assert.equal(one.metadata.name, 'one');
  });

  it('is not woken by what it depends on no more', async (t) => {
    let dependsOn: Dependency[] = [keyed('other')];
    const reconciler = widgets((object) => ({ ...reportSize(object), dependsOn }));
    const { store, loop } = startWorld(t, [reconciler]);
    await store.create(widget('follower'));
    await loop.idle();
    dependsOn = [];
    await store.create(widget('other'));
    await loop.idle();
    const before = reconciler.runs.filter((name) => name === 'follower').length;

    await resize(store, 'other', 2);
    await loop.idle();

    assert.equal(reconciler.runs.filter((name) => name === 'follower').length, before);
  });

  it('misses no change that happens while it is being run for the first time', async (t) => {
    const { promise: read, resolve: hasRead } = Promise.withResolvers<void>();
    const { promise: changed, resolve: goOn } = Promise.withResolvers<void>();
    const reconciler = widgets(async (object, context) => {
      if (object.metadata.name !== 'follower') return reportSize(object);
      const size = ownSize(await context.store.get(keyed('other')));
      hasRead();
      await changed;
      return { status: { size }, message: 'm', dependsOn: [keyed('other')] };
    });
    const world = startWorld(t, [reconciler]);
    await world.store.create(widget('other', { size: 1 }));
    await world.loop.idle();
    await world.store.create(widget('follower', { size: 0 }));
    await read;
    await resize(world.store, 'other', 2);
    await turns();

    goOn();
    await world.loop.idle();

    assert.equal(Object(await world.read('follower')).status.size, 2);
  });

  it('is woken by kinds that have no reconciler', async (t) => {
    const fossil = { ...keyed('old'), kind: 'Fossil' };
    const reconciler = widgets(async (object, { store }) => {
      const size = (await store.get(fossil)) ? 1 : 0;
      return { status: { size }, message: `${object.metadata.name} m`, dependsOn: [fossil] };
    });
    const { store, loop, read } = startWorld(t, [reconciler]);
    await store.create(widget('one'));
    await loop.idle();

    await store.create({ ...widget('old', { age: 1 }), kind: 'Fossil' });
    await loop.idle();

    assert.equal(Object(await read('one')).status.size, 1);
  });

  it('is never slowed down by what people declare that it depends on', async (t) => {
    const world: { poke?: () => void } = {};
    const reconciler = widgets(async ({ metadata }, { store, poke }) => {
      world.poke = poke;
      const { items } = await store.list('Fossil', { namespace: metadata.namespace });
      const dependsOn = [{ kind: 'Fossil', namespace: metadata.namespace }];
      return { status: { size: items.length }, message: 'm', dependsOn };
    });
    const { store, loop, read } = startWorld(t, [reconciler]);
    await store.create(widget('home'));
    await loop.idle();

    for (let count = 1; count <= 100; count += 1) {
      await store.create({ ...widget(`fossil-${count}`, { age: 1 }), kind: 'Fossil' });
      await loop.idle();
      assert.equal(Object(await read('home')).status.size, count);
      world.poke?.(); // work that ends in the background
      await loop.idle();
    }
  });

  it('and on whom it depends in turn are slowed down when they never end', async (t) => {
    const other: Record<string, string> = { a: 'b', b: 'a' };
    let size = 0;
    const reconciler = widgets(({ metadata }) => {
      const dependsOn = [keyed(other[metadata.name] ?? '')];
      return { status: { size: (size += 1) }, message: 'm', dependsOn };
    });
    const { store, loop, clock } = startWorld(t, [reconciler]);
    await store.create(widget('a'));
    await store.create(widget('b'));
    await loop.idle();
    const burst = reconciler.runs.length;

    for (let second = 0; second < 60; second += 1) await clock.pass(1000);
    await loop.idle();

    const minute = reconciler.runs.length - burst;
    assert.ok(burst <= 140, `${burst} at first`);
    assert.ok(minute >= 30 && minute <= 140, `${minute} in a minute`);
    const events = await store.events(keyed('a'));
    assert.ok(events.some(({ reason }) => reason === 'ExcessiveReconciles'));
  });
});

describe('deletion', () => {
  it('waits for the reconciler to clean up, which was promised before the first effect', async (t) => {
    const finalizersSeen: unknown[] = [];
    const cleaned: string[] = [];
    const reconciler = widgets(
      (object) => {
        finalizersSeen.push(object.metadata.finalizers);
        return reportSize(object);
      },
      async (object) => void cleaned.push(object.metadata.name),
    );
    const { store, loop } = startWorld(t, [reconciler]);
    await store.create(widget('one'));
    await loop.idle();
    assert.deepEqual(store.writes, ['update one', 'updateStatus one']);

    await store.delete(keyed('one'));
    await loop.idle();

    assert.deepEqual(finalizersSeen, [[finalizer]]);
    assert.deepEqual(cleaned, ['one']);
    assert.equal(await store.get(keyed('one')), undefined);
  });

  it('says why it waits, and goes on when that is over', async (t) => {
    let isInUse = true;
    const reconciler = widgets(
      (object) => ({ ...reportSize(object), dependsOn: [keyed('user')] }),
      async () => {
        if (isInUse) fail('SnapshotInUse');
      },
    );
    const { store, loop, ready } = startWorld(t, [reconciler]);
    await store.create(widget('one'));
    await loop.idle();
    await store.delete(keyed('one'));
    await loop.idle();
    assert.equal(await ready('one'), 'False SnapshotInUse');

    isInUse = false;
    await store.create(widget('user'));
    await loop.idle();

    assert.equal(await store.get(keyed('one')), undefined);
  });

  it('goes on when what keeps it is over, also after a restart', async (t) => {
    let isInUse = true;
    const reconciler = {
      ...widgets(reportSize, async () => {
        if (isInUse) fail('SnapshotInUse');
      }),
      keptBy: () => [keyed('user')],
    };
    const world = startWorld(t, [reconciler]);
    await world.store.create(widget('one'));
    await world.loop.idle();
    await world.store.delete(keyed('one'));
    await world.loop.idle();
    await world.loop.stop(0);
    const loop = world.restart();
    await loop.idle();

    isInUse = false;
    await world.store.create(widget('user'));
    await loop.idle();

    assert.equal(await world.store.get(keyed('one')), undefined);
  });

  it('is looked at again after a restart, when nobody knows what it waits for', async (t) => {
    let isInUse = true;
    const reconciler = widgets(reportSize, async () => {
      if (isInUse) fail('SnapshotInUse');
    });
    const world = startWorld(t, [reconciler]);
    await world.store.create(widget('one'));
    await world.loop.idle();
    await world.store.delete(keyed('one'));
    await world.loop.idle();
    await world.loop.stop(0);
    const loop = world.restart();
    await loop.idle();

    isInUse = false;
    await world.clock.pass(60_000);
    await loop.idle();

    assert.equal(await world.store.get(keyed('one')), undefined);
  });

  it('takes its finalizer away when there is nothing to clean up any more', async (t) => {
    const { store, loop } = startWorld(t, [widgets()]);
    const one = await store.create(widget('one'));
    await store.update({ ...one, metadata: { ...one.metadata, finalizers: [finalizer] } });

    await store.delete(keyed('one'));
    await loop.idle();

    assert.equal(await store.get(keyed('one')), undefined);
  });

  it('waits only for what somebody holds, from before a status says so', async (t) => {
    const held: string[] = [];
    const reconciler = {
      ...widgets(
        (object) => ({
          ...reportSize(object),
          ...(object.metadata.name === 'holder' ? { holds: [keyed('held')] } : {}),
        }),
        async (object) => {
          held.push(object.metadata.name);
          fail('SnapshotInUse');
        },
      ),
      isHeldByOthers: true as const,
    };
    const { store, loop, read } = startWorld(t, [reconciler]);
    await store.create(widget('held'));
    await store.create(widget('free'));
    await loop.idle();
    assert.equal((await read('held')).metadata.finalizers, undefined);
    store.writes.length = 0;

    await store.create(widget('holder'));
    await loop.idle();

    assert.deepEqual(store.writes.slice(0, 2), ['update held', 'updateStatus holder']);
    await store.delete(keyed('free'));
    await store.delete(keyed('held'));
    await loop.idle();
    assert.equal(await store.get(keyed('free')), undefined);
    assert.ok(await store.get(keyed('held')));
    assert.deepEqual(held, ['held']);
  });

  it('of what is about to be held comes first: nothing refers to it then', async (t) => {
    let isGoing = false;
    const holder = widgets((object) => ({
      ...reportSize(object),
      ...(object.metadata.name === 'holder' && !isGoing ? { holds: [keyed('gone')] } : {}),
    }));
    const { store, loop, clock, ready } = startWorld(t, [holder]);

    await store.create(widget('holder'));
    await clock.pass(1000);

    assert.match(await ready('holder'), /stale/);
    isGoing = true;
    await clock.pass(120_000);
    await loop.idle();
    assert.equal(await ready('holder'), 'True Succeeded');
  });

  it('leaves the finalizers of others alone', async (t) => {
    const { store, loop, read } = startWorld(t, [widgets(reportSize, async () => {})]);
    const one = await store.create(widget('one'));
    await store.update({ ...one, metadata: { ...one.metadata, finalizers: ['x.org/mine'] } });
    await loop.idle();

    await store.delete(keyed('one'));
    await loop.idle();

    assert.deepEqual((await read('one')).metadata.finalizers, ['x.org/mine']);
  });
});

describe('events', () => {
  it('tell of what happened, and of Ready when it changes', async (t) => {
    let report: WidgetReport = { status: {}, message: 'fine' };
    const { store, loop } = startWorld(t, [widgets(() => report)]);
    await store.create(widget('one'));
    await loop.idle();
    report = { status: {}, message: 'still fine' };
    loop.poke(keyed('one'));
    await loop.idle();
    const failure = new CairnError('SignatureInvalid', 'not signed: https://u:pw@host');
    const happened = {
      type: 'Normal',
      reason: 'Fetched',
      message: 'from https://u:pw@host',
    } as const;
    report = { status: {}, message: '', failure, events: [happened] };
    loop.poke(keyed('one'));
    await loop.idle();

    const events = await store.events(keyed('one'));
    assert.deepEqual(
      events.map(({ type, reason, message, count }) => [type, reason, message, count]),
      [
        ['Normal', 'Succeeded', 'fine', 1],
        ['Normal', 'Fetched', 'from https://***@host', 1],
        ['Warning', 'SignatureInvalid', 'not signed: https://***@host', 1],
      ],
    );
  });

  it('hold up no run, and are stored when there is time', async (t) => {
    const { promise: held, resolve: goOn } = Promise.withResolvers<void>();
    const { store, loop, ready } = startWorld(t, [widgets()]);
    store.before.record = () => held;
    for (const name of ['one', 'two', 'three']) await store.create(widget(name));
    const areReady = async () =>
      (await Promise.all(['one', 'two', 'three'].map(ready))).every(
        (told) => told === 'True Succeeded',
      );
    while (!(await areReady())) await turns();

    goOn();
    await loop.idle();

    assert.equal((await store.events(keyed('three'))).length, 1);
  });

  it('that cannot be stored fail nothing', async (t) => {
    const { store, loop, ready } = startWorld(t, [widgets()]);
    store.before.record = () => {
      throw new Error('full');
    };
    await store.create(widget('one'));

    await loop.idle();

    assert.equal(await ready('one'), 'True Succeeded');
  });
});

describe('stopping', () => {
  it('aborts what runs, and writes nothing about it', async (t) => {
    let signal: AbortSignal | undefined;
    const reconciler = widgets(
      (_, context: RunContext) =>
        new Promise((_resolve, reject) => {
          signal = context.signal;
          signal.addEventListener('abort', () => reject(new Error('aborted')));
        }),
    );
    const { store, loop, read, lines } = startWorld(t, [reconciler]);
    await store.create(widget('one'));
    await turns();

    assert.deepEqual(await loop.stop(1000), []);

    assert.equal(signal?.aborted, true);
    assert.deepEqual((await read('one')).status, { observedGeneration: -1 });
    assert.deepEqual(store.writes, []);
    assert.deepEqual(
      lines.filter(({ level }) => level !== 'debug'),
      [],
    );
  });

  it('waits for events for a second: another replica may be about to lead', async (t) => {
    const { promise: held, resolve: goOn } = Promise.withResolvers<void>();
    const { store, loop, ready, clock } = startWorld(t, [widgets()]);
    store.before.record = () => held;
    await store.create(widget('one'));
    while ((await ready('one')) !== 'True Succeeded') await turns();

    let isStopped = false;
    const stopped = loop.stop(10_000).then(() => (isStopped = true));
    await turns();
    await clock.pass(999);
    assert.equal(isStopped, false);
    await clock.pass(1);
    await stopped;
    goOn();
  });

  it('and starting again takes up what was left', async (t) => {
    const world = startWorld(t, [widgets()]);
    await world.store.create(widget('one', { size: 1 }));
    await world.loop.idle();
    await world.loop.stop(0);
    await resize(world.store, 'one', 2);
    await world.store.create(widget('two'));

    await world.restart().idle();

    assert.deepEqual(
      [await world.ready('one'), await world.ready('two')],
      ['True Succeeded', 'True Succeeded'],
    );
  });
});

describe('a store that cannot be followed', () => {
  it('is listed again, and nothing is missed', async (t) => {
    const reconciler = widgets();
    const { store, loop, clock, ready } = startWorld(t, [reconciler]);
    await store.create(widget('stays', { size: 1 }));
    await store.create(widget('goes'));
    await loop.idle();
    let failures = 3;
    store.before.watch = () => {
      failures -= 1;
      if (failures === 1) throw new StoreError('Expired', 'too old');
      if (failures >= 0) throw new Error('connection reset');
    };

    await resize(store, 'stays', 2);
    await store.delete(keyed('goes'));
    await store.create(widget('comes'));
    for (let second = 0; second < 30; second += 1) await clock.pass(1000);
    await loop.idle();

    assert.equal(await ready('stays'), 'True Succeeded');
    assert.equal(await ready('comes'), 'True Succeeded');
    assert.ok(loop.health().every(({ state }) => state === 'good'));
  });

  it('is followed across a history that is too short', async (t) => {
    const history = { changes: 10, bytes: 1e6 };
    const { store, loop, clock } = startWorld(t, [widgets()], { storeOptions: { history } });
    await loop.synced;
    for (let count = 0; count < 300; count += 1) await store.create(widget(`w${count}`));

    for (let second = 0; second < 30; second += 1) await clock.pass(1000);
    await loop.idle();

    const { items } = await store.list('Widget');
    assert.equal(items.filter(({ status }) => status.observedGeneration === 1).length, 300);
  });
});

describe('the health of the loop', () => {
  it('is bad when a run does not end, or the store cannot be followed', async (t) => {
    const reconciler = widgets(() => new Promise(() => {}));
    const { store, loop, clock } = startWorld(t, [reconciler], { workers: 1 });
    await store.create(widget('one'));
    await turns();
    assert.ok(loop.health().every(({ state }) => state === 'good'));

    store.before.list = () => {
      throw new Error('down');
    };
    store.before.watch = store.before.list;
    await store.create(widget('two'));
    await clock.pass(7 * 60_000);

    const bad = loop.health().filter(({ state }) => state === 'bad');
    const told = new Map(bad.map(({ name, message }) => [name, message]));
    assert.match(told.get('workers') ?? '', /Widget\/default\/one has been running for 7 minutes/);
    assert.match(told.get('informers') ?? '', /Widget can't be followed for \d minutes/);
  });

  it('is good while runs are broken off in time, and says so of each', async (t) => {
    const metrics = createMetrics();
    const reconciler = widgets(async (_, { signal }) => {
      const { promise, reject } = Promise.withResolvers<never>();
      signal.addEventListener('abort', () => reject(new Error('stopped')));
      return promise;
    });
    const options = { runTimeoutMs: 10_000, metrics };
    const { store, loop, clock, ready } = startWorld(t, [reconciler], options);
    await store.create(widget('one'));

    await clock.pass(11_000);
    assert.equal(await ready('one'), 'False RunTimeout');
    await clock.pass(60_000);

    assert.ok(loop.health().every(({ state }) => state === 'good'));
    const text = await metrics.registry.metrics();
    assert.match(text, /reconcile_timeouts_total\{controller="Widget"\} [2-9]/);
  });

  it('takes what a run has found, however long that took', async (t) => {
    const reconciler = widgets(async (object) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      clock.after(20_000, resolve);
      await promise;
      return reportSize(object);
    });
    const { store, clock, ready } = startWorld(t, [reconciler], { runTimeoutMs: 10_000 });
    await store.create(widget('one'));

    await clock.pass(21_000);

    assert.equal(await ready('one'), 'True Succeeded');
  });
});

describe('many objects', () => {
  it('do not keep an edit waiting', async (t) => {
    const order: string[] = [];
    const reconciler = widgets(async (object) => {
      order.push(object.metadata.name);
      await turns();
      return reportSize(object);
    });
    const world = startWorld(t, [reconciler], { workers: 2 });
    for (let count = 0; count < 200; count += 1) await world.store.create(widget(`w${count}`));
    await world.loop.idle();
    await world.loop.stop(0);
    order.length = 0;
    const loop = world.restart();
    await loop.synced;

    await resize(world.store, 'w150', 9);
    await loop.idle();

    assert.ok(order.indexOf('w150') < 20, `came at ${order.indexOf('w150')}`);
    assert.ok(order.length >= 200);
  });

  it('are told what they wait for when others have had their turn, but at once if edited', async (t) => {
    let isOpen = false;
    const reconciler = widgets((object) => {
      const failure = new CairnError('DependencyNotReady', 'not yet');
      return isOpen ? reportSize(object) : { ...reportSize(object), failure };
    });
    const world = startWorld(t, [reconciler], { workers: 2 });
    await world.loop.stop(0);
    for (let count = 0; count < 300; count += 1) await world.store.create(widget(`w${count}`));
    const loop = world.restart();
    await loop.idle();
    const names = Array.from({ length: 300 }, (_, count) => `w${count}`);
    const timesTold = (name: string) =>
      world.store.writes.filter((write) => write === `updateStatus ${name}`).length;
    const [edited = '', left = '', ...others] = names.filter((name) => timesTold(name) === 0);
    assert.ok(others.length > 100 && others.length < 290, `${others.length} are not told`);

    await resize(world.store, edited, 9);
    await loop.idle();
    assert.equal(await world.ready(edited), 'False DependencyNotReady');

    isOpen = true;
    await world.clock.pass(10_000);
    await loop.idle();
    assert.equal(await world.ready(left), 'True Succeeded');
    assert.equal(timesTold(left), 1);
  });

  it('all end as they were last declared, whatever happens in between', async (t) => {
    const step = fc.tuple(
      fc.constantFrom('create', 'resize', 'delete', 'poke', 'wait'),
      fc.nat(3),
      fc.nat(5),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const effects = new Set<string>();
        const reconciler = widgets(
          async (object: Widget) => {
            effects.add(object.metadata.name);
            await turns();
            return reportSize(object);
          },
          async (object) => void effects.delete(object.metadata.name),
        );
        const { store, loop } = startWorld(t, [reconciler]);
        for (const [what, which, size] of steps) {
          const name = `w${which}`;
          const object = await store.get(keyed(name));
          if (what === 'create' && !object) await store.create(widget(name, { size }));
          if (what === 'resize' && object) await resize(store, name, size).catch(onlyIfGone);
          if (what === 'delete' && object) await store.delete(keyed(name));
          if (what === 'poke') loop.poke(keyed(name));
          if (what === 'wait') await loop.idle();
        }
        await loop.idle();

        const { items } = await store.list('Widget');
        for (const { metadata, spec, status } of items) {
          assert.equal(metadata.deletionTimestamp, undefined);
          assert.equal(Object(status).size, Object(spec).size);
          assert.equal(status.observedGeneration, metadata.generation);
        }
        assert.deepEqual([...effects].sort(), items.map(({ metadata }) => metadata.name).sort());
      }),
      { numRuns: 25 },
    );
  });
});

function ownSize(object: KubeObject | undefined): number {
  return object && object.metadata.name !== 'follower' ? Number(Object(object.spec).size) : 0;
}

function onlyIfGone(error: unknown): void {
  if (!(error instanceof StoreError && error.reason === 'NotFound')) throw error;
}

function withLabels(object: KubeObject, labels: Record<string, string>): KubeObject {
  return { ...object, metadata: { ...object.metadata, labels } };
}

function fail(reason: CairnError['reason']): never {
  throw new CairnError(reason, `it is ${reason}`);
}
