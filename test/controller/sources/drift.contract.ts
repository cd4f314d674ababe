/** What config sources owe those who change declared objects by hand, whatever the store. */
import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { driftWorld, type OpenForDrift } from './drift-world.ts';
import { until } from './folder.ts';

export function driftContract(name: string, open: OpenForDrift): void {
  const setUp = (t: TestContext, spec: object = {}) => driftWorld(t, open, spec);

  const isReady = async (ready: () => Promise<{ status?: string } | undefined>) =>
    (await ready())?.status === 'True';

  describe(`${name}: drift that is corrected`, () => {
    it('is put back at once, and told to whoever looks, with field and manager', async (t) => {
      const world = await setUp(t);
      await world.write({ a: { public: false }, b: {} });
      world.start();
      await until(() => isReady(world.ready));

      await world.edit('a', { public: true, components: ['main'] });

      await until(async () => (await world.specOf('a'))['public'] === false);
      assert.deepEqual((await world.specOf('a'))['components'], ['main'], 'nobody else gives it');
      await until(async () => (await world.events('ConfigSource', 'config')).length > 0);
      const [told] = await world.events('Mirror', 'a');
      assert.match(told?.message ?? '', /^spec\.public by "kubectl-edit"; put back as the config/);
      const [both] = await world.events('ConfigSource', 'config');
      assert.equal(both?.message, 'put back Mirror a (spec.public by "kubectl-edit")');
      assert.equal((await world.ready())?.status, 'True');
      assert.equal((await world.source()).status.drift, undefined);
    });

    it('is a deleted object, too', async (t) => {
      const world = await setUp(t);
      await world.write({ a: {}, b: {} });
      world.start();
      await until(() => isReady(world.ready));
      const before = await world.mirror('a');

      await world.store.delete(world.key('Mirror', 'a'));

      await until(async () => (await world.mirror('a')) !== undefined);
      assert.notEqual((await world.mirror('a'))?.metadata.uid, before?.metadata.uid);
      await until(async () => (await world.events('Mirror', 'a')).length > 0);
      const [told] = await world.events('Mirror', 'a');
      assert.match(told?.message ?? '', /^was deleted, and is declared by the config source /);
    });

    it('is not what the manifest does not give: nothing is written then', async (t) => {
      const world = await setUp(t);
      await world.write({ a: {}, b: { public: false } });
      const { lines } = world.start();
      await until(() => isReady(world.ready));
      const labels = { team: 'x' };
      const annotations = { 'example.com/note': 'y' };

      const edited = await world.edit('a', { public: true }, { metadata: { labels, annotations } });
      // Another one that is drift: once it is put back, the first one was looked at as well.
      await world.edit('b', { public: true });
      await until(async () => (await world.specOf('b'))['public'] === false);

      assert.deepEqual(await world.mirror('a'), edited);
      assert.deepEqual(await world.events('Mirror', 'a'), []);
      assert.doesNotMatch(lines.join(''), /excessive/);
    });

    it('stays while an annotation on the object says so', async (t) => {
      const world = await setUp(t);
      await world.write({ a: { public: false }, b: { public: false }, c: {} });
      world.start();
      await until(() => isReady(world.ready));

      const annotations = { 'cairn.build/reconcile': 'disabled' };
      const edited = await world.edit('a', { public: true }, { metadata: { annotations } });
      await world.edit('b', { public: true });
      await until(async () => (await world.specOf('b'))['public'] === false);
      assert.deepEqual(await world.mirror('a'), edited);
      await rm(join(world.location, 'b.yaml'));
      await rm(join(world.location, 'a.yaml'));
      await until(async () => (await world.mirror('b')) === undefined);
      assert.deepEqual(await world.mirror('a'), edited, 'nor is it pruned');

      await world.write({ a: { public: false } });
      await world.edit('a', {}, { metadata: { annotations: {} } });
      await until(async () => (await world.specOf('a'))['public'] === false);
    });

    it('is none of a manifest that is only to be made', async (t) => {
      const world = await setUp(t);
      await world.write({ a: { public: false } }, { 'cairn.build/ssa': 'IfNotPresent' });
      await world.write({ b: { public: false } });
      world.start();
      await until(() => isReady(world.ready));

      const edited = await world.edit('a', { public: true });
      await world.edit('b', { public: true });
      await until(async () => (await world.specOf('b'))['public'] === false);

      assert.deepEqual(await world.mirror('a'), edited);
    });

    it('is left for a while when another manager changes it again and again', async (t) => {
      const world = await setUp(t);
      await world.write({ a: { public: false } });
      world.start();
      await until(() => isReady(world.ready));
      let edits = 0;
      const fight = async () => {
        if ((await world.specOf('a'))['public'] === true) return;
        await world.edit('a', { public: true }, { manager: 'other-controller' });
        edits += 1;
      };

      await until(async () => {
        await fight();
        return (await world.ready())?.reason === 'DriftContested';
      });

      assert.equal(edits, 6, 'five are put back');
      const { status, message = '' } = (await world.ready()) ?? {};
      assert.equal(status, 'False');
      assert.match(message, /^edited by two managers, \S+\/config and another one: Mirror a/);
      assert.match(message, /\(spec\.public by "other-controller"\)/);
      const { drift, conditions = [] } = (await world.source()).status;
      assert.deepEqual(drift, {
        total: 1,
        objects: [
          {
            ...world.key('Mirror', 'a'),
            change: 'Contested',
            fields: [{ path: 'spec.public', manager: 'other-controller' }],
          },
        ],
      });
      assert.equal(conditions.find(({ type }) => type === 'Drifted')?.reason, 'DriftContested');
    });
  });

  describe(`${name}: drift that is reported`, () => {
    it('stays as it is, and the source lists it', async (t) => {
      const world = await setUp(t, { drift: 'Report' });
      await world.write({ a: { public: false }, b: {}, c: {} });
      world.start();
      await until(() => isReady(world.ready));

      const edited = await world.edit('a', { public: true, suites: ['other'] });
      await world.store.delete(world.key('Mirror', 'b'));

      const total = async () => (await world.source()).status.drift?.total;
      await until(async () => (await total()) === 2);
      const { drift, conditions = [], objects } = (await world.source()).status;
      assert.deepEqual(drift?.objects, [
        {
          ...world.key('Mirror', 'a'),
          change: 'Edited',
          fields: [
            { path: 'spec.public', manager: 'kubectl-edit' },
            { path: 'spec.suites', manager: 'kubectl-edit' },
          ],
        },
        { ...world.key('Mirror', 'b'), change: 'Deleted' },
      ]);
      const drifted = conditions.find(({ type }) => type === 'Drifted');
      assert.deepEqual([drifted?.status, drifted?.reason], ['True', 'DriftReported']);
      assert.match(drifted?.message ?? '', /^Mirror a \(spec\.public by "kubectl-edit", spec\.su/);
      const { status, message = '' } = (await world.ready()) ?? {};
      assert.equal(status, 'True', 'what is declared was applied');
      assert.match(message, /; 2 are not as they are declared$/);
      assert.equal(objects, 3);
      assert.deepEqual(await world.mirror('a'), edited);
      assert.equal(await world.mirror('b'), undefined);

      await world.edit('a', { public: false, suites: ['stable'] });
      await until(async () => (await total()) === 1);
    });

    it('ends with a new version of the manifest, and with another policy', async (t) => {
      const world = await setUp(t, { drift: 'Report' });
      await world.write({ a: { public: false }, b: { public: false }, c: {} });
      world.start();
      await until(() => isReady(world.ready));
      for (const name of ['a', 'b']) await world.edit(name, { public: true });
      await world.store.delete(world.key('Mirror', 'c'));
      const total = async () => (await world.source()).status.drift?.total;
      await until(async () => (await total()) === 3);

      await world.write({ a: { public: false, interval: '2h' }, c: { interval: '2h' } });
      // The files may be read while one of them is written.
      await until(async () => (await world.specOf('a'))['interval'] === '2h');
      await until(async () => (await total()) === 1);
      const { interval, public: isPublic } = await world.specOf('a');
      assert.deepEqual([interval, isPublic], ['2h', false]);
      assert.equal((await world.specOf('c'))['interval'], '2h');
      assert.equal((await world.specOf('b'))['public'], true);

      await world.declare({ drift: 'Correct' });
      await until(async () => (await world.specOf('b'))['public'] === false);
      await until(async () => (await total()) === undefined);
      const { conditions = [] } = (await world.source()).status;
      assert.ok(!conditions.some(({ type }) => type === 'Drifted'));
    });

    it('is what was changed while Cairn was away', async (t) => {
      const world = await setUp(t, { drift: 'Report' });
      await world.write({ a: { public: false }, b: {}, c: {} });
      const first = world.start();
      await until(() => isReady(world.ready));
      await first.stop();

      await world.edit('a', { public: true });
      await world.store.delete(world.key('Mirror', 'b'));
      world.start();

      await until(async () => (await world.source()).status.drift?.total === 2);
      assert.equal((await world.specOf('a'))['public'], true);
      assert.equal(await world.mirror('b'), undefined);
    });
  });
}
