import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Repository } from '../../../crds/repository.ts';
import { Trees } from '../../../depot/tree-reader.ts';
import { offers } from '../../../reconcilers/repository/offers.ts';
import { deb, repositoryWorld, specOf } from './repository-world.ts';

it('a repository says whether a suite has one of some packages for an architecture', async (t) => {
  const fields = {
    suites: ['stable', 'next'].map((name) => ({ name, components: ['main', 'extra'] })),
  };
  const world = await repositoryWorld(t, fields);
  const trees = new Trees(world.blobs);
  t.after(() => trees.close());
  const has = (suite: string, names: readonly string[], architecture = 'amd64') => {
    const { state } = world;
    const repository = { spec: specOf(fields), status: { ...(state && { state }) } };
    const wanted = { suite, architecture, names };
    return offers(repository as Repository, wanted, { blobs: world.blobs, trees });
  };

  assert.equal(await has('stable', ['libfoo-dev']), false);
  const told = await world.publish(deb({ name: 'libfoo-dev', version: '1.0' }), {
    ...{ suite: 'next', component: 'extra' },
  });
  assert.equal(told.result, 'Published', JSON.stringify(told));
  assert.equal(await has('next', ['missing', 'libfoo-dev']), true);
  assert.equal(await has('next', ['libfoo']), false);
  assert.equal(await has('next', []), false);
  assert.equal(await has('stable', ['libfoo-dev']), false);
  assert.equal(await has('next', ['libfoo-dev'], 'arm64'), false);
});
