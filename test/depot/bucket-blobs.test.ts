import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { Cache } from '../../depot/bucket/cache.ts';
import { Layout } from '../../depot/layout.ts';
import { openDepot } from '../../depot/open.ts';
import { eventually } from '../e2e/product.ts';
import { needsS3, startS3, type S3 } from '../world/s3.ts';
import { startS3Proxy } from '../world/s3-proxy.ts';
import { suiteScope } from '../world/temp.ts';
import { blobOf, blobsContract, chunks } from './blobs.contract.ts';
import { depotFolder, newLocation, objectFile, openedDepot } from './bucket-world.ts';
import { draftsIn, folder, markersIn } from './depot-folder.ts';

const hour = 3_600_000;

describe('a bucket', needsS3, () => {
  const scope = suiteScope();
  let s3: S3;
  before(async () => {
    s3 = await startS3(scope);
  });

  blobsContract('bucket', async () => {
    const root = await folder(scope);
    const blobs = await openDepot({ root, bucket: newLocation(s3) }, { isMain: true });
    return {
      blobs,
      async close() {
        await blobs.sync();
        await blobs.close();
        assert.deepEqual(draftsIn(root), []);
        assert.deepEqual(markersIn(root), []);
        assert.deepEqual(readdirSync(join(root, 'outbox')), []);
      },
    };
  });

  for (const size of [0, 5, 1_000_000, 8 * 1024 * 1024, 8 * 1024 * 1024 + 1, 50_000_000]) {
    it(`holds ${size} bytes for everybody after a sync`, async (t) => {
      const bucket = newLocation(s3);
      const { blobs: writer } = await openedDepot(t, bucket);
      const { blobs: reader } = await openedDepot(t, bucket);
      const content = randomBytes(size);
      const blob = await writer.write(chunks(content));

      await writer.sync();

      assert.deepEqual(blobOf(await readFile(objectFile(s3, bucket, blob.sha256))), blob);
      assert.equal(await reader.size(blob.sha256), size);
      assert.deepEqual(await reader.lacking([blob]), []);
      assert.ok((await reader.bytes(blob.sha256)).equals(content));
      assert.equal(await reader.verify(blob.sha256), true);
    });
  }

  it('gets each blob once, though several store it', async (t) => {
    const bucket = newLocation(s3);
    const depots = await Promise.all([1, 2, 3].map(() => openedDepot(t, bucket)));
    const content = randomBytes(9 * 1024 * 1024);

    const stored = await Promise.all(
      depots.map(async ({ blobs }) => {
        const blob = await blobs.write(chunks(content));
        await blobs.sync();
        return blob;
      }),
    );

    for (const blob of stored) assert.deepEqual(blob, blobOf(content));
    const { blobs: reader } = await openedDepot(t, bucket);
    assert.equal(await reader.verify(blobOf(content).sha256), true);
  });

  it('is asked for a blob once, however many want it, and then no more', async (t) => {
    const proxy = await startS3Proxy(t, s3);
    const bucket = newLocation(s3, { endpoint: proxy.endpoint });
    const { blobs: writer } = await openedDepot(t, bucket);
    const { blobs: reader } = await openedDepot(t, bucket);
    const { sha256 } = writer.put(randomBytes(100_000));
    await writer.sync();

    await Promise.all(Array.from({ length: 20 }, () => reader.path(sha256)));
    await reader.bytes(sha256);

    assert.equal(proxy.requestsFor(new RegExp(`^GET .*${sha256}`)).length, 1);
  });

  it('is not asked for each of very many blobs', async (t) => {
    const proxy = await startS3Proxy(t, s3);
    const { blobs } = await openedDepot(t, newLocation(s3, { endpoint: proxy.endpoint }));
    const here = blobs.put(Buffer.from('here'));
    await blobs.sync();
    const waiting = blobs.put(Buffer.from('waiting'));
    const absent = Array.from({ length: 10_000 }, (_, at) => blobOf(Buffer.from(`no ${at}`)));
    const before = proxy.requests.length;

    const lacking = await blobs.lacking([here, waiting, ...absent]);

    assert.deepEqual(lacking, absent);
    assert.ok(proxy.requests.length - before <= 260, `${proxy.requests.length - before} requests`);
  });

  it('takes over what was on the disk alone so far', async (t) => {
    const cache = await depotFolder(t);
    const before = await openDepot({ root: cache.root });
    const blobs = [randomBytes(10), randomBytes(1000)].map((content) => before.put(content));
    await before.close();
    const bucket = newLocation(s3);

    const moved = await cache.open(bucket);
    await moved.sync();

    const { blobs: elsewhere } = await openedDepot(t, bucket);
    assert.deepEqual(await elsewhere.lacking(blobs), []);
  });

  it('gives up space of the cache, of what was not asked for the longest, and nothing that waits', async (t) => {
    const proxy = await startS3Proxy(t, s3);
    const { root, blobs } = await openedDepot(t, newLocation(s3, { endpoint: proxy.endpoint }));
    const contents = Array.from({ length: 20 }, () => randomBytes(100_000));
    const stored = contents.map((content) => blobs.put(content));
    await blobs.sync();
    proxy.fault(/^PUT /, { status: 403, code: 'AccessDenied' });
    const waiting = blobs.put(randomBytes(100_000));
    const layout = new Layout(root);
    const cache = new Cache(layout, 1_000_000);

    assert.equal(await cache.keepWithinBounds(Date.now()), 0, 'all of it is in use');
    const freed = await cache.keepWithinBounds(Date.now() + hour);

    const left = stored.filter(({ sha256 }) => existsSync(layout.blob(sha256)));
    assert.equal(freed, (stored.length - left.length) * 100_000);
    assert.ok(left.length * 100_000 <= 1_000_000);
    assert.ok(left.length >= 7);
    assert.ok(existsSync(layout.blob(waiting.sha256)));
    for (const [at, { sha256 }] of stored.entries()) {
      assert.ok((await blobs.bytes(sha256)).equals(contents[at] ?? Buffer.alloc(0)));
    }
  });

  it('lets a client read by itself, for a while', async (t) => {
    const bucket = newLocation(s3);
    const { blobs } = await openedDepot(t, bucket);
    const { sha256 } = blobs.put(Buffer.from('for apt'));
    assert.equal(await blobs.redirect?.(sha256, 'text/plain', 60), undefined, 'not there yet');
    await blobs.sync();

    const url = (await blobs.redirect?.(sha256, 'application/x-debian', 1)) ?? '';

    const answer = await fetch(url);
    assert.equal(await answer.text(), 'for apt');
    assert.equal(answer.headers.get('content-type'), 'application/x-debian');
    const ranged = await fetch(url, { headers: { range: 'bytes=4-' } });
    assert.equal(await ranged.text(), 'apt');
    await eventually(async () => (await fetch(url)).status === 403, 'the URL expires');
  });
});
