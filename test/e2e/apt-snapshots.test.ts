import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { Environment } from '../../crds/environment.ts';
import type { Snapshot } from '../../crds/snapshot.ts';
import type { ArchiveOptions } from '../world/archive-options.ts';
import type { Cairn } from '../world/cairn.ts';
import { trixieApt } from '../world/trixie.ts';
import {
  environment,
  good,
  mirror,
  mirrorSet,
  objectOf,
  product,
  refreshed,
  snapshot,
  until,
} from './product.ts';

/** base-1 has hello 1.0, the live mirror hello 2.0; production serves base-1. */
async function frozen(t: TestContext, options: Partial<ArchiveOptions> = {}) {
  const world = await product(t, options);
  world.archive.add({ name: 'hello', version: '1.0' });
  await world.archive.publish();
  world.write('mirror.yaml', mirror(world));
  world.write('set.yaml', mirrorSet);
  world.write('base-1.yaml', snapshot('base-1'));
  world.write('environment.yaml', environment('base-1'));
  const cairn = await world.start();
  await until(cairn, 'environment/production');
  world.archive.add({ name: 'hello', version: '2.0' });
  await world.archive.publish();
  await refreshed(cairn);
  return { world, cairn };
}

/** The apt of Debian 13 with all that Cairn gives to clients at a path. */
async function client(t: TestContext, cairn: Cairn, path: string) {
  const read = async (file: string) => {
    const response = await fetch(`${cairn.url}${path}/${file}`);
    assert.equal(response.status, 200, file);
    return response.text();
  };
  const {
    path: folder,
    apt,
    writeSources,
  } = await trixieApt(t, { config: await read('apt.conf') });
  writeSources(await read('client.sources'));
  return {
    folder,
    apt,
    async candidate(...options: string[]) {
      const { output } = await apt('apt-cache', ['policy', ...options, 'hello']);
      return /^ +Candidate: (.*)$/m.exec(output)?.[1];
    },
  };
}

test('stock apt -S uses a snapshot of a live mirror, by name and by time', async (t) => {
  const { cairn, world } = await frozen(t, { origin: 'Example' });
  const { apt, candidate, folder } = await client(t, cairn, '/mirrors/demo');
  const taken = (await objectOf<Snapshot>(cairn, 'snapshots', 'base-1'))?.status.takenAt ?? '';
  assert.match((await apt('apt-get', ['--version'])).stdout, /^apt 3\./);

  good(await apt('apt-get', ['update']));
  assert.equal(await candidate(), '2.0');
  for (const id of [taken.replaceAll(/[-:]/g, ''), 'base-1']) {
    good(await apt('apt-get', ['update', '-S', id]));
    assert.equal(await candidate('-S', id), '1.0', id);
    assert.equal(await candidate(), '2.0');
  }

  const download = 'cd "$0" && exec apt-get download -S base-1 hello';
  good(await apt('sh', ['-c', download, `${inMachine(folder)}/downloads`]));
  const [deb = ''] = readdirSync(join(folder, 'downloads')).filter((name) => /_1\.0_/.test(name));
  assert.deepEqual(
    readFileSync(join(folder, 'downloads', deb)),
    readFileSync(join(world.archive.root, 'pool/main/h/hello/hello_1.0_amd64.deb')),
  );
  assert.match((await apt('apt-get', ['update', '-S', 'base-9'])).output, /404/);
});

const origins = { 'has blanks and signs': "Bob's (new) archive; 100%", 'is empty': '' };

for (const [what, origin] of Object.entries(origins)) {
  test(`apt -S finds the snapshots of an archive whose Origin ${what}`, async (t) => {
    const { cairn } = await frozen(t, { origin });
    const { apt, candidate } = await client(t, cairn, '/mirrors/demo');

    good(await apt('apt-get', ['update', '-S', 'base-1']));
    good(await apt('apt-get', ['update', '-S', 'base-1'])); // it knows the Origin now

    assert.equal(await candidate('-S', 'base-1'), '1.0');
    assert.equal(await candidate(), '2.0');
  });
}

test('the newest apt follows an environment forwards and back', async (t) => {
  const { cairn, world } = await frozen(t);
  const { apt, candidate } = await client(t, cairn, '/environments/production');
  world.write('base-2.yaml', snapshot('base-2'));
  await until(cairn, 'snapshot/base-2');

  for (const [name, version] of [
    ['base-1', '1.0'],
    ['base-2', '2.0'],
    ['base-1', '1.0'],
    ['base-2', '2.0'],
  ] as const) {
    world.write('environment.yaml', environment(name));
    const serves = `--for=jsonpath={.status.published.snapshot}=${name}`;
    await until(cairn, 'environment/production', serves);
    good(await apt('apt-get', ['update']));
    assert.equal(await candidate(), version);
  }
});

test('a client whose clock is ten seconds behind accepts what was promoted just now', async (t) => {
  const { cairn, world } = await frozen(t);
  const { apt, folder } = await client(t, cairn, '/environments/production');
  const area = `${cairn.url}/environments/production`;
  const save = async (url: string, name: string) =>
    writeFileSync(join(folder, name), await (await fetch(url)).text());
  await save(`${area}/key.asc`, 'key.asc');
  await save(`${area}/${world.mount}/dists/stable/Release`, 'Release');
  await save(`${area}/${world.mount}/dists/stable/Release.gpg`, 'Release.gpg');
  const at = (name: string) => `${inMachine(folder)}/${name}`;

  const signature = ['--keyring', at('key.asc'), '--signature-file', at('Release.gpg')];
  const { published } =
    (await objectOf<Environment>(cairn, 'environments', 'production'))?.status ?? {};
  const behind = new Date(Date.parse(published?.date ?? '') - 10_000)
    .toISOString()
    .replace('.000', '');
  const checked = await apt('sqv', [...signature, '--not-after', behind, at('Release')]);

  assert.equal(checked.code, 0, checked.output);
});

/** The path of a file as the programs of the machine see it. */
function inMachine(file: string): string {
  return file.slice(file.lastIndexOf('/tmp/'));
}
