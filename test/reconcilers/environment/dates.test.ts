import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { clearsign, testKey } from '../../world/keys.ts';
import { releaseText } from '../mirror/debian-release.ts';
import { dateOf, environmentWorld } from './environment-world.ts';

async function withSnapshots(t: TestContext, count: number) {
  const world = await environmentWorld(t);
  const shape = { components: ['main'], architectures: ['amd64'] };
  const InRelease = await clearsign(releaseText(shape), await testKey('archive'));
  for (let index = 1; index <= count; index += 1) {
    const packages = { 'dists/bookworm/main/binary-amd64/Packages': `of base-${index}` };
    await world.snapshot(`base-${index}`, { 'dists/bookworm/InRelease': InRelease, ...packages });
  }
  return world;
}

type World = Awaited<ReturnType<typeof withSnapshots>>;

const issued = async ({ served }: World) => dateOf(await served('dists/bookworm/InRelease'));
const serving = async ({ environment }: World) => (await environment()).status.published?.snapshot;

test('Date grows with every promotion, also within one second, forwards and back', async (t) => {
  const world = await withSnapshots(t, 2);
  const dates: number[] = [];
  for (const name of ['base-1', 'base-2', 'base-1', 'base-2']) {
    await world.promote(name);
    assert.equal(await serving(world), name);
    dates.push(await issued(world));
  }

  assert.deepEqual(
    dates,
    [...new Set(dates)].sort((a, b) => a - b),
  );
  assert.ok((dates.at(-1) ?? 0) <= world.now() + 4000, 'no client takes it for the future');
});

test('more promotions than seconds have to wait, and the last one comes', async (t) => {
  const world = await withSnapshots(t, 8);
  for (let index = 1; index <= 8; index += 1) await world.promote(`base-${index}`);
  const before = await issued(world);
  assert.notEqual(await serving(world), 'base-8');
  assert.match(await world.ready(), /^False Progressing: .*need a later Date: issued in 1 s/);

  for (let seconds = 0; seconds < 10; seconds += 1) await world.pass(1000);

  assert.equal(await serving(world), 'base-8');
  assert.match(await world.ready(), /^True/);
  assert.ok((await issued(world)) > before);
  assert.ok((await issued(world)) <= world.now() + 4000);
});

for (const [what, ms] of [
  ['a minute', 60_000],
  ['two months', 60 * 86_400_000],
] as const) {
  test(`a promotion after the clock was set back by ${what} waits, and harms nothing`, async (t) => {
    const world = await withSnapshots(t, 2);
    await world.promote('base-1', { validFor: '0s' });
    const before = await issued(world);
    const inService = await world.served('dists/bookworm/InRelease');
    world.setClock(-ms);

    await world.promote('base-2', { validFor: '0s' });
    assert.equal(await serving(world), 'base-1');
    assert.equal(await world.served('dists/bookworm/InRelease'), inService);
    assert.match(await world.ready(), /^False SigningFailed: .*waiting until/);
    const { status } = await world.environment();
    assert.equal(status.history, undefined);

    world.setClock(ms);
    await world.pass(60_000);
    assert.equal(await serving(world), 'base-2');
    assert.match(await world.ready(), /^True/);
    assert.ok((await issued(world)) > before);
  });
}

test('nothing is issued anew while nothing changes', async (t) => {
  const world = await withSnapshots(t, 1);
  const before = await world.promote('base-1');

  const after = await world.pass(86_400_000);

  assert.deepEqual(after.status, before.status);
  assert.equal(after.metadata.resourceVersion, before.metadata.resourceVersion);
});

test('remembers ten promotions, the newest first', async (t) => {
  const world = await withSnapshots(t, 13);
  for (let index = 1; index <= 13; index += 1) {
    await world.promote(`base-${index}`);
    await world.pass(60_000);
  }

  const { history, previous } = (await world.environment()).status;

  assert.equal(previous, 'base-12');
  assert.deepEqual(
    history?.map(({ snapshot }) => snapshot),
    Array.from({ length: 10 }, (_, index) => `base-${12 - index}`),
  );
  for (const { from, until, trees, overlays } of history ?? []) {
    assert.ok(from < until);
    assert.deepEqual([trees.length, overlays.length], [1, 1]);
  }
});

test('a snapshot made again under the same name is another promotion', async (t) => {
  const world = await withSnapshots(t, 1);
  await world.promote('base-1');
  const [first] = (await world.environment()).status.published?.members ?? [];
  await world.snapshotGone('base-1');
  await world.pass(5000);
  assert.equal(await serving(world), 'base-1');

  const shape = { components: ['main'], architectures: ['amd64'] };
  const InRelease = await clearsign(releaseText(shape), await testKey('archive'));
  await world.snapshot('base-1', { 'dists/bookworm/InRelease': InRelease, other: 'file' });
  const { status } = await world.pass(5000);

  assert.notEqual(status.published?.members[0]?.tree, first?.tree);
  assert.equal(status.history?.length, 1);
  assert.match(await world.ready(), /^True/);
});
