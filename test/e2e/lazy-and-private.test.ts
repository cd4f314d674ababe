import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { Mirror } from '../../crds/mirror.ts';
import { createAptRoot } from '../world/apt.ts';
import type { Cairn } from '../world/cairn.ts';
import { tempDir } from '../world/temp.ts';
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

const megabyte = 1024 * 1024;

/** A mirror of three packages that was set up as `spec` says; the upstream's log begins after it. */
async function mirrored(t: TestContext, spec: Readonly<Record<string, unknown>>) {
  const world = await product(t);
  const { archive, upstream } = world;
  archive.add({ name: 'hello', version: '1.0' });
  archive.add({ name: 'other', version: '1.0' });
  archive.add({ name: 'large', version: '1.0', size: 20 * megabyte });
  await archive.publish();
  world.write('mirror.yaml', mirror(world, spec));
  world.write('set.yaml', mirrorSet);
  world.write('base-1.yaml', snapshot('base-1'));
  world.write('environment.yaml', environment('base-1'));
  const cairn = await world.start();
  await until(cairn, 'environment/production');
  const fetched = upstream.requestsFor(/\.deb$/).length;
  upstream.forgetRequests();
  const file = (name: string) => archive.packages.find((one) => one.name === name)?.path ?? '';
  return {
    world,
    cairn,
    fetched,
    file,
    url: (name: string) => `${cairn.url}/${world.mount}/${file(name)}`,
    content: (name: string) => readFileSync(join(archive.root, file(name))),
    /** What upstream was asked for so far; it notes a request when its answer is over. */
    async debs() {
      await eventually(() => upstream.pending === 0, 'the upstream is idle');
      return upstream.requestsFor(/\.deb$/).map(({ path }) => path);
    },
  };
}

test('a lazy mirror fetches a package when it is asked for, and only then', async (t) => {
  const { world, cairn, fetched, file, content, debs } = await mirrored(t, { download: 'Lazy' });
  assert.equal(fetched, 0);
  const apt = await world.apt(cairn, '/mirrors/demo');

  good(await apt.update());
  const first = await apt.download('hello');
  good(first);
  assert.deepEqual(readFileSync(first.file ?? ''), content('hello'));
  assert.deepEqual(await debs(), [`/debian/${file('hello')}`]);

  await world.upstream.close();
  const again = await apt.download('hello');
  good(again);
  assert.deepEqual(readFileSync(again.file ?? ''), content('hello'));
  assert.notEqual((await apt.download('other')).code, 0);
});

test('an environment serves the packages of a lazy mirror as well', async (t) => {
  const { world, cairn, content, debs } = await mirrored(t, { download: 'Lazy' });
  const apt = await world.apt(cairn, '/environments/production');

  good(await apt.update());
  const { file } = await apt.download('hello');

  assert.deepEqual(readFileSync(file ?? ''), content('hello'));
  assert.equal((await debs()).length, 1);
});

test('wrong bytes from upstream are a 502, and nothing of them is kept', async (t) => {
  const { world, cairn, url, content } = await mirrored(t, { download: 'Lazy' });
  const before = checkedBlobs(world.data);
  const repair = world.upstream.fault(/\.deb$/, { corrupt: true });

  const response = await fetch(url('hello'));
  const text = await response.text();
  await assert.rejects(async () => (await fetch(url('large'))).arrayBuffer());

  assert.equal(response.status, 502);
  assert.match(text, /could not be fetched from upstream.*hello.*not what the archive lists/);
  // The second try of the large one goes on without its client.
  await eventually(() => unfinished(world.data).length === 0, 'nothing is kept');
  assert.deepEqual(checkedBlobs(world.data), before);
  repair();
  assert.deepEqual(await bytes(url('hello')), content('hello'));
  assert.deepEqual(await bytes(url('large')), content('large'));
  assert.ok((await objectOf<Mirror>(cairn, 'mirrors', 'demo'))?.status.state);
});

test('a large file begins to arrive before its download is complete', async (t) => {
  const { world, url, content } = await mirrored(t, { download: 'Lazy' });
  world.upstream.fault(/\.deb$/, { rateBytesPerSecond: 15 * megabyte });

  const response = await fetch(url('large'));
  const parts: Uint8Array[] = [];
  let wasPending = 0;
  assert.ok(response.body);
  for await (const part of response.body) {
    if (parts.length === 0) wasPending = world.upstream.pending;
    parts.push(part);
  }

  assert.equal(wasPending, 1, 'the first bytes came while upstream was still sending');
  assert.deepEqual(Buffer.concat(parts), content('large'));
});

