import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Finished } from '../world/process.ts';
import {
  environment,
  eventually,
  mirror,
  mirrorSet,
  product,
  refreshed,
  snapshot,
  until,
} from './product.ts';

const ready = '--for=condition=Ready';
const serves = (name: string) => `--for=jsonpath={.status.published.snapshot}=${name}`;

/** Two snapshots, base-1 with hello 1.0 and base-2 with hello 2.0; production serves base-1. */
async function twoSnapshots(t: TestContext) {
  const world = await product(t);
  world.archive.add({ name: 'hello', version: '1.0' });
  await world.archive.publish();
  world.write('mirror.yaml', mirror(world));
  world.write('set.yaml', mirrorSet);
  world.write('base-1.yaml', snapshot('base-1'));
  world.write('environment.yaml', environment('base-1'));
  const cairn = await world.start();
  await until(cairn, 'environment/production', ready);
  await sleep(1100); // ids by time count in seconds
  world.archive.add({ name: 'hello', version: '2.0' });
  await world.archive.publish();
  await refreshed(cairn);
  world.write('base-2.yaml', snapshot('base-2'));
  await until(cairn, 'snapshot/base-2', ready);
  return { world, cairn };
}

function good({ code, output }: Finished): void {
  assert.equal(code, 0, output);
  assert.doesNotMatch(output, /^[EW]:/m);
}

test('apt follows an environment forwards, and back, through one changed line', async (t) => {
  const { world, cairn } = await twoSnapshots(t);
  const apt = await world.apt(cairn, '/environments/production');
  good(await apt.update());
  assert.equal(await apt.policy('hello'), '1.0');

  for (const [name, version] of [
    ['base-2', '2.0'],
    ['base-1', '1.0'],
    ['base-2', '2.0'],
    ['base-1', '1.0'],
  ] as const) {
    world.write('environment.yaml', environment(name));
    await until(cairn, 'environment/production', serves(name));
    good(await apt.update());
    assert.equal(await apt.policy('hello'), version);
  }

  const { file } = await apt.download('hello');
  assert.deepEqual(
    readFileSync(file ?? ''),
    readFileSync(join(world.archive.root, 'pool/main/h/hello/hello_1.0_amd64.deb')),
  );
  const { stdout } = await cairn.cli('get', 'environment', 'production', '-o', 'json');
  const { status } = JSON.parse(stdout);
  assert.equal(status.previous, 'base-2');
  assert.deepEqual(
    status.history.map((entry: { snapshot: string }) => entry.snapshot),
    ['base-2', 'base-1', 'base-2', 'base-1'],
  );
});

test('a snapshot is served byte for byte, by name, by uid and by time', async (t) => {
  const { world, cairn } = await twoSnapshots(t);
  const { stdout } = await cairn.cli('get', 'snapshots', '-o', 'json');
  const [first, second] = JSON.parse(stdout).items;
  const compact = (time: string) => time.replace(/[-:]/g, '');
  const path = `${world.mount}/dists/stable/InRelease`;
  const read = async (id: string) => {
    const response = await fetch(`${cairn.url}/snapshots/${id}/${path}`);
    assert.equal(response.status, 200, id);
    return Buffer.from(await response.arrayBuffer());
  };
  const upstream = readFileSync(join(world.archive.root, 'dists/stable/InRelease'));

  assert.deepEqual(await read('base-2'), upstream);
  assert.deepEqual(await read(second.metadata.uid), upstream);
  assert.notDeepEqual(await read('base-1'), upstream);
  assert.deepEqual(await read(compact(first.status.takenAt)), await read('base-1'));
  assert.deepEqual(await read('20990101T000000Z'), upstream);
  assert.deepEqual(await read(`base@${compact(first.status.takenAt)}`), await read('base-1'));

  const apt = await world.apt(cairn, '/snapshots/base-1');
  good(await apt.update());
  assert.equal(await apt.policy('hello'), '1.0');
});

test('a snapshotRef that names nothing leaves the last good content in service', async (t) => {
  const { world, cairn } = await twoSnapshots(t);
  const apt = await world.apt(cairn, '/environments/production');

  world.write('environment.yaml', environment('base-9'));
  await until(cairn, 'environment/production', '--for=condition=Ready=False');

  good(await apt.update());
  assert.equal(await apt.policy('hello'), '1.0');
  const { stdout } = await cairn.cli('describe', 'environment/production');
  assert.match(stdout, /there is no Snapshot base-9; still serving base-1/);

  world.write('base-9.yaml', snapshot('base-9'));
  await until(cairn, 'environment/production', serves('base-9'));
});

