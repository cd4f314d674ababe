/** The product with its blobs in a bucket, and the data directory as a mere cache of them. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Environment } from '../../crds/environment.ts';
import { conditionOf } from '../../crds/object.ts';
import type { Cairn } from '../world/cairn.ts';
import { needsS3, startS3 } from '../world/s3.ts';
import { startS3Proxy } from '../world/s3-proxy.ts';
import {
  environment,
  eventually,
  good,
  mirror,
  mirrorSet,
  objectOf,
  product,
  refreshed,
  snapshot,
  until,
} from './product.ts';

const large = 3_000_000;

/** The product on a bucket, behind a line that can be spoilt. */
async function onBucket(t: TestContext, ...more: readonly string[]) {
  const s3 = await startS3(t);
  const proxy = await startS3Proxy(t, s3);
  const world = await product(t);
  const { archive } = world;
  archive.add({ name: 'hello', version: '1.0' });
  archive.add({ name: 'large', version: '1.0', size: large });
  await archive.publish();
  world.write('mirror.yaml', mirror(world));
  world.write('set.yaml', mirrorSet);
  const { accessKeyId, secretAccessKey, region } = s3.keys;
  const start = (...others: readonly string[]) =>
    world.start({
      env: { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey },
      args: [
        ...['--bucket', `s3://${s3.bucket}/depot`, '--bucket-region', region],
        ...['--bucket-endpoint', proxy.endpoint, ...more, ...others],
      ],
    });
  const forgetCache = () => rmSync(join(world.data, 'depot'), { recursive: true });
  return { s3, proxy, world, start, forgetCache };
}

async function promoted(world: Awaited<ReturnType<typeof product>>, name: string): Promise<void> {
  world.write(`${name}.yaml`, snapshot(name));
  world.write('environment.yaml', environment(name));
}

async function productionOf(cairn: Cairn): Promise<Environment | undefined> {
  return objectOf<Environment>(cairn, 'environments', 'production');
}

