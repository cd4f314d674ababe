import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Repository } from '../../../crds/repository.ts';
import { Trees } from '../../../depot/tree-reader.ts';
import { offers } from '../../../reconcilers/repository/offers.ts';
import { ProvidedNames } from '../../../reconcilers/repository/provided.ts';
import type { Scope } from '../../world/temp.ts';
import { deb, repositoryWorld, specOf, type RepositoryWorld } from './repository-world.ts';

describe('a repository', () => {
  it('says whether a suite has one of some packages for an architecture', async (t) => {
    const fields = {
      suites: ['stable', 'next'].map((name) => ({ name, components: ['main', 'extra'] })),
    };
    const world = await repositoryWorld(t, fields);
    const has = asking(t, world, fields);

    assert.equal(await has('stable', ['libfoo-dev']), false);
    const told = await world.publish(deb({ name: 'libfoo-dev', version: '1.0' }), {
      ...{ suite: 'next', component: 'extra' },
    });
    assert.equal(told.result, 'Published', JSON.stringify(told));
    const relation = 'missing [amd64] | libfoo-dev:any (>= 9) <!nocheck>';
    assert.equal(await has('next', ['missing', relation]), true);
    assert.equal(await has('next', ['libfoo']), false);
    assert.equal(await has('next', []), false);
    assert.equal(await has('stable', ['libfoo-dev']), false);
    assert.equal(await has('next', ['libfoo-dev'], 'arm64'), false);
  });

  it('has what its packages provide, too, in the versions that they say', async (t) => {
    const world = await repositoryWorld(t);
    const has = asking(t, world, {});
    const provides = (list: string, version: string) =>
      world.publish(deb({ name: 'libfoo3-dev', version, fields: { Provides: list } }));

    await provides('libfoo-dev (= 3.1), foo-api,\n  mail-transport-agent', '3.1');
    const answers = [
      ...[['libfoo-dev', true] as const, ['foo-api', true] as const],
      ...[['mail-transport-agent | exim4', true] as const, ['libfoo', false] as const],
      ...[['libfoo-dev (>= 3)', true] as const, ['libfoo-dev (>> 3.1)', false] as const],
      ...[['libfoo-dev (<< 3.1)', false] as const, ['libfoo-dev (<= 3.1)', true] as const],
      ...[['libfoo-dev:any (= 3.1)', true] as const, ['libfoo-dev (= 3)', false] as const],
      ...[['foo-api (>= 0)', false] as const, ['a', false] as const],
    ];
    for (const [relation, expected] of answers) {
      assert.equal(await has('stable', [relation]), expected, relation);
    }
    await provides('libfoo-dev (= 3.2)', '3.2');
    assert.equal(await has('stable', ['libfoo-dev (>= 3.2)']), true);
    assert.equal(await has('stable', ['libfoo-dev'], 'arm64'), false);
  });

  it('keeps what packages provide within bounds, and is right about them nevertheless', async (t) => {
    const world = await repositoryWorld(t);
    const has = asking(t, world, {}, new ProvidedNames(15));
    const list = Array.from({ length: 20 }, (_, at) => `name-${at}`).join(', ');
    await world.publish(deb({ name: 'many', version: '1', fields: { Provides: list } }));

    for (const name of ['name-19', 'name-0', 'name-19']) {
      assert.equal(await has('stable', [name]), true, name);
    }
  });
});

/** Asks what there is by now. */
function asking(
  t: Scope,
  world: RepositoryWorld,
  fields: object,
  provided: ProvidedNames = new ProvidedNames(),
) {
  const { blobs } = world;
  const trees = new Trees(blobs);
  t.after(() => trees.close());
  return (suite: string, relations: readonly string[], architecture = 'amd64') => {
    const { state } = world;
    const repository = { spec: specOf(fields), status: { ...(state && { state }) } };
    const wanted = { suite, architecture, relations };
    return offers(repository as Repository, wanted, { blobs, trees, provided });
  };
}
