import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CairnError } from '../../../crds/reasons.ts';
import { ScriptedMirror } from './scripted-runner.ts';

const hour = 3_600_000;

/** A Mirror that holds a state, and that a refresh was asked for by hand. */
async function asked(): Promise<ScriptedMirror> {
  const world = new ScriptedMirror();
  await world.run();
  await world.succeed('a');
  await world.run('now');
  return world;
}

/** The store takes no status during this: somebody was faster, or the disk is full. */
async function unwritten<T>(world: ScriptedMirror, work: () => Promise<T>): Promise<void> {
  const before = world.mirror;
  await work();
  world.mirror = before;
}

test('what a refresh brought is not lost when its status could not be written', async () => {
  const world = await asked();
  await unwritten(world, () => world.succeed('b'));

  const again = await world.run('now');

  assert.equal(again.status.state?.tree, 'b'.repeat(64));
  assert.deepEqual(
    again.status.predecessors?.map(({ tree }) => tree),
    ['a'.repeat(64)],
  );
  assert.equal(again.handled, 'now');
  assert.equal(again.status.refreshInProgress, false);
  assert.equal(again.again?.ms, hour);
  const after = await world.run('now');
  assert.equal(after.status.state?.tree, 'b'.repeat(64));
  assert.deepEqual(after.events, []);
  assert.equal(world.calls.length, 2);
  assert.equal(world.told.length, 2, 'it is counted once');
});

test('a refresh that failed is not tried again at once because its status was not written', async () => {
  const world = await asked();
  const failure = new CairnError('UpstreamUnreachable', 'deb.example.org: no answer');
  await unwritten(world, () => world.fail(failure));

  const again = await world.run('now');

  assert.deepEqual([again.failure, again.handled], [failure, 'now']);
  assert.equal(world.calls.length, 2);
});
