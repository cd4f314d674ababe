import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Repository } from '../../../crds/repository.ts';
import { ownSuite } from '../../../reconcilers/archives/own-suite.ts';
import { specOf } from '../repository/repository-world.ts';

const spec = specOf({ suites: [{ name: 'stable' }, { name: 'testing', codename: 'next' }] });
const repository = { spec } as Repository; // as much of it as is looked at

/** What is asked of the Repository, and the suite that is installed from if it has that. */
async function asked(suite: string | undefined, relations: readonly string[]) {
  const told: unknown[] = [];
  const source = {
    repositoryRef: { name: 'tools', ...(suite === undefined ? {} : { suite }) },
    build: { architecture: 'amd64' },
  } as Parameters<typeof ownSuite>[0];
  const own = await ownSuite(source, relations, repository, async (_, wanted) => {
    told.push(wanted);
    return true;
  });
  return { own, told };
}

it('a build installs from the suite that it is published into, by its name or its codename', async () => {
  for (const [suite, name] of [
    [undefined, 'stable'],
    ['stable', 'stable'],
    ['testing', 'testing'],
    ['next', 'testing'],
  ] as const) {
    const relations = ['libfoo-dev (>= 1) [amd64] | libbar-dev', 'make'];
    const { own, told } = await asked(suite, relations);
    assert.equal(own, name);
    assert.deepEqual(told, [{ suite: name, architecture: 'amd64', relations }]);
  }
});
