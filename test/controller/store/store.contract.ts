import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { finalizer, type KubeObject } from '../../../crds/object.ts';
import type { ListOptions, Store, StoreError, WatchEvent } from '../../../crds/store.ts';
import { altered, fossil, keyed, widget } from './made-up.ts';

/** An open store that ends with the test. It knows the made-up kinds. */
export type OpenStore = (test: { after(close: () => void): void }) => Promise<Store>;

export interface ContractOptions {
  /**
   * Whether the store itself takes along what an object owned; true by default. On Kubernetes the
   * garbage collector of the controller manager does it, which an API server alone has not.
   */
  readonly collectsGarbage?: boolean;
}

/** What every store owes its callers. A new one is one more row. */
export function storeContract(
  name: string,
  open: OpenStore,
  { collectsGarbage = true }: ContractOptions = {},
): void {
  describe(`${name}: objects`, () => {
    it('gives a new object an identity, a generation and a status that is not ready', async (t) => {
      const store = await open(t);

      const made = await store.create(widget('one', { size: 3 }, { labels: { app: 'x' } }));

      assert.equal(made.metadata.generation, 1);
      assert.match(made.metadata.uid, /^[0-9a-f-]{36}$/);
      assert.match(made.metadata.creationTimestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
      assert.deepEqual(made.status, { observedGeneration: -1 });
      assert.deepEqual(made.spec, { size: 3, colour: 'grey' });
      assert.deepEqual(await store.get(keyed('one')), made);
    });

    it('refuses a second object of the same name', async (t) => {
      const store = await open(t);
      await store.create(widget('one'));

      await rejects(store.create(widget('one')), 'AlreadyExists', 409);
    });

    it('refuses kinds it does not know and specs that do not fit', async (t) => {
      const store = await open(t);

      await rejects(store.create({ ...widget('one'), kind: 'Gadget' }), 'Invalid', 422);
      const error = await rejects(store.create(widget('one', { size: 'big' })), 'Invalid', 422);
      assert.match(error.message, /Widget\/default\/one: spec\.size: expected an integer/);
      assert.equal(await store.get(keyed('one')), undefined);
    });

    it('hands out copies', async (t) => {
      const store = await open(t);
      const made = await store.create(widget('one', { size: 1 }, { labels: { app: 'x' } }));

      (made.spec as { size: number }).size = 7;
      made.metadata.labels = {};

      const kept = await store.get(keyed('one'));
      assert.deepEqual(
        [kept?.spec, kept?.metadata.labels],
        [{ size: 1, colour: 'grey' }, { app: 'x' }],
      );
    });

    it('lists by kind, namespace and labels, sorted, as of one resourceVersion', async (t) => {
      const store = await open(t);
      await store.create(widget('b', { size: 1 }, { labels: { app: 'x', tier: 'y' } }));
      await store.create(widget('a', { size: 1 }, { namespace: 'other' }));
      const last = await store.create(widget('a', { size: 1 }, { labels: { app: 'x' } }));
      const names = async (options = {}) =>
        (await store.list('Widget', options)).items.map(
          ({ metadata }) => `${metadata.namespace}/${metadata.name}`,
        );

      assert.deepEqual(await names(), ['default/a', 'default/b', 'other/a']);
      assert.deepEqual(await names({ namespace: 'other' }), ['other/a']);
      assert.deepEqual(await names({ labels: { app: 'x' } }), ['default/a', 'default/b']);
      assert.deepEqual(await names({ labels: { app: 'x', tier: 'y' } }), ['default/b']);
      assert.equal((await store.list('Widget')).resourceVersion, last.metadata.resourceVersion);
    });
  });

  describe(`${name}: lists`, () => {
    it('hold some by name and others by label, each once', async (t) => {
      const store = await open(t);
      for (const [one, app, namespace] of [
        ['a', 'x', 'default'],
        ['b', 'y', 'default'],
        ['c', 'x', 'default'],
        ['d', 'y', 'default'],
        ['a', 'x', 'other'],
      ] as const) {
        await store.create(widget(one, { size: 1 }, { namespace, labels: { app } }));
      }
      const names = async (options: ListOptions) =>
        (await store.list('Widget', options)).items.map(
          ({ metadata }) => `${metadata.namespace}/${metadata.name}`,
        );

      const namespace = 'default';
      assert.deepEqual(await names({ namespace, among: { names: ['d', 'b', 'd', 'gone'] } }), [
        'default/b',
        'default/d',
      ]);
      assert.deepEqual(await names({ namespace, among: { names: [] } }), []);
      const labels = { app: 'x' };
      assert.deepEqual(await names({ namespace, among: { names: ['a', 'b'], labels } }), [
        'default/a',
        'default/b',
        'default/c',
      ]);
      assert.deepEqual(await names({ among: { names: ['b'] } }), ['default/b']);
      assert.deepEqual(await names({ namespace, labels, among: { names: ['a', 'b'] } }), [
        'default/a',
      ]);
    });

    it('can be read one by one, as of when they were asked for', async (t) => {
      const store = await open(t);
      await store.create(widget('one', { size: 1 }));
      const two = await store.create(widget('two', { size: 1 }));
      const { objects, resourceVersion } = await store.scan('Widget');
      assert.equal(resourceVersion, two.metadata.resourceVersion);

      await store.update({ ...two, spec: { size: 2 } });

      assert.deepEqual(
        [...objects].map(({ metadata, spec }) => [metadata.name, Object(spec).size]),
        [
          ['one', 1],
          ['two', 1],
        ],
      );
    });
  });

  describe(`${name}: updates`, () => {
    it('raises the generation when the spec differs, and only then', async (t) => {
      const store = await open(t);
      const made = await store.create(widget('one'));

      const labelled = await store.update(altered(made, { labels: { app: 'x' } }));
      const resized = await store.update({ ...labelled, spec: { size: 2 } });

      assert.equal(labelled.metadata.generation, 1);
      assert.equal(resized.metadata.generation, 2);
      assert.deepEqual(resized.metadata.labels, { app: 'x' });
      assert.notEqual(resized.metadata.resourceVersion, labelled.metadata.resourceVersion);
    });

    it('writes nothing when nothing differs', async (t) => {
      const store = await open(t);
      const made = await store.create(widget('one', { size: 1, colour: 'red' }));
      const before = (await store.list('Widget')).resourceVersion;

      const updated = await store.update({ ...made, spec: { colour: 'red', size: 1 } });
      const restated = await store.updateStatus({ ...made, status: { observedGeneration: -1 } });

      assert.deepEqual(updated, made);
      assert.deepEqual(restated, made);
      assert.equal((await store.list('Widget')).resourceVersion, before);
    });

    it('refuses what was read before somebody else wrote', async (t) => {
      const store = await open(t);
      const made = await store.create(widget('one'));
      await store.update({ ...made, spec: { size: 2 } });

      await rejects(store.update({ ...made, spec: { size: 3 } }), 'Conflict', 409);
      await rejects(
        store.updateStatus({ ...made, status: { observedGeneration: 1 } }),
        'Conflict',
        409,
      );
    });

    it('keeps status and spec apart', async (t) => {
      const store = await open(t);
      const made = await store.create(widget('one'));

      const stated = await store.updateStatus({
        ...altered(made, { labels: { app: 'x' } }),
        spec: { size: 9 },
        status: { observedGeneration: 1 },
      });
      const updated = await store.update({ ...stated, spec: { size: 2 }, status: {} });

      assert.deepEqual(
        [stated.spec, stated.metadata.labels],
        [{ size: 1, colour: 'grey' }, undefined],
      );
      assert.equal(stated.metadata.generation, 1);
      assert.deepEqual(updated.status, { observedGeneration: 1 });
    });

    it('never changes the spec of an immutable kind', async (t) => {
      const store = await open(t);
      const made = await store.create(fossil('old', { age: 5 }));

      const error = await rejects(store.update({ ...made, spec: { age: 6 } }), 'Invalid', 422);
      await rejects(store.apply(fossil('old', { age: 6 }), 'me'), 'Invalid', 422);
      const labelled = await store.update(altered(made, { labels: { app: 'x' } }));

      assert.match(error.message, /Fossil/);
      assert.deepEqual(labelled.spec, { age: 5 });
    });

    it('refuses objects of more than 1.5 MiB', async (t) => {
      const store = await open(t);
      const made = await store.create(widget('one'));
      const text = 'x'.repeat(1.6 * 1024 * 1024);

      await rejects(store.create(widget('two', { size: 1, text })), 'Invalid', 422);
      await rejects(store.update({ ...made, spec: { size: 1, text } }), 'Invalid', 422);
      assert.deepEqual(await store.get(keyed('one')), made);
    });

    it('says when there is nothing to update', async (t) => {
      const store = await open(t);
      const made = await store.create(widget('one'));
      await store.delete(keyed('one'));

      await rejects(store.update(made), 'NotFound', 404);
      await rejects(store.updateStatus(made), 'NotFound', 404);
      await rejects(store.delete(keyed('one')), 'NotFound', 404);
    });
  });

  describe(`${name}: apply`, () => {
    it('creates, configures, and leaves unchanged what is the same', async (t) => {
      const store = await open(t);

      const first = await store.apply(widget('one', { size: 1 }), 'git');
      const second = await store.apply(widget('one', { size: 1 }), 'git');
      const third = await store.apply(widget('one', { size: 2 }), 'git');

      assert.deepEqual(
        [first.outcome, second.outcome, third.outcome],
        ['created', 'unchanged', 'configured'],
      );
      assert.deepEqual(second.object, first.object);
      assert.equal(third.object.metadata.generation, 2);
    });

    it('removes what this manager gave and gives no more, and nothing of others', async (t) => {
      const store = await open(t);
      const given = (labels: Record<string, string>) => widget('one', { size: 1 }, { labels });
      await store.apply(given({ mine: '1', both: 'x' }), 'git');
      await store.apply(given({ theirs: '1', both: 'x' }), 'cli');

      const { object, outcome } = await store.apply(given({ new: '1' }), 'git');

      assert.equal(outcome, 'configured');
      assert.deepEqual(object.metadata.labels, { theirs: '1', both: 'x', new: '1' });
    });

    it('keeps annotations and finalizers that were set by hand', async (t) => {
      const store = await open(t);
      const { object } = await store.apply(widget('one'), 'git');
      const annotations = { 'cairn.build/paused': 'true' };
      await store.update(altered(object, { annotations, finalizers: [finalizer] }));

      const applied = await store.apply(widget('one', { size: 4 }), 'git');

      assert.deepEqual(applied.object.metadata.annotations, annotations);
      assert.deepEqual(applied.object.metadata.finalizers, [finalizer]);
    });

    it('leaves a label alone that somebody else has changed and it gives no more', async (t) => {
      const store = await open(t);
      const { object } = await store.apply(
        widget('one', { size: 1 }, { labels: { tier: 'a' } }),
        'git',
      );
      await store.update(altered(object, { labels: { tier: 'b' } }));

      const applied = await store.apply(widget('one', { size: 1 }), 'git');

      assert.deepEqual(applied.object.metadata.labels, { tier: 'b' });
    });

    it('refuses a bad manifest and keeps the last good one', async (t) => {
      const store = await open(t);
      const { object } = await store.apply(widget('one', { size: 1 }), 'git');

      await rejects(store.apply(widget('one', { size: 'x' }), 'git'), 'Invalid', 422);
      assert.deepEqual(await store.get(keyed('one')), object);
    });
  });

  describe(`${name}: deletion`, () => {
    it('waits for the last finalizer', async (t) => {
      const store = await open(t);
      const made = await store.create(widget('one'));
      const held = await store.update(altered(made, { finalizers: [finalizer, 'x.org/other'] }));

      await store.delete(keyed('one'));
      await store.delete(keyed('one'));
      const dying = await read(store, 'one');
      const half = await store.update(altered(dying, { finalizers: ['x.org/other'] }));
      const isThere = (await store.get(keyed('one'))) !== undefined;
      await store.update(altered(half, { finalizers: [] }));

      assert.ok(dying.metadata.deletionTimestamp);
      assert.equal(dying.metadata.generation, held.metadata.generation + 1);
      assert.equal(isThere, true);
      assert.equal(await store.get(keyed('one')), undefined);
    });

    it('takes no new finalizer while it goes on', async (t) => {
      const store = await open(t);
      const made = await store.create(widget('one'));
      await store.update(altered(made, { finalizers: [finalizer] }));
      await store.delete(keyed('one'));
      const dying = await read(store, 'one');

      const late = altered(dying, { finalizers: [finalizer, 'x.org/late'] });

      await rejects(store.update(late), 'Invalid', 422);
    });

    it('deletes only the object that was meant', async (t) => {
      const store = await open(t);
      const first = await store.create(widget('one'));
      await store.delete(keyed('one'));
      const second = await store.create(widget('one'));

      await rejects(store.delete(keyed('one'), { uid: first.metadata.uid }), 'Conflict', 409);
      await rejects(store.update({ ...first, spec: { size: 5 } }), 'Conflict', 409);
      await store.delete(keyed('one'), { uid: second.metadata.uid });

      assert.notEqual(second.metadata.uid, first.metadata.uid);
      assert.equal(await store.get(keyed('one')), undefined);
    });
  });

  if (collectsGarbage) {
    describe(`${name}: owners`, () => {
      it('takes along what the object owned, in circles too', async (t) => {
        const store = await open(t);
        const root = await store.create(widget('root'));
        const child = await owned(store, 'child', [root]);
        const grandchild = await owned(store, 'grandchild', [child]);
        await store.update(
          altered(await read(store, 'root'), { ownerReferences: [referenceTo(grandchild)] }),
        );
        await owned(store, 'held', [root], [finalizer]);

        await store.delete(keyed('root'));

        await until(async () => (await store.list('Widget')).items.length === 1);
        assert.ok((await read(store, 'held')).metadata.deletionTimestamp);
      });

      it('leaves what it owned when it is deleted as an orphaning one', async (t) => {
        const store = await open(t);
        const root = await store.create(widget('root'));
        const other = await store.create(widget('other'));
        await owned(store, 'child', [root, other]);
        await owned(store, 'lone', [root]);

        await store.delete(keyed('root'), { orphan: true });

        assert.equal(await store.get(keyed('root')), undefined);
        assert.equal((await read(store, 'lone')).metadata.ownerReferences, undefined);
        const [left, ...more] = (await read(store, 'child')).metadata.ownerReferences ?? [];
        assert.deepEqual([left?.uid, more], [other.metadata.uid, []]);
      });

      it('keeps what has another owner', async (t) => {
        const store = await open(t);
        const one = await store.create(widget('one'));
        const two = await store.create(widget('two'));
        await owned(store, 'child', [one, two]);

        await store.delete(keyed('one'));
        await until(async () => (await store.get(keyed('one'))) === undefined);
        const isKept = (await store.get(keyed('child'))) !== undefined;
        await store.delete(keyed('two'));

        assert.equal(isKept, true);
        await until(async () => (await store.get(keyed('child'))) === undefined);
      });
    });
  }

  describe(`${name}: watch`, () => {
    it('tells every change of its kind in order, and nothing else', async (t) => {
      const store = await open(t);
      await store.create(widget('before'));
      const seen = collect(store, t);

      const one = await store.create(widget('one'));
      await store.create(fossil('old'));
      await store.update({ ...one, spec: { size: 2 } });
      await store.update({ ...(await read(store, 'one')), spec: { size: 2 } });
      await store.delete(keyed('one'));

      await until(() => seen.length >= 3);
      assert.deepEqual(
        seen.map(({ type }) => type),
        ['added', 'modified', 'deleted'],
      );
      assert.deepEqual(
        seen.map(({ object }) => object.spec),
        [
          { size: 1, colour: 'grey' },
          { size: 2, colour: 'grey' },
          { size: 2, colour: 'grey' },
        ],
      );
    });

    it('goes on from any resourceVersion', async (t) => {
      const store = await open(t);
      await store.create(widget('one'));
      const { resourceVersion } = await store.list('Widget');
      await store.create(widget('two'));
      await store.create(widget('three'));

      const seen = collect(store, t, resourceVersion);

      await until(() => seen.length >= 2);
      assert.deepEqual(
        seen.map(({ object }) => object.metadata.name),
        ['two', 'three'],
      );
    });

    it('ends when its signal aborts', async (t) => {
      const store = await open(t);
      const stop = new AbortController();
      const ended = (async () => {
        for await (const _ of store.watch('Widget', { signal: stop.signal }));
      })();

      stop.abort();

      await ended;
    });

    it('says that a version it does not know is too old', async (t) => {
      const store = await open(t);
      const { signal } = new AbortController();
      const watched = store.watch('Widget', { from: '99999999', signal });

      await rejects(watched[Symbol.asyncIterator]().next(), 'Expired', 410);
    });
  });

  describe(`${name}: events`, () => {
    it('counts the same thing and tells the oldest first', async (t) => {
      const store = await open(t);
      const event = (reason: string) =>
        ({ regarding: keyed('one'), type: 'Normal', reason, message: 'm' }) as const;

      await store.record(event('First'));
      await store.record(event('Second'));
      await store.record(event('Second'));
      await store.record({ ...event('Other'), regarding: keyed('two') });

      const events = await store.events(keyed('one'));
      assert.deepEqual(
        events.map(({ reason, count }) => [reason, count]),
        [
          ['First', 1],
          ['Second', 2],
        ],
      );
    });
  });
}

/** Everything that a watch tells from now on, or from a version. */
export function collect(
  store: Store,
  test: { after(close: () => void): void },
  from?: string,
): Exclude<WatchEvent, { type: 'bookmark' }>[] {
  const stop = new AbortController();
  const seen: Exclude<WatchEvent, { type: 'bookmark' }>[] = [];
  const options = { signal: stop.signal, ...(from !== undefined && { from }) };
  const watched = store.watch('Widget', options); // from here on, not from the first turn on
  void (async () => {
    for await (const event of watched) if (event.type !== 'bookmark') seen.push(event);
  })();
  test.after(() => stop.abort());
  return seen;
}

export async function rejects(
  call: Promise<unknown>,
  reason: StoreError['reason'],
  code: number,
): Promise<StoreError> {
  const error = await call.then(
    (): never => assert.fail(`expected ${reason}`),
    (thrown: StoreError) => thrown,
  );
  assert.deepEqual([error.reason, error.code], [reason, code], String(error.stack));
  return error;
}

/** Polls, for stores that tell and collect later than they answer. */
export async function until(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (!(await isTrue())) {
    assert.ok(Date.now() < deadline, 'waited for a minute');
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

async function read(store: Store, name: string): Promise<KubeObject> {
  const object = await store.get(keyed(name));
  assert.ok(object, `there is no ${name}`);
  return object;
}

async function owned(
  store: Store,
  name: string,
  owners: readonly KubeObject[],
  finalizers: string[] = [],
): Promise<KubeObject> {
  const made = await store.create(widget(name));
  return store.update(altered(made, { ownerReferences: owners.map(referenceTo), finalizers }));
}

function referenceTo({ apiVersion, kind, metadata: { name, uid } }: KubeObject) {
  return { apiVersion, kind, name, uid };
}
