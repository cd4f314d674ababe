import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { openBlobs, type FileBlobs } from '../../depot/file-blobs.ts';
import { blobOf } from './blobs.contract.ts';
import { draftsIn, folder } from './depot-folder.ts';

const content = randomBytes(700_000);
const { sha256, size } = blobOf(content);

interface Depot {
  readonly root: string;
  readonly blobs: FileBlobs;
  readonly partial: string;
}

async function depot(test: TestContext): Promise<Depot> {
  const root = await folder(test);
  return { root, blobs: await openBlobs(root), partial: join(root, 'partial', sha256) };
}

function nothingTemporary(root: string): void {
  assert.deepEqual(draftsIn(root), []);
}

describe('a resumed download', () => {
  it('goes on where the last attempt ended', async (test) => {
    const { root, blobs, partial } = await depot(test);
    const first = await blobs.resume(sha256, size);
    assert.equal(first.offset, 0);
    await first.write(content.subarray(0, 300_000));
    await first.write(content.subarray(300_000, 300_007));
    await first.close();
    assert.equal(statSync(partial).size, 300_007);

    const second = await blobs.resume(sha256, size);
    assert.equal(second.offset, 300_007);
    await second.write(content.subarray(300_007));
    assert.deepEqual(await second.commit(), { sha256, size });

    assert.ok((await blobs.bytes(sha256)).equals(content));
    assert.equal(existsSync(partial), false);
    nothingTemporary(root);
  });

  it('keeps what is still being written when it breaks off', async (test) => {
    const { root, blobs, partial } = await depot(test);
    const download = await blobs.resume(sha256, size);

    const writing = download.write(content.subarray(0, 500_000));
    await download.close();

    await writing;
    assert.equal(statSync(partial).size, 500_000);
    nothingTemporary(root);
  });

  it('leaves nothing when somebody else has had the whole, before or after', async (test) => {
    for (const order of ['before', 'after']) {
      const { root, blobs, partial } = await depot(test);
      const slow = await blobs.resume(sha256, size);
      const fast = await blobs.resume(sha256, size);
      await slow.write(content.subarray(0, 300_000));
      if (order === 'before') await slow.close();
      await fast.write(content);
      await fast.commit();
      if (order === 'after') await slow.close();

      assert.equal(existsSync(partial), false, order);
      nothingTemporary(root);
    }
  });

  it('is forgotten when nobody has gone on with it for a week', async (test) => {
    const { blobs, partial } = await depot(test);
    const download = await blobs.resume(sha256, size);
    await download.write(content.subarray(0, 300_000));
    await download.close();
    const day = 86_400_000;

    blobs.prunePartials(Date.now() + 6 * day);
    assert.equal(existsSync(partial), true);
    utimesSync(partial, new Date(), new Date(Date.now() - 8 * day));
    blobs.prunePartials(Date.now());

    assert.equal(existsSync(partial), false);
    const again = await blobs.resume(sha256, size);
    assert.equal(again.offset, 0);
    await again.close();
  });

  it('is not visible before it is committed', async (test) => {
    const { blobs } = await depot(test);
    const download = await blobs.resume(sha256, size);
    await download.write(content);

    assert.equal(await blobs.size(sha256), undefined);
    await download.commit();
    assert.equal(await blobs.size(sha256), size);
  });

  it('starts over after reset', async (test) => {
    const { blobs } = await depot(test);
    const download = await blobs.resume(sha256, size);
    await download.write(randomBytes(400_000));
    await download.reset();
    assert.equal(download.offset, 0);

    await download.write(content);

    assert.deepEqual(await download.commit(), { sha256, size });
  });

  it('with other bytes is refused and forgotten', async (test) => {
    const { root, blobs, partial } = await depot(test);
    const download = await blobs.resume(sha256, size);
    await download.write(randomBytes(size));

    await assert.rejects(download.commit(), { reason: 'HashMismatch' });

    assert.equal(await blobs.size(sha256), undefined);
    assert.equal(existsSync(partial), false);
    nothingTemporary(root);
  });

  it('that is longer than expected fails at once and is forgotten', async (test) => {
    const { root, blobs, partial } = await depot(test);
    const download = await blobs.resume(sha256, size);
    await download.write(content);

    assert.throws(() => download.write(Buffer.from('!')), { reason: 'TooLarge' });
    await download.close();

    assert.equal(existsSync(partial), false);
    nothingTemporary(root);
  });

  it('without a byte leaves nothing behind', async (test) => {
    const { root, blobs, partial } = await depot(test);

    await (await blobs.resume(sha256, size)).close();

    assert.equal(existsSync(partial), false);
    nothingTemporary(root);
  });

  it('starts over when what is there is longer than the blob', async (test) => {
    const { blobs, partial } = await depot(test);
    writeFileSync(partial, Buffer.alloc(size + 1));

    const download = await blobs.resume(sha256, size);

    assert.equal(download.offset, 0);
    await download.write(content);
    await download.commit();
  });

  it('heals in the end when a crash damaged its beginning', async (test) => {
    const { blobs, partial } = await depot(test);
    writeFileSync(partial, Buffer.alloc(1000));
    const damaged = await blobs.resume(sha256, size);
    await damaged.write(content.subarray(1000));
    await assert.rejects(damaged.commit(), { reason: 'HashMismatch' });

    const again = await blobs.resume(sha256, size);

    assert.equal(again.offset, 0);
    await again.write(content);
    await again.commit();
  });

  it('is not disturbed by another of the same blob, in this instance or another', async (test) => {
    const { root, blobs } = await depot(test);
    const all = [blobs, blobs, await openBlobs(root)];
    const downloads = await Promise.all(all.map((each) => each.resume(sha256, size)));

    for (let at = 0; at < size; at += 100_000) {
      await Promise.all(
        downloads.map((download) => download.write(content.subarray(at, at + 100_000))),
      );
    }
    await Promise.all(downloads.map((download) => download.commit()));

    assert.equal(await blobs.verify(sha256), true);
    nothingTemporary(root);
  });

  it('keeps the longer beginning when two give up', async (test) => {
    const { root, blobs, partial } = await depot(test);
    const [long, short] = [await blobs.resume(sha256, size), await blobs.resume(sha256, size)];
    await long.write(content.subarray(0, 5000));
    await short.write(content.subarray(0, 100));

    await long.close();
    await short.close();

    assert.equal(statSync(partial).size, 5000);
    nothingTemporary(root);
  });

  it('cannot be written to by two callers at once', async (test) => {
    const { blobs } = await depot(test);
    const download = await blobs.resume(sha256, size);
    const writing = download.write(content.subarray(0, 600_000));

    assert.throws(() => download.write(Buffer.from('x')), /busy/);
    await writing;
    await download.close();
  });
});
