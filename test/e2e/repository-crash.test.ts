/** A controller that is killed while it publishes: what apt sees is whole, and nothing is lost. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Repository } from '../../crds/repository.ts';
import type { AptRoot } from '../world/apt.ts';
import { cairnCli, type Cairn } from '../world/cairn.ts';
import { controlFields, makeDeb } from '../world/deb.ts';
import { freePort } from '../world/port.ts';
import { tempDir } from '../world/temp.ts';
import { checkedBlobs, treeFiles } from './depot-files.ts';
import { good, objectOf, product, until } from './product.ts';

const repository = `apiVersion: cairn.build/v1alpha1
kind: Repository
metadata: { name: tools }
spec: { public: true }
`;
const count = 14;
const kills = 9;
const packages = Array.from({ length: count }, (_, at) => `package-${at}`);

test('a controller that is killed while it publishes', async (t) => {
  const world = await product(t);
  world.write('repository.yaml', repository);
  const listen = `127.0.0.1:${await freePort()}`;
  const start = () => world.start({ listen });
  let cairn = await start();
  await until(cairn, 'repository/tools', '--for=condition=Ready');
  const apt = await world.apt(cairn, '/repositories/default/tools');
  const stop = new AbortController();

  const published = publishAll(t, cairn.url);
  const seen = updateAll(apt, stop.signal);
  for (let kill = 0; kill < kills; kill += 1) {
    await sleep(120 + kill * 90);
    await cairn.kill('SIGKILL');
    cairn = await start();
  }
  await published;
  stop.abort();
  const updates = await seen;

  assert.ok(updates.good > 0, 'apt was never served');
  good(await apt.update());
  const { stdout } = await apt.apt('apt-cache', ['dumpavail']);
  const names = [...stdout.matchAll(/^Package: (.*)$/gm)].map(([, name]) => name);
  assert.deepEqual(names.sort(), [...packages].sort());
  for (const name of [packages[0], packages.at(-1)]) good(await apt.download(name ?? ''));
  await assertWhole(cairn, world.data);
});

/** Publishes one package after the other, each until the server says that it is there. */
async function publishAll(t: TestContext, url: string): Promise<void> {
  const folder = tempDir(t);
  for (const name of packages) {
    const spec = { name, version: '1.0', size: 200_000 };
    const file = join(folder, `${name}_1.0_amd64.deb`);
    writeFileSync(file, makeDeb(spec, controlFields(spec)));
    for (let attempt = 1; ; attempt += 1) {
      const done = await cairnCli(['publish', 'tools', file, '--timeout=120s'], {
        CAIRN_SERVER: url,
      });
      if (done.code === 0) break;
      assert.equal(done.code, 1, done.output); // never refused: it is the same file
      assert.ok(attempt < 100, done.output);
      await sleep(50);
    }
  }
}

/** What apt says in a loop: it may find nobody there, but never anything that is not whole. */
async function updateAll(apt: AptRoot, signal: AbortSignal): Promise<{ readonly good: number }> {
  let good = 0;
  let most = 0;
  while (!signal.aborted) {
    const { code, output } = await apt.update();
    const faults = output.split('\n').filter((line) => /^[EW]:/.test(line));
    for (const fault of faults) {
      assert.match(fault, /connect|Connection|Failed to fetch|Some index files|reset|EOF|closed/i);
      assert.doesNotMatch(fault, /Hash Sum|signature|not valid|unexpected size|GPG/i);
    }
    if (code !== 0 || faults.length > 0) continue;
    good += 1;
    const { stdout } = await apt.apt('apt-cache', ['pkgnames', 'package-']);
    const now = stdout.split('\n').filter((line) => line !== '').length;
    assert.ok(now >= most, `${now} packages after ${most}`);
    most = now;
  }
  return { good };
}

/** Every file of what is served is there with its right bytes. */
async function assertWhole(cairn: Cairn, data: string): Promise<void> {
  const object = await objectOf<Repository>(cairn, 'repositories', 'tools');
  const { state } = object?.status ?? {};
  const blobs = checkedBlobs(data);
  for (const { sha256 } of treeFiles(data, state?.tree ?? '')) assert.ok(blobs.has(sha256));
  assert.equal(state?.packages, count);
}
