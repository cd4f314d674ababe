import assert from 'node:assert/strict';
import { mkdirSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { Environment } from '../../crds/environment.ts';
import type { Mirror } from '../../crds/mirror.ts';
import { conditionOf, isReady } from '../../crds/object.ts';
import type { Cairn } from '../world/cairn.ts';
import { mustRun, run } from '../world/process.ts';
import { checkedBlobs, unfinished } from './depot-files.ts';
import {
  environment,
  eventually,
  good,
  mirror,
  mirrorSet,
  objectOf,
  product,
  snapshot,
  until,
} from './product.ts';

/** A world whose depot is a file system of its own, of two megabytes. */
async function smallDepot(t: TestContext) {
  let depot = '';
  // Hooks run in order: the file system must be gone before the folder below it is removed.
  t.after(async () => {
    if (depot !== '') await run('umount', ['--lazy', depot]);
  });
  const world = await product(t);
  const folder = join(world.data, 'depot');
  mkdirSync(folder, { recursive: true });
  await mustRun('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'cairn-test', folder]);
  depot = folder;
  return {
    world,
    free: () => statfsSync(folder).bavail * statfsSync(folder).bsize,
    grow: () => mustRun('mount', ['-o', 'remount,size=32m', folder]),
  };
}

async function mirrorOf(cairn: Cairn): Promise<Mirror | undefined> {
  return objectOf<Mirror>(cairn, 'mirrors', 'demo');
}

async function isFull(cairn: Cairn): Promise<boolean> {
  const found = await mirrorOf(cairn);
  const ready = found && conditionOf(found, 'Ready');
  return ready?.status === 'False' && ready.reason === 'DepotFull';
}

test('a full depot is said to be full, harms nothing, and heals when there is space', async (t) => {
  const { world, grow } = await smallDepot(t);
  const { archive } = world;
  archive.add({ name: 'hello', version: '1.0' });
  await archive.publish();
  world.write('mirror.yaml', mirror(world, { interval: '1s' }));
  world.write('set.yaml', mirrorSet);
  world.write('base-1.yaml', snapshot('base-1'));
  world.write('environment.yaml', environment('base-1'));
  const cairn = await world.start();
  await until(cairn, 'environment/production');
  const apt = await world.apt(cairn, '/mirrors/demo');
  const before = (await mirrorOf(cairn))?.status.state?.tree;

  archive.add({ name: 'hello', version: '2.0' });
  archive.add({ name: 'large', version: '1.0', size: 5_000_000 });
  for (let index = 0; index < 20; index += 1) {
    archive.add({ name: `medium-${index}`, version: '1.0', size: 100_000 });
  }
  await archive.publish();
  await eventually(() => isFull(cairn), 'the mirror says that the depot is full');
  good(await apt.update());
  assert.equal(await apt.policy('hello'), '1.0');
  good(await apt.download('hello'));
  checkedBlobs(world.data);
  assert.equal((await mirrorOf(cairn))?.status.state?.tree, before);
  const production = await objectOf<Environment>(cairn, 'environments', 'production');
  assert.ok(production && isReady(production));

  await grow();
  await until(cairn, 'mirror/demo');
  good(await apt.update());
  assert.equal(await apt.policy('hello'), '2.0');
  good(await apt.download('large'));
  checkedBlobs(world.data);
  assert.deepEqual(unfinished(world.data), []);
});

test('a promotion that finds the depot full keeps what is in service, and goes on later', async (t) => {
  const { world, grow, free } = await smallDepot(t);
  world.archive.add({ name: 'hello', version: '1.0' });
  await world.archive.publish();
  world.write('mirror.yaml', mirror(world));
  world.write('set.yaml', mirrorSet);
  world.write('base-1.yaml', snapshot('base-1'));
  world.write('base-2.yaml', snapshot('base-2'));
  world.write('environment.yaml', environment('base-1'));
  const cairn = await world.start();
  await until(cairn, 'environment/production', 'snapshot/base-2');
  const apt = await world.apt(cairn, '/environments/production');
  const filler = join(world.data, 'depot/filler');
  await run('dd', ['if=/dev/zero', `of=${filler}`, 'bs=4k']);
  assert.equal(free(), 0);

  world.write('environment.yaml', environment('base-2'));
  await until(cairn, 'environment/production', '--for=condition=Ready=False');
  const full = await objectOf<Environment>(cairn, 'environments', 'production');
  assert.equal(full && conditionOf(full, 'Ready')?.reason, 'DepotFull');
  assert.equal(full?.status.published?.snapshot, 'base-1');
  good(await apt.update());

  await grow();
  await until(cairn, 'environment/production');
  const healed = await objectOf<Environment>(cairn, 'environments', 'production');
  assert.equal(healed?.status.published?.snapshot, 'base-2');
  good(await apt.update());
  checkedBlobs(world.data);
});