describe('with a bucket', needsS3, () => {
  it('a machine may lose its cache: nothing is fetched from upstream again', async (t) => {
    const { s3, world, start, forgetCache } = await onBucket(t);
    const first = await start();
    await promoted(world, 'base-1');
    await until(first, 'environment/production');
    const logs = [first.logs];
    await first.kill('SIGKILL');
    forgetCache();
    world.upstream.forgetRequests();

    const second = await start();

    const apt = await world.apt(second, '/environments/production');
    good(await apt.update());
    const { file = '' } = await apt.download('large');
    const { path = '' } = world.archive.packages.find(({ name }) => name === 'large') ?? {};
    assert.deepEqual(readFileSync(file), readFileSync(join(world.archive.root, path)));
    assert.deepEqual(world.upstream.requestsFor(/pool|Packages/), []);
    logs.push(second.logs);
    for (const secret of Object.values(s3.keys)) {
      if (secret !== s3.keys.region) assert.ok(!logs.join().includes(secret), 'a secret is logged');
    }
  });

  it('nothing is promoted that the bucket does not have, and what was is served meanwhile', async (t) => {
    const { world, proxy, start } = await onBucket(t);
    const cairn = await start();
    await promoted(world, 'base-1');
    await until(cairn, 'environment/production');
    const apt = await world.apt(cairn, '/environments/production');
    good(await apt.update());
    world.archive.add({ name: 'hello', version: '2.0' });
    await world.archive.publish();
    await refreshed(cairn);
    proxy.fault(/^(PUT|POST) /, { status: 403, code: 'AccessDenied' });

    await promoted(world, 'base-2');

    await eventually(async () => {
      const found = await productionOf(cairn);
      const ready = found && conditionOf(found, 'Ready');
      return ready?.reason === 'DepotUnavailable';
    }, 'the environment says that the bucket refuses');
    const found = await productionOf(cairn);
    const { message = '' } = (found && conditionOf(found, 'Ready')) ?? {};
    assert.match(message, /could not store sha256\/.*s3:\/\/.*AccessDenied \(403\)/);
    const probe = await fetch(`${cairn.url}/readyz?verbose`);
    assert.equal(probe.status, 200);
    assert.match(await probe.text(), /^\[!\]depot: \d+ blobs wait to be stored in the bucket/m);
    good(await apt.update());
    assert.equal(await apt.policy('hello'), '1.0');
    proxy.clearFaults();
    const serves2 = async () =>
      (await productionOf(cairn))?.status.published?.snapshot === 'base-2';
    await eventually(serves2, 'it is promoted after all');
    good(await apt.update());
    assert.equal(await apt.policy('hello'), '2.0');
  });

  it('what only the bucket has is asked for again later while it is away', async (t) => {
    const { world, proxy, start, forgetCache } = await onBucket(t);
    const first = await start();
    await promoted(world, 'base-1');
    await until(first, 'environment/production');
    await first.kill();
    forgetCache();
    const second = await start();
    proxy.fault(/^GET .*sha256/, { loseRequest: true });
    const url = `${second.url}/environments/production/${world.mount}/dists/stable/InRelease`;

    const refused = await fetch(url);

    assert.equal(refused.status, 503);
    assert.equal(refused.headers.get('retry-after'), '10');
    assert.match(await refused.text(), /storage behind this server/);
    assert.doesNotMatch(second.logs, /X-Amz-Signature/);
    proxy.clearFaults();
    assert.equal((await fetch(url)).status, 200);
  });

  it('clients may be sent to the bucket for what is large', async (t) => {
    const { world, proxy, start } = await onBucket(t, '--redirect-above', '1MB');
    const cairn = await start();
    await promoted(world, 'base-1');
    await until(cairn, 'environment/production');
    const apt = await world.apt(cairn, '/environments/production');
    good(await apt.update());
    const before = proxy.requestsFor(/^GET .*X-Amz-Signature/).length;

    const { file = '' } = await apt.download('large');

    assert.equal(proxy.requestsFor(/^GET .*X-Amz-Signature/).length, before + 1);
    const { path = '', sha256 } = world.archive.packages.find(({ name }) => name === 'large') ?? {};
    assert.equal(createHash('sha256').update(readFileSync(file)).digest('hex'), sha256);
    const url = `${cairn.url}/environments/production/${world.mount}/${path}`;
    const asked = await fetch(url, { redirect: 'manual' });
    assert.equal(asked.status, 307);
    assert.equal(asked.headers.get('cache-control'), 'no-store');
    const part = await fetch(url, { headers: { range: 'bytes=10-19' } });
    assert.equal(part.status, 206);
    const whole = readFileSync(join(world.archive.root, path));
    assert.deepEqual(Buffer.from(await part.arrayBuffer()), whole.subarray(10, 20));
    const small = world.archive.packages.find(({ name }) => name === 'hello')?.path ?? '';
    const near = `${cairn.url}/environments/production/${world.mount}/${small}`;
    assert.equal((await fetch(near, { redirect: 'manual' })).status, 200);
    assert.doesNotMatch(cairn.logs, /X-Amz-Signature/);
  });

  it('kill -9 at any moment leaves nothing that is named and not there', async (t) => {
    const { s3, world, start, forgetCache } = await onBucket(t);
    for (let step = 0; step < 5; step += 1) {
      for (let index = 0; index < 20; index += 1) {
        const name = `package-${index}`;
        world.archive.remove(name);
        world.archive.add({ name, version: `${step}.0`, size: index === 0 ? 9_000_000 : 2000 });
      }
      await world.archive.publish();
      await promoted(world, `base-${step}`);
      const cairn = await start();
      await sleep(step * 250);
      await cairn.kill('SIGKILL');
      if (step % 2 === 1) forgetCache();
    }
    const cairn = await start();
    await until(cairn, 'environment/production');
    await refreshed(cairn);
    await cairn.kill();
    forgetCache();

    const after = await start();

    world.upstream.forgetRequests();
    const apt = await world.apt(after, '/mirrors/demo');
    good(await apt.update());
    for (const { name, path, sha256 } of world.archive.packages) {
      const { file = '' } = await apt.download(name);
      assert.equal(createHash('sha256').update(readFileSync(file)).digest('hex'), sha256, path);
    }
    assert.deepEqual(world.upstream.requestsFor(/\.deb$/), []);
    const uploads = await s3.request('GET', '', { query: { uploads: '' } });
    assert.equal(uploads.status, 200);
  });
});
