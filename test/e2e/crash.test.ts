import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Environment } from '../../crds/environment.ts';
import type { Mirror } from '../../crds/mirror.ts';
import { isReady, type KubeObject } from '../../crds/object.ts';
import type { Cairn } from '../world/cairn.ts';
import { freePort } from '../world/port.ts';
import { checkedBlobs, storeProblems, treeFiles, unfinished } from './depot-files.ts';
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
  type Product,
} from './product.ts';

test('a refresh that is killed at any moment goes on where it was', async (t) => {
  const world = await product(t);
  world.write('mirror.yaml', mirror(world, { maxShrinkPercent: 100 }));
  for (let step = 0; step < 10; step += 1) {
    await changeHalf(world, step);
    world.upstream.fault(/\.deb$/, { delayMs: 80 });
    world.upstream.fault(/large/, { rateBytesPerSecond: 4_000_000 });
    const held = await forgetAll(world);
    const cairn = await world.start();
    await sleep(step * 170);
    await cairn.kill('SIGKILL');
    assertNothingTwice(world, held);
  }

  world.upstream.clearFaults();
  const held = await forgetAll(world);
  const cairn = await world.start();
  await until(cairn, 'mirror/demo');
  await eventually(async () => holdsUpstream(world, cairn), 'the mirror is like its upstream');

  assertNothingTwice(world, held);
  const blobs = checkedBlobs(world.data);
  assert.deepEqual(
    unfinished(world.data).filter((name) => !isOfThePast(name, blobs)),
    [],
  );
  const apt = await world.apt(cairn, '/mirrors/demo');
  good(await apt.update());
  const { file } = await apt.download('large-0');
  const upstream = join(world.archive.root, poolPath(world, 'large-0'));
  assert.deepEqual(readFileSync(file ?? ''), readFileSync(upstream));
});

/** The beginning of a file that upstream lists no more waits for the garbage collector. */
function isOfThePast(name: string, blobs: ReadonlySet<string>): boolean {
  return name.startsWith('partial/') && !blobs.has(name.slice('partial/'.length));
}

/** Sixty small packages and four large ones; each step replaces half of them. */
async function changeHalf({ archive }: Product, step: number): Promise<void> {
  for (let index = 0; index < 64; index += 1) {
    if (step > 0 && index % 2 === step % 2) continue;
    const isLarge = index >= 60;
    const name = isLarge ? `large-${index - 60}` : `package-${index}`;
    archive.remove(name);
    archive.add({ name, version: `${step}.0`, size: isLarge ? 1_500_000 : 2000 });
  }
  await archive.publish();
}

/** The blobs that are complete now, when nobody fetches anything. */
async function forgetAll({ upstream, data }: Product): Promise<ReadonlySet<string>> {
  await eventually(() => upstream.pending === 0, 'the upstream is idle');
  upstream.forgetRequests();
  return checkedBlobs(data);
}

function assertNothingTwice({ archive, upstream }: Product, held: ReadonlySet<string>): void {
  const digests = new Map(archive.packages.map(({ path, sha256 }) => [`/debian/${path}`, sha256]));
  const again = upstream.requests.filter(({ path }) => held.has(digests.get(path) ?? ''));
  assert.deepEqual(again, []);
}

async function holdsUpstream({ archive, data }: Product, cairn: Cairn): Promise<boolean> {
  const found = await objectOf<Mirror>(cairn, 'mirrors', 'demo');
  const files = treeFiles(data, found?.status.state?.tree ?? '');
  const current = readFileSync(join(archive.root, 'dists/stable/InRelease'));
  if (files.find(({ path }) => path === 'dists/stable/InRelease')?.sha256 !== sha256(current)) {
    return false;
  }
  const pool = files.filter(({ path }) => path.startsWith('pool/'));
  assert.deepEqual(pool.map(plain).sort(), archive.packages.map(plain).sort());
  for (const { path, ...file } of files) {
    assert.equal(file.sha256, sha256(readFileSync(join(archive.root, path))), path);
  }
  assert.ok(files.some(({ path }) => path === 'dists/stable/main/binary-amd64/Packages.gz'));
  return true;
}

