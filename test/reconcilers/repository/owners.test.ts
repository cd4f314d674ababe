/** Packages of one name, of several Sources and of people. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  deb,
  filesIn,
  repositoryWorld,
  versionsOf,
  type RepositoryWorld,
} from './repository-world.ts';
import { makeUpload } from '../../apt/source-upload.ts';

const amd64 = 'dists/stable/main/binary-amd64/Packages';

/** What a Build of a Source publishes. */
function from(source: string, more: object = {}) {
  return { sourceRef: { name: source }, ...more };
}

const hello = (version: string, more: object = {}) => deb({ name: 'hello', version, ...more });

const versions = async (world: RepositoryWorld) => versionsOf(await world.index(amd64));

describe('a package that a Source has published', () => {
  const fields = { suites: [{ name: 'stable' }, { name: 'next' }] };

  it('is no other Source’s to publish in that suite, and is its own to go on with', async (t) => {
    const world = await repositoryWorld(t, fields);
    const first = await world.publish(hello('1.0'), from('ada'));
    const other = await world.publish(hello('2.0', { source: 'bob' }), from('bob'));
    const next = await world.publish(
      hello('2.0', { source: 'bob' }),
      from('bob', { suite: 'next' }),
    );
    const second = await world.publish(hello('1.1', { source: 'renamed' }), from('ada'));

    const results = [first, other, next, second].map(({ result }) => result);
    assert.deepEqual(results, ['Published', 'Refused', 'Published', 'Published']);
    assert.deepEqual([other.reason, other.heldBy], ['PackageConflict', 'ada']);
    const told = /^package hello is Source ada's, which has published 1\.0 into suite stable: /;
    assert.match(other.message ?? '', told);
    assert.deepEqual(await versions(world), ['hello 1.0', 'hello 1.1']);
    assert.match(await world.index(amd64), /^Cairn-Source: ada$/m);
  });

  it('keeps out all of what comes with another one, also at the same time', async (t) => {
    const world = await repositoryWorld(t);
    const both = { ...deb({ name: 'bob-tools', version: '1.0' }), ...hello('2.0') };
    const results = await world.run([
      world.wish(hello('1.0', { architecture: 'all' }), from('ada')),
      world.wish(both, from('bob')),
      world.wish(deb({ name: 'bob-tools', version: '1.0' }), from('bob')),
    ]);

    assert.deepEqual(
      results.map(({ result, heldBy }) => [result, heldBy]),
      [
        ['Published', undefined],
        ['Refused', 'ada'],
        ['Published', undefined],
      ],
    );
    assert.deepEqual(await versions(world), ['bob-tools 1.0', 'hello 1.0']);
  });

  it('may be taken over from one that is named, and is the newcomer’s then', async (t) => {
    const world = await repositoryWorld(t);
    await world.publish(hello('1.0'), from('ada'));
    const taken = await world.publish(hello('2.0'), from('bob', { takesOver: ['ada'] }));
    const again = await world.publish(hello('2.1'), from('bob'));
    const back = await world.publish(hello('3.0'), from('ada'));

    const results = [taken, again, back].map(({ result, heldBy }) => [result, heldBy]);
    assert.deepEqual(results, [
      ['Published', undefined],
      ['Published', undefined],
      ['Refused', 'bob'],
    ]);
  });

  it('is one that people may publish, too, and whose it is they do not say', async (t) => {
    const world = await repositoryWorld(t);
    await world.publish(hello('1.0'), from('ada'));
    const forged = { ...hello('0.5', { fields: { 'Cairn-Source': 'bob' } }) };
    assert.equal((await world.publish(forged)).result, 'Published');
    assert.ok(!(await world.index(amd64)).includes('bob'));
    const source = await world.publish(filesIn(makeUpload()), from('ada', { suite: 'stable' }));
    assert.equal(source.result, 'Published', source.message ?? '');
    const sources = await world.index('dists/stable/main/source/Sources');
    assert.match(sources, /^Cairn-Source: ada$/m);
  });

  it('is said to be hidden as long as a higher version is somebody else’s', async (t) => {
    const world = await repositoryWorld(t, fields);
    const hidden = () =>
      world.state?.hidden?.map((one) => `${one.source} ${one.version} < ${one.by}`);
    await world.publish(hello('1.0'), from('ada'));
    await world.publish(hello('9.0'), { suite: 'next' });
    await world.publish(deb({ name: 'other', version: '9.0' }));
    assert.equal(hidden(), undefined);
    await world.publish(hello('9.0', { fields: { Description: 'mine' } }));
    assert.deepEqual(hidden(), ['ada 1.0 < 9.0']);
    await world.publish(hello('1.1'), from('ada'));
    assert.deepEqual(hidden(), ['ada 1.1 < 9.0']);
    await world.followUp();
    assert.deepEqual(hidden(), ['ada 1.1 < 9.0']);
    await world.publish({}, { suite: 'stable', remove: [{ package: 'hello', version: '9.0' }] });
    assert.equal(hidden(), undefined);
    await world.publish(hello('2.0'));
    assert.deepEqual(hidden(), ['ada 1.1 < 2.0']);
    await world.publish(hello('2.0+1'), from('ada'));
    assert.equal(hidden(), undefined);
    await world.publish(hello('1.5'));
    assert.equal(hidden(), undefined);
  });
});
