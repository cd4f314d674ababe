/** What probes say of a controller that stands still, and of one that only waits. */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cairn } from '../world/cairn.ts';
import { mustRun } from '../world/process.ts';
import { eventually, mirror, mirrorSet, objectOf, product, until } from './product.ts';

/** A run may take a second, and a fifth of that more to end. */
const args = ['--run-timeout=1s'];

interface Mirrored {
  readonly status: { readonly refreshInProgress?: boolean };
}

async function probe(cairn: Cairn, path: string): Promise<string> {
  const answer = await fetch(`${cairn.url}${path}`);
  return `${answer.status} ${await answer.text()}`;
}

it('lives, and is ready, while an upstream sends a byte now and then', async (t) => {
  const world = await product(t);
  world.archive.add({ name: 'hello', version: '1.0' });
  await world.archive.publish();
  world.upstream.fault(/\.deb$/, { rateBytesPerSecond: 20 });
  world.write('mirror.yaml', mirror(world));
  const cairn = await world.start({ args });
  const isBusy = async () =>
    (await objectOf<Mirrored>(cairn, 'mirrors', 'demo'))?.status.refreshInProgress === true;
  await eventually(isBusy, 'the refresh goes on');

  const end = performance.now() + 4000;
  while (performance.now() < end) {
    assert.match(await probe(cairn, '/livez'), /^200 ok/);
    assert.match(await probe(cairn, '/readyz'), /^200 ok/);
    await sleep(100);
  }

  assert.ok(await isBusy(), 'it was over too soon to show anything');
  world.upstream.clearFaults();
});

it('does not live when a worker stands still, but is ready to serve what there is', async (t) => {
  const world = await product(t);
  world.archive.add({ name: 'hello', version: '1.0' });
  await world.archive.publish();
  world.write('mirror.yaml', mirror(world));
  world.write('set.yaml', mirrorSet);
  const cairn = await world.start({ args });
  await until(cairn, 'mirror/demo', 'mirrorset/base');
  assert.match(await probe(cairn, '/livez?verbose'), /^200 .*\[\+\]workers ok\n.*passed/s);

  // A secret on a file system that answers nothing any more: opening it never returns.
  const secret = join(world.data, 'secrets/hung');
  mkdirSync(secret, { recursive: true });
  await mustRun('mkfifo', [join(secret, 'username')]);
  const spec = { secretRef: { name: 'hung' } };
  world.write('hung.yaml', mirror(world, spec).replace('name: demo', 'name: hung'));

  await eventually(
    async () =>
      /^503 .*\[-\]workers failed: Mirror\/default\/hung has been/s.test(
        await probe(cairn, '/livez'),
      ),
    'it is noticed',
  );
  assert.match(await probe(cairn, '/healthz'), /^503/);
  assert.match(await probe(cairn, '/readyz'), /^200/);
  assert.ok((await fetch(`${cairn.url}/${world.mount}/dists/stable/InRelease`)).ok);
});
