import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { applyPlan } from '../../../controller/sources/apply.ts';
import { readManifests } from '../../../controller/sources/manifests.ts';
import { allObjects } from '../../../controller/sources/paths.ts';
import { planChanges } from '../../../controller/sources/plan.ts';
import type { Store } from '../../../crds/store.ts';
import { finalizer } from '../../../crds/object.ts';
import { tempDir } from '../../world/temp.ts';
import { documentYaml, mirrorKey, mirrorYaml, openStore, told, writeFiles } from './folder.ts';

function setUp(t: TestContext) {
  const store = openStore(t);
  const inventory = store.inventory('default/test');
  /** One whole run over these files. */
  async function run(
    files: Record<string, string>,
    target: Pick<Store, 'get' | 'apply' | 'delete'> = store,
  ) {
    const root = tempDir(t);
    await writeFiles(root, files);
    const reading = await readManifests(root);
    const plan = planChanges({
      reading,
      inventory: await inventory.list(),
      objects: await allObjects(store),
    });
    return applyPlan(plan, { store: target, inventory, source: 'default/test' });
  }
  const names = async () => (await store.list('Mirror')).items.map(({ metadata }) => metadata.name);
  return { store, inventory, run, names };
}

async function folderOf(t: TestContext, files: Record<string, string>): Promise<string> {
  const root = tempDir(t);
  await writeFiles(root, files);
  return root;
}

describe('applying a plan', () => {
  it('creates, changes, leaves and prunes, and keeps book of it', async (t) => {
    const { inventory, run, names, store } = setUp(t);
    const first = await run({ 'a.yaml': mirrorYaml('a') + mirrorYaml('b') + mirrorYaml('c') });
    assert.deepEqual([first.created.length, first.configured.length, first.objects], [3, 0, 3]);

    const second = await run({ 'x.yaml': mirrorYaml('a') + mirrorYaml('b', { public: true }) });

    assert.deepEqual(second.created, []);
    assert.deepEqual(second.configured, [mirrorKey('b')]);
    assert.deepEqual(second.pruned, [mirrorKey('c')]);
    assert.deepEqual(await names(), ['a', 'b']);
    const a = await store.get(mirrorKey('a'));
    const [{ digest = '', ...entry } = {}] = await inventory.list();
    assert.deepEqual(entry, { ...mirrorKey('a'), uid: a?.metadata.uid, file: 'x.yaml' });
    assert.match(digest, /^[\w-]{16}$/);
  });

  it('writes nothing when nothing has changed', async (t) => {
    const { inventory, run, store } = setUp(t);
    await run({ 'a.yaml': mirrorYaml('a') });
    const before = await store.list('Mirror');

    const { created, configured } = await run({ 'a.yaml': mirrorYaml('a') });

    assert.deepEqual([created, configured], [[], []]);
    assert.equal((await store.list('Mirror')).resourceVersion, before.resourceVersion);
    assert.equal((await inventory.list()).length, 1);
  });

  it('puts back what was changed by hand', async (t) => {
    const { run, store } = setUp(t);
    const files = { 'a.yaml': mirrorYaml('a', { public: false }) };
    await run(files);
    const object = await store.get(mirrorKey('a'));
    assert.ok(object);
    await store.update({ ...object, spec: { ...(object.spec as object), public: true } });

    const { configured } = await run(files);

    assert.deepEqual(configured, [mirrorKey('a')]);
  });

  it('takes what it declares from whoever has changed it, and nothing else', async (t) => {
    const { run, store } = setUp(t);
    const files = { 'a.yaml': mirrorYaml('a', { interval: '1h' }) };
    await run(files);
    const edit = async (spec: object) => {
      const object = await store.get(mirrorKey('a'));
      assert.ok(object);
      await store.update(
        { ...object, spec: { ...(object.spec as object), ...spec } },
        { manager: 'me' },
      );
    };
    await edit({ interval: '2h', proxy: 'http://proxy.example:3128' });

    assert.deepEqual((await run(files)).configured, [mirrorKey('a')]);
    const spec = async () => (await store.get(mirrorKey('a')))?.spec as Record<string, unknown>;
    assert.deepEqual(
      [(await spec())['interval'], (await spec())['proxy']],
      ['1h', 'http://proxy.example:3128'],
    );
    const reading = await readManifests(await folderOf(t, files));
    const objects = await allObjects(store);
    const [same] = planChanges({ reading, inventory: [], objects }).apply;
    assert.equal(same?.outcome, 'unchanged', 'a plan does not promise what an apply leaves alone');
    const without = await readManifests(await folderOf(t, { 'a.yaml': mirrorYaml('a') }));
    const [less] = planChanges({ reading: without, inventory: [], objects }).apply;
    assert.deepEqual(
      less?.changes?.map(({ path }) => path),
      ['spec.interval'],
    );
    assert.deepEqual((await run({ 'a.yaml': mirrorYaml('a') })).configured, [mirrorKey('a')]);
    assert.equal((await spec())['interval'], undefined);
  });

  it('reports a manifest that the store refuses, and applies the others', async (t) => {
    const { run, names, store } = setUp(t);
    const snapshot = (set: string) =>
      documentYaml('Snapshot', 's', { mirrorSetRef: { name: set } });
    await run({ 'a.yaml': snapshot('one') });

    const { problems } = await run({
      'a.yaml': `# moved\n${snapshot('two')}`,
      'b.yaml': mirrorYaml('b'),
    });

    assert.match(told(problems).join(), /^a.yaml:3:1: .*Snapshot.*never changes/);
    assert.deepEqual(await names(), ['b']);
    const kept = await store.get({ kind: 'Snapshot', namespace: 'default', name: 's' });
    assert.deepEqual(kept?.spec, { mirrorSetRef: { name: 'one' } });
  });

  it('takes over an object that was made by hand, and prunes it like any other then', async (t) => {
    const { run, store, names } = setUp(t);
    const manifest = JSON.parse(mirrorYaml('a').slice(4)) as Parameters<Store['create']>[0];
    await store.create(manifest);
    await run({ 'a.yaml': mirrorYaml('a'), 'b.yaml': mirrorYaml('b') });
    await run({ 'b.yaml': mirrorYaml('b') });
    assert.deepEqual(await names(), ['b']);
  });

  it('keeps an object with finalizers in its book until it has gone', async (t) => {
    const { run, store, inventory } = setUp(t);
    await run({ 'a.yaml': mirrorYaml('a'), 'b.yaml': mirrorYaml('b') });
    const object = await store.get(mirrorKey('a'));
    assert.ok(object);
    const finalizers = [finalizer];
    await store.update({ ...object, metadata: { ...object.metadata, finalizers } });

    const { objects } = await run({ 'b.yaml': mirrorYaml('b') });
    assert.equal(objects, 2);

    const going = await store.get(mirrorKey('a'));
    assert.ok(going?.metadata.deletionTimestamp);
    await store.update({ ...going, metadata: { ...going.metadata, finalizers: [] } });
    await run({ 'b.yaml': mirrorYaml('b') });
    assert.deepEqual(
      (await inventory.list()).map(({ name }) => name),
      ['b'],
    );
  });
});

