import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { Layout } from '../../depot/layout.ts';
import { openDepot } from '../../depot/open.ts';
import { needsS3, startS3, type S3 } from '../world/s3.ts';
import { startS3Proxy } from '../world/s3-proxy.ts';
import { suiteScope, type Scope } from '../world/temp.ts';
import { blobOf, chunks } from './blobs.contract.ts';
import { depotFolder, newLocation, objectFile, openedDepot } from './bucket-world.ts';
import { folder } from './depot-folder.ts';

const part = 8 * 1024 * 1024;

describe('a bucket that fails', needsS3, () => {
  const scope = suiteScope();
  let s3: S3;
  before(async () => {
    s3 = await startS3(scope);
  });

  /** A depot behind a line that can be spoilt, and another one that sees what is stored. */
  async function spoilt(t: Scope) {
    const bucket = newLocation(s3);
    const proxy = await startS3Proxy(t, s3);
    const ours = await openedDepot(t, { ...bucket, endpoint: proxy.endpoint });
    const { blobs: reader } = await openedDepot(t, bucket);
    return { ...ours, bucket, proxy, reader };
  }

  it('lets nobody refer to what it does not have, and gets it as soon as it can', async (t) => {
    const { blobs, proxy, reader } = await spoilt(t);
    const before = blobs.put(Buffer.from('before'));
    await blobs.sync();
    proxy.fault(/./, { loseRequest: true });
    const blob = blobs.put(Buffer.from('meanwhile'));

    await assert.rejects(blobs.sync(), { reason: 'DepotUnavailable', message: /could not store/ });

    assert.match(blobs.problems().join(), /1 blobs wait to be stored in the bucket: could not/);
    assert.equal((await blobs.bytes(before.sha256)).toString(), 'before');
    assert.equal((await blobs.bytes(blob.sha256)).toString(), 'meanwhile');
    await assert.rejects(blobs.size('a'.repeat(64)), { reason: 'DepotUnavailable' });
    proxy.clearFaults();
    await blobs.sync();
    assert.deepEqual(blobs.problems(), []);
    assert.equal((await reader.bytes(blob.sha256)).toString(), 'meanwhile');
  });

  it('that asks for patience gets it', async (t) => {
    const { blobs, proxy, reader } = await spoilt(t);
    proxy.fault(/^PUT /, { status: 503, code: 'SlowDown', times: 2 });
    const blob = blobs.put(Buffer.from('patience'));

    await blobs.sync();

    assert.equal(await reader.size(blob.sha256), blob.size);
  });

  for (const [what, fault] of [
    ['breaks off', { resetAfterBytes: 5_000_000, times: 2 }],
    ['ends too early', { truncateAt: 5_000_000, times: 1 }],
  ] as const) {
    it(`and ${what} in mid-read is gone on with`, async (t) => {
      const { blobs, proxy, reader } = await spoilt(t);
      const content = randomBytes(20_000_000);
      const { sha256 } = await reader.write(chunks(content));
      await reader.sync();
      proxy.fault(/^GET .*sha256/, fault);

      if (what === 'ends too early') {
        // As much as the answer says that there is: it can only be wrong.
        await assert.rejects(blobs.bytes(sha256), { reason: 'HashMismatch' });
      }
      assert.ok((await blobs.bytes(sha256)).equals(content));

      const [first, second] = proxy.requestsFor(new RegExp(`^GET .*${sha256}`));
      assert.equal(first?.headers.range, undefined);
      if (what === 'breaks off') assert.match(second?.headers.range ?? '', /^bytes=\d+-$/);
    });
  }

  for (const size of [100, 20_000_000]) {
    it(`and gives other bytes than the name says is not believed, ${size} of them`, async (t) => {
      const { blobs, root, bucket, reader } = await spoilt(t);
      const { sha256 } = await reader.write(chunks(randomBytes(size)));
      await reader.sync();
      const object = objectFile(s3, bucket, sha256);
      const bytes = readFileSync(object);
      bytes[size >> 1] = (bytes[size >> 1] ?? 0) ^ 1;
      writeFileSync(object, bytes);

      await assert.rejects(blobs.bytes(sha256), { reason: 'HashMismatch', message: /the object/ });

      assert.ok(!existsSync(new Layout(root).blob(sha256)));
      assert.equal(await blobs.verify(sha256), false);
    });
  }

  it('and gets spoilt bytes keeps none of them', async (t) => {
    const { blobs, proxy, bucket, reader } = await spoilt(t);
    proxy.fault(/^PUT /, { corruptRequest: true, times: 1 });
    const small = blobs.put(randomBytes(1000));
    await blobs.sync().catch(() => undefined);
    proxy.fault(/^PUT .*partNumber=2/, { corruptRequest: true, times: 1 });
    const large = await blobs.write(chunks(randomBytes(3 * part)));
    await blobs.sync().catch(() => undefined);

    await blobs.sync();

    for (const { sha256 } of [small, large]) assert.equal(await reader.verify(sha256), true);
    const uploads = await s3.request('GET', '', { query: { uploads: '', prefix: bucket.prefix } });
    assert.ok(!uploads.text.includes('<Upload>'), uploads.text);
  });

  for (const pattern of [/^PUT /, /^POST .*uploadId/]) {
    it(`and whose answer is lost is asked again (${pattern})`, async (t) => {
      const { blobs, proxy, reader } = await spoilt(t);
      proxy.fault(pattern, { loseAnswer: true, times: 1 });
      const { sha256 } = await blobs.write(chunks(randomBytes(2 * part)));

      await blobs.sync();

      assert.equal(await reader.verify(sha256), true);
    });
  }

  it('gets after a crash what it did not have', async (t) => {
    const bucket = newLocation(s3);
    const proxy = await startS3Proxy(t, s3);
    const cache = await depotFolder(t);
    const before = await cache.open({ ...bucket, endpoint: proxy.endpoint });
    proxy.fault(/^PUT /, { loseRequest: true });
    const blob = before.put(randomBytes(1000));
    assert.deepEqual(readdirSync(join(cache.root, 'outbox')), [blob.sha256]);

    const after = await cache.open(bucket);
    await after.sync();

    const { blobs: reader } = await openedDepot(t, bucket);
    assert.equal(await reader.verify(blob.sha256), true);
    assert.deepEqual(readdirSync(join(cache.root, 'outbox')), []);
  });

  it('never takes what a power cut has damaged', async (t) => {
    const bucket = newLocation(s3);
    const { root, blobs } = await openedDepot(t, bucket);
    const blob = blobOf(randomBytes(1000));
    writeFileSync(join(root, 'outbox', blob.sha256), Buffer.alloc(1000));

    assert.equal(await blobs.size(blob.sha256), 1000);
    await assert.rejects(blobs.sync(), { reason: 'HashMismatch' });

    assert.equal(await blobs.size(blob.sha256), undefined);
    await blobs.sync();
  });

  it('is told apart from another one', async (t) => {
    const bucket = newLocation(s3);
    const cache = await depotFolder(t);
    const { root } = cache;
    await (await cache.open(bucket)).close();
    const elsewhere = openDepot({ root, bucket: newLocation(s3) }, { isMain: true });
    await assert.rejects(elsewhere, /is a cache of the bucket s3:.*, not of s3:/);
    await assert.rejects(openDepot({ root }), /start with --bucket/);

    const emptied = await cache.open(bucket);
    rmSync(s3.fileOf(`${bucket.prefix}depot.json`));
    emptied.put(Buffer.from('x'));

    await assert.rejects(emptied.sync(), /was emptied or replaced/);
  });

  it('says what it lacks', async (t) => {
    const root = await folder(t);
    const open = (more: Parameters<typeof newLocation>[1]) =>
      openDepot({ root, bucket: newLocation(s3, more) }, { isMain: true });
    const credentials = { accessKeyId: s3.keys.accessKeyId, secretAccessKey: 'wrong' };

    await assert.rejects(open({ name: 'nowhere' }), /NoSuchBucket \(404\); make the bucket first/);
    await assert.rejects(open({ credentials }), (error: Error) => {
      assert.match(error.message, /\(403\); its credentials must allow s3:GetObject/);
      return !error.message.includes('wrong');
    });
    await assert.rejects(open({ endpoint: 'http://127.0.0.1:1' }), {
      reason: 'DepotUnavailable',
      message: /could not store depot.json in the bucket s3:.*ECONNREFUSED/,
    });
  });

  it('leaves the cache to be served from, when it is away at the start', async (t) => {
    const bucket = newLocation(s3);
    const cache = await depotFolder(t);
    const before = await cache.open(bucket);
    const { sha256 } = before.put(Buffer.from('kept'));
    await before.close();

    const later = await cache.open({ ...bucket, endpoint: 'http://127.0.0.1:1' });

    assert.equal((await later.bytes(sha256)).toString(), 'kept');
    await assert.rejects(later.bytes('b'.repeat(64)), { reason: 'DepotUnavailable' });
  });
});