test('clients that ask at once share one download', async (t) => {
  const { world, url, content, debs } = await mirrored(t, { download: 'Lazy' });
  world.upstream.fault(/large/, { rateBytesPerSecond: 30 * megabyte });
  world.upstream.fault(/hello/, { delayMs: 200 });

  const names = ['large', 'hello', 'large', 'hello'];
  const answers = await Promise.all(names.map((name) => bytes(url(name))));

  names.forEach((name, at) => assert.ok(answers[at]?.equals(content(name)), name));
  assert.equal((await debs()).length, 2);
});

test('a file that upstream has lost is a 404 that says so', async (t) => {
  const { world, url } = await mirrored(t, { download: 'Lazy' });
  const [lost] = world.archive.packages.filter(({ name }) => name === 'hello');
  assert.ok(lost);
  world.archive.deleteFile(lost);

  const response = await fetch(url('hello'));

  assert.equal(response.status, 404);
  assert.match(await response.text(), /upstream no longer has this file.*hello_1\.0_amd64\.deb/);
});

test('a private mirror and its environment are for those who have the token', async (t) => {
  const { world, cairn, url } = await mirrored(t, { public: false });
  const read = readFileSync(join(world.data, 'tokens/read'), 'utf8').trim();
  assert.equal(read, cairn.tokens.read);

  for (const area of ['/mirrors/demo', '/environments/production', '/snapshots/base-1']) {
    const inRelease = area.startsWith('/mirrors')
      ? `${cairn.url}/${world.mount}/dists/stable/InRelease`
      : `${cairn.url}${area}/${world.mount}/dists/stable/InRelease`;
    for (const path of [inRelease, `${cairn.url}${area}/client.sources`]) {
      assert.equal((await fetch(path)).status, 401, path);
      assert.equal((await fetch(path, bearer('wrong'))).status, 401, path);
      assert.equal((await fetch(path, bearer(read))).status, 200, path);
    }
    const apt = createAptRoot(tempDir(t));
    apt.writeSources(await text(`${cairn.url}${area}/client.sources`, bearer(read)));
    assert.match((await apt.update()).output, /401/);

    const auth = await text(`${cairn.url}${area}/auth.conf`);
    assert.ok(!auth.includes(read));
    apt.writeAuth(auth.replace('<read token here>', read));
    good(await apt.update());
    assert.equal(await apt.policy('hello'), '1.0');
    good(await apt.download('hello'));
  }
  assert.equal((await fetch(url('hello'))).status, 401);
  await assertSecret(world.data, cairn, [cairn.tokens.read, cairn.tokens.admin]);
});

test('a private lazy mirror does not fetch for strangers', async (t) => {
  const { cairn, url, debs, content } = await mirrored(t, { public: false, download: 'Lazy' });

  assert.equal((await fetch(url('hello'))).status, 401);
  assert.equal((await debs()).length, 0);

  assert.deepEqual(await bytes(url('hello'), bearer(cairn.tokens.read)), content('hello'));
});

/** No token is in anything that Cairn says or keeps, but in the files made for them. */
async function assertSecret(data: string, cairn: Cairn, tokens: readonly string[]): Promise<void> {
  const said = [
    cairn.logs,
    (await cairn.cli('get', 'all', '-o', 'json')).output,
    (await cairn.cli('get', 'all', '-o', 'yaml')).output,
    (await cairn.cli('describe', 'mirror/demo')).output,
    (await cairn.cli('describe', 'environment/production')).output,
    (await cairn.cli('describe', 'configsource/config')).output,
    await text(`${cairn.url}/metrics`),
    readFileSync(`/proc/${cairn.pid}/cmdline`, 'utf8'),
  ];
  for (const token of tokens) {
    for (const one of said) assert.ok(one.length > 0 && !one.includes(token));
    const search = ['-rlF', '-e', token, data];
    const files = execFileSync('grep', search, { encoding: 'utf8' }).trim().split('\n');
    assert.deepEqual(files.length, 1, files.join());
  }
  assert.equal(hasMode(join(data, 'tokens')), '700');
  assert.equal(hasMode(join(data, 'tokens/admin')), '600');
}

function hasMode(path: string): string {
  return execFileSync('stat', ['-c', '%a', path], { encoding: 'utf8' }).trim();
}

function bearer(token: string): RequestInit {
  return { headers: { authorization: `Bearer ${token}` } };
}

async function text(url: string, init?: RequestInit): Promise<string> {
  const response = await fetch(url, init);
  assert.equal(response.status, 200, url);
  return response.text();
}

async function bytes(url: string, init?: RequestInit): Promise<Buffer> {
  const response = await fetch(url, init);
  assert.equal(response.status, 200, url);
  return Buffer.from(await response.arrayBuffer());
}