function plain({ path, size, sha256 }: { path: string; size: number; sha256: string }): string {
  return `${size} ${sha256} ${path}`;
}

function sha256(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

function poolPath({ archive }: Product, name: string): string {
  return archive.packages.find((one) => one.name === name)?.path ?? '';
}

test('snapshots and promotions survive kill -9 at any moment, and apt notices nothing', async (t) => {
  const { world, listen, first } = await production(t);
  const apt = await world.apt(first, '/environments/production');
  good(await apt.update());
  let last = await releaseOf(world, first);
  let cairn = first;
  for (let step = 0; step <= 10; step += 1) {
    const wanted = step % 2 === 0 ? `cut-${step}` : 'base-1';
    const declare = () => {
      if (step % 2 === 0) world.write(`${wanted}.yaml`, snapshot(wanted));
      world.write('environment.yaml', environment(wanted));
    };
    // A running server notices files after a fifth of a second, a new one as soon as it starts.
    const isRunning = step % 4 < 2;
    if (!isRunning) await cairn.kill('SIGKILL');
    declare();
    if (isRunning) await sleep(180);
    else cairn = await world.start({ listen });
    await sleep(step * 15);
    await cairn.kill('SIGKILL');
    assert.deepEqual(storeProblems(world.data), []);

    cairn = await world.start({ listen });
    await serves(cairn, wanted);
    good(await apt.update());
    assert.equal(await apt.policy('hello'), '1.0');
    const release = await releaseOf(world, cairn);
    assert.ok(release.date >= last.date, 'Date went back');
    assert.ok(release.lastModified >= last.lastModified, 'Last-Modified went back');
    last = release;
  }
  checkedBlobs(world.data);
  assert.deepEqual(unfinished(world.data), []);
});

async function production(t: TestContext) {
  const world = await product(t);
  world.archive.add({ name: 'hello', version: '1.0' });
  await world.archive.publish();
  world.write('mirror.yaml', mirror(world));
  world.write('set.yaml', mirrorSet);
  world.write('base-1.yaml', snapshot('base-1'));
  world.write('environment.yaml', environment('base-1'));
  const listen = `127.0.0.1:${await freePort()}`;
  const first = await world.start({ listen });
  await serves(first, 'base-1');
  return { world, first, listen };
}

async function serves(cairn: Cairn, name: string): Promise<void> {
  await eventually(async () => {
    const found = await objectOf<Environment>(cairn, 'environments', 'production');
    return found?.status.published?.snapshot === name && isReady(found);
  }, `production serves ${name}`);
}

async function releaseOf({ mount }: Product, cairn: Cairn) {
  const url = `${cairn.url}/environments/production/${mount}/dists/stable/InRelease`;
  const response = await fetch(url);
  const date = Date.parse(/^Date: (.*)$/m.exec(await response.text())?.[1] ?? '');
  return { date, lastModified: Date.parse(response.headers.get('last-modified') ?? '') };
}

test('what was applied just before kill -9 is still pruned when its manifest goes', async (t) => {
  const { world, first } = await production(t);
  let cairn = first;
  for (const when of ['killed', 'down'] as const) {
    world.write(`${when}.yaml`, snapshot(when));
    const isThere = async () => (await found(cairn, when)) !== undefined;
    await eventually(isThere, 'it was applied', undefined, 2);
    await cairn.kill('SIGKILL');
    if (when === 'down') rmSync(join(world.config, `${when}.yaml`));
    cairn = await world.start();
    if (when === 'killed') {
      assert.ok(await found(cairn, when));
      rmSync(join(world.config, `${when}.yaml`));
    }
    await eventually(async () => (await found(cairn, when)) === undefined, 'it was pruned');
  }
  await serves(cairn, 'base-1');
});

function found(cairn: Cairn, name: string): Promise<KubeObject | undefined> {
  return objectOf<KubeObject>(cairn, 'snapshots', name);
}
