/** When a Build that failed is tried again: when what was in its way has changed. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { apiVersion } from '../../../crds/object.ts';
import { RepositoryKind } from '../../../crds/repository.ts';
import { GitRepository } from '../../controller/sources/git-repository.ts';
import { eventually } from '../../e2e/product.ts';
import { sourceWorld } from './source-world.ts';

const namespace = 'default';
const digest = 'a'.repeat(64);
/** Of a Repository that has published something. */
const state = {
  ...{ tree: digest, inputs: digest, keyring: digest, generation: 1, files: 1, bytes: 1 },
  ...{ packages: 1, binaryPackages: 1, sourcePackages: 0, counts: [], suites: [] },
};
const hour = 3_600_000;
const inHours = (hours: number) => new Date(Date.now() + hours * hour).toISOString();

describe('a Build that waits for a dependency', () => {
  it('is tried again when a Repository has other packages, not when it is signed once more', async (t) => {
    const world = sourceWorld(t);
    const { store } = world;
    const repository = (name: string, spec: object) =>
      store.create({ apiVersion, kind: RepositoryKind.kind, metadata: { name, namespace }, spec });
    await repository('libs', {});
    await repository('tools', { dependencies: [{ kind: 'Repository', name: 'libs' }] });
    const publish = async (date: string, changedAt: string) => {
      const libs = await store.get({ kind: RepositoryKind.kind, namespace, name: 'libs' });
      assert.ok(libs);
      const status: object = { state: { ...state, date, changedAt } };
      await store.updateStatus({ ...libs, status: { ...libs.status, ...status } });
      await world.idle();
    };
    const before = inHours(-1);
    await publish(before, before);
    const git = await GitRepository.create(t, { 'a.txt': 'one' });
    await world.apply('app', { url: `file://${git.bare}`, interval: '1h' });
    const first = await world.buildOf('app', (await git.git('rev-parse', 'HEAD')).trim());
    const told = { phase: 'Finished', result: 'DependencyWait', missing: ['libthing-dev'] };
    await world.finish(first, { ...told, finishedAt: new Date().toISOString() });
    await world.ready('app', 'BuildFailed');

    await publish(inHours(1), before);
    assert.equal((await world.builds()).length, 1);

    await publish(inHours(2), inHours(2));
    const attempts = (await world.builds()).map(({ spec }) => spec.attempt);
    assert.deepEqual(attempts.toSorted(), [1, 2]);
  });
});

describe("a Build whose packages are another Source's", () => {
  it('is tried again when that one goes, or publishes elsewhere', async (t) => {
    for (const go of ['delete', 'elsewhere'] as const) {
      const world = sourceWorld(t);
      const { store } = world;
      const metadata = { name: 'tools', namespace };
      await store.create({ apiVersion, kind: RepositoryKind.kind, metadata, spec: {} });
      const git = await GitRepository.create(t, { 'a.txt': 'one' });
      const commit = (await git.git('rev-parse', 'HEAD')).trim();
      const declared = { url: `file://${git.bare}`, interval: '1h' };
      for (const name of ['ada', 'bob']) await world.apply(name, declared);
      const first = await world.buildOf('bob', commit);
      const told = { phase: 'Finished', result: 'FailedToUpload', heldBy: 'ada' };
      await world.finish(first, { ...told, finishedAt: new Date().toISOString() });
      await world.ready('bob', 'BuildFailed');
      await world.apply('ada', { ...declared, interval: '2h' });
      await world.idle();
      const ofBob = async () =>
        (await world.builds()).filter(({ spec }) => spec.sourceRef.name === 'bob');
      assert.equal((await ofBob()).length, 1);

      const { kind, metadata: ada } = await world.read('ada');
      if (go === 'delete') await store.delete({ kind, namespace, name: ada.name });
      else await world.apply('ada', { ...declared, repositoryRef: { name: 'others' } });
      await eventually(async () => (await ofBob()).length === 2, `it is tried again: ${go}`);
      await world.idle();
      const attempts = (await ofBob()).map(({ spec }) => spec.attempt);
      assert.deepEqual(attempts.toSorted(), [1, 2]);
    }
  });
});
