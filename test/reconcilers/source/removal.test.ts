/** What becomes of packages when their Source is deleted. */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { BuildKind } from '../../../crds/build.ts';
import { apiVersion, finalizer } from '../../../crds/object.ts';
import { RepositoryKind } from '../../../crds/repository.ts';
import { SourceKind } from '../../../crds/source.ts';
import { UploadKind, type Upload } from '../../../crds/upload.ts';
import { GitRepository } from '../../controller/sources/git-repository.ts';
import { eventually } from '../../e2e/product.ts';
import { sourceWorld } from './source-world.ts';

const namespace = 'default';
const finishedAt = '2026-08-01T00:00:00Z';

async function world(t: TestContext) {
  const made = sourceWorld(t);
  const { store } = made;
  const git = await GitRepository.create(t, { 'a.txt': 'one' });
  const url = `file://${git.bare}`;
  const keyOf = (name: string) => ({ kind: SourceKind.kind, namespace, name });
  const declare = async (name: string, spec: object = {}) => {
    await made.apply(name, { url, interval: '1h', ...spec });
    return made.buildOf(name, (await git.git('rev-parse', 'HEAD')).trim());
  };
  return {
    ...made,
    git,
    declare,
    repository: (name: string) =>
      store.create({
        ...{ apiVersion, kind: RepositoryKind.kind, metadata: { name, namespace }, spec: {} },
      }),
    /** Declares a Source, whose Build publishes a source package. */
    async published(name: string, source: string, spec: object = {}) {
      const build = await declare(name, spec);
      const told = { phase: 'Finished', result: 'Succeeded', version: '1.0+1', finishedAt };
      await made.finish(build, { ...told, sourceName: source });
      await made.ready(name, 'Succeeded');
    },
    remove: (name: string) => store.delete(keyOf(name)),
    gone: (name: string) =>
      eventually(async () => (await store.get(keyOf(name))) === undefined, `${name} is gone`),
    async removals(): Promise<readonly Upload['spec'][]> {
      const { items } = await store.list(UploadKind.kind);
      return (items as readonly Upload[]).map(({ spec }) => spec);
    },
    buildsOf: async (name: string) =>
      (await made.builds()).filter(({ spec }) => spec.sourceRef.name === name),
  };
}

describe('a Source that is deleted', () => {
  it('leaves its packages where they are, unless it says otherwise', async (t) => {
    const { repository, published, remove, gone, removals, buildsOf, read } = await world(t);
    await repository('tools');
    await published('hello', 'hello-tools');
    const { metadata, status } = await read('hello');
    assert.deepEqual(metadata.finalizers ?? [], []);
    assert.deepEqual(status.packages, [{ repository: 'tools', source: 'hello-tools' }]);

    await remove('hello');
    await gone('hello');
    assert.deepEqual(await buildsOf('hello'), []);
    assert.deepEqual(await removals(), []);
  });

  it('has all that it ever made taken out, if it wants that', async (t) => {
    const { repository, published, remove, gone, removals, buildsOf, apply, git, ...more } =
      await world(t);
    await repository('tools');
    await repository('others');
    await published('hello', 'hello-tools', { deletionPolicy: 'Remove' });
    assert.deepEqual((await more.read('hello')).metadata.finalizers, [finalizer]);
    const url = `file://${git.bare}`;
    const commit = await git.commit({ 'a.txt': 'two' });
    const repositoryRef = { name: 'others' };
    await apply('hello', { url, interval: '1s', deletionPolicy: 'Remove', repositoryRef });
    // This one is about to publish, and nobody has noted it yet.
    const build = await more.buildOf('hello', commit);
    await more.finish(build, { phase: 'Publishing', sourceName: 'renamed' });

    await remove('hello');
    await gone('hello');
    assert.deepEqual(await buildsOf('hello'), []);
    const told = (await removals()).toSorted((a, b) =>
      a.repositoryRef.name.localeCompare(b.repositoryRef.name),
    );
    assert.deepEqual(
      told.map(({ repositoryRef, remove, ignoreMissing }) => [
        ...[repositoryRef.name, remove, ignoreMissing],
      ]),
      [
        ['others', [{ source: 'renamed' }], true],
        ['tools', [{ source: 'hello-tools' }], true],
      ],
    );
  });

  it('leaves what another Source has made as well, until that one goes', async (t) => {
    const { repository, published, remove, gone, removals } = await world(t);
    await repository('tools');
    await published('one', 'hello-tools', { deletionPolicy: 'Remove' });
    await published('two', 'hello-tools', { deletionPolicy: 'Remove' });

    await remove('one');
    await gone('one');
    assert.deepEqual(await removals(), []);
    await remove('two');
    await gone('two');
    assert.deepEqual(
      (await removals()).map((spec) => spec.remove),
      [[{ source: 'hello-tools' }]],
    );
  });

  it('waits for its Builds, and for no Repository', async (t) => {
    const { published, remove, gone, removals, store, buildsOf, ready } = await world(t);
    await published('hello', 'hello-tools', { deletionPolicy: 'Remove' });
    const [build] = await buildsOf('hello');
    assert.ok(build);
    const held = { ...build, metadata: { ...build.metadata, finalizers: ['example.com/held'] } };
    const { metadata } = await store.update(held);

    await remove('hello');
    await ready('hello', 'DependencyNotReady');
    const key = { kind: BuildKind.kind, namespace, name: metadata.name };
    const ending = await store.get(key);
    assert.ok(ending?.metadata.deletionTimestamp);
    await store.update({ ...ending, metadata: { ...ending.metadata, finalizers: [] } });
    await gone('hello');
    assert.deepEqual(await removals(), []);
  });

  it('goes at once where the policy was taken back', async (t) => {
    const { repository, published, declare, remove, gone, removals } = await world(t);
    await repository('tools');
    await published('hello', 'hello-tools', { deletionPolicy: 'Remove' });
    await declare('hello');
    await remove('hello');
    await gone('hello');
    assert.deepEqual(await removals(), []);
  });
});