test('a snapshot that an environment serves can not be deleted away under it', async (t) => {
  const { world, cairn } = await twoSnapshots(t);
  const apt = await world.apt(cairn, '/environments/production');

  await cairn.cli('delete', 'snapshot/base-1');
  await eventually(async () => {
    const { stdout } = await cairn.cli('get', 'snapshot', 'base-1', '-o', 'json');
    return /SnapshotInUse/.test(stdout);
  }, 'the snapshot says that it is in use');
  good(await apt.update());

  world.write('environment.yaml', environment('base-2'));
  await until(cairn, 'environment/production', serves('base-2'));
  good(await apt.update());
  assert.equal(await apt.policy('hello'), '2.0');
});

test('apt never sees an error while mirrors refresh and environments move back and forth', async (t) => {
  const { world, cairn } = await twoSnapshots(t);
  const live = await world.apt(cairn, '/mirrors/demo');
  const production = await world.apt(cairn, '/environments/production');
  let stop = false;
  let updates = 0;
  const loop = async (apt: typeof live) => {
    while (!stop) {
      good(await apt.update());
      updates += 1;
    }
  };
  const loops = [loop(live), loop(production)];
  for (let round = 0; round < 12; round += 1) {
    world.archive.add({ name: `extra-${round}`, version: '1.0' });
    await world.archive.publish();
    await refreshed(cairn);
    const name = round % 2 === 0 ? 'base-2' : 'base-1';
    world.write('environment.yaml', environment(name));
    await until(cairn, 'environment/production', serves(name));
  }
  stop = true;
  await Promise.all(loops);

  assert.ok(updates > 10, `only ${updates} updates`);
});

test('Release files are renewed before their Valid-Until', async (t) => {
  const { world, cairn } = await twoSnapshots(t);
  const url = `${cairn.url}/environments/production/${world.mount}/dists/stable/InRelease`;
  const read = async () => {
    const asked = Date.now();
    const response = await fetch(url);
    const text = await response.text();
    const time = (field: string) =>
      Date.parse(new RegExp(`^${field}: (.*)$`, 'm').exec(text)?.[1] ?? '');
    const validUntil = time('Valid-Until');
    assert.ok(!(validUntil <= asked), 'it was renewed in time');
    return {
      date: time('Date'),
      validUntil,
      lastModified: Date.parse(response.headers.get('last-modified') ?? ''),
    };
  };

  world.write('environment.yaml', environment('base-1', { validFor: '10s' }));
  await eventually(async () => (await read()).validUntil < Date.now() + 20_000, 'a short validity');
  const before = await read();
  await eventually(async () => (await read()).date > before.date, 'a renewal');

  const after = await read();
  assert.equal(before.validUntil - before.date, 10_000);
  assert.ok(after.validUntil > before.validUntil);
  assert.ok(after.lastModified > before.lastModified);
});

test('a key is rotated without a client noticing', async (t) => {
  const { world, cairn } = await twoSnapshots(t);
  const old = await world.apt(cairn, '/environments/production');
  good(await old.update());

  world.write('environment.yaml', environment('base-2', { signing: { epoch: 2, overlap: '1h' } }));
  await until(cairn, 'environment/production', '--for=jsonpath={.status.keys[0].epoch}=2');

  good(await old.update());
  assert.equal(await old.policy('hello'), '2.0');
  const fresh = await world.apt(cairn, '/environments/production');
  good(await fresh.update());

  world.write('environment.yaml', environment('base-2', { signing: { epoch: 3, overlap: '0s' } }));
  await until(cairn, 'environment/production', '--for=jsonpath={.status.keys[0].epoch}=3');
  assert.match((await old.update()).output, /NO_PUBKEY|could ?n.t be verified/);
});

test('index files are answered by-hash after they were replaced', async (t) => {
  const { world, cairn } = await twoSnapshots(t);
  const base = `${cairn.url}/environments/production/${world.mount}/dists/stable/main/binary-amd64`;
  const index = Buffer.from(await (await fetch(`${base}/Packages.gz`)).arrayBuffer());
  const hashes = { SHA256: 'sha256', MD5Sum: 'md5' };

  world.write('environment.yaml', environment('base-2'));
  await until(cairn, 'environment/production', serves('base-2'));

  for (const [directory, algorithm] of Object.entries(hashes)) {
    const hex = createHash(algorithm).update(index).digest('hex');
    const response = await fetch(`${base}/by-hash/${directory}/${hex}`);
    assert.equal(response.status, 200, directory);
    assert.deepEqual(Buffer.from(await response.arrayBuffer()), index);
  }
});