describe('a crash while applying', () => {
  it('at any call of the store leaves no object that nobody would prune', async (t) => {
    for (let calls = 0; calls < 6; calls++) {
      const { run, store, inventory, names } = setUp(t);
      let left = calls;
      const dying = (work: () => Promise<unknown>) => {
        if (left-- === 0) throw new Error('killed');
        return work();
      };
      const mortal = {
        get: (key: Parameters<Store['get']>[0]) => store.get(key),
        apply: (...args: Parameters<Store['apply']>) =>
          dying(async () => store.apply(...args)) as ReturnType<Store['apply']>,
        delete: (...args: Parameters<Store['delete']>) =>
          dying(() => store.delete(...args)) as Promise<void>,
      };
      await run({ 'a.yaml': mirrorYaml('a') });
      await run({ 'b.yaml': mirrorYaml('b') + mirrorYaml('c') + mirrorYaml('d') }, mortal).catch(
        () => undefined,
      );

      const tracked = (await inventory.list()).map(({ name }) => name);
      for (const name of await names()) assert.ok(tracked.includes(name), `${name} is lost`);

      await run({ 'e.yaml': mirrorYaml('b') + mirrorYaml('e') });
      const remaining = await names();
      assert.ok(remaining.includes('b') && remaining.includes('e'));
    }
  });

  it('between creating an object and noting its uid does not matter', async (t) => {
    const { run, store, inventory, names } = setUp(t);
    await run({ 'a.yaml': mirrorYaml('a') + mirrorYaml('b') + mirrorYaml('c') });
    // What the book holds when the run was killed right after the creation of b.
    inventory.replace(
      (await inventory.list()).map((entry) => (entry.name === 'b' ? { ...entry, uid: '' } : entry)),
    );

    await run({ 'a.yaml': mirrorYaml('a') + mirrorYaml('c') });

    assert.deepEqual(await names(), ['a', 'c']);
    assert.equal((await store.list('Mirror')).items.length, (await inventory.list()).length);
  });
});
