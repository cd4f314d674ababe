import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { openBlobs } from '../../depot/file-blobs.ts';
import { writeTree } from '../../depot/tree-writer.ts';
import { blobOf, chunks } from './blobs.contract.ts';
import { draftsIn, markersIn } from './depot-folder.ts';

/** A file system of one MiB. */
async function smallDisk(test: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'cairn-depot-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'cairn-test', path]);
  test.after(async () => {
    execFileSync('umount', ['--lazy', path]);
    await rmdir(path);
  });
  return path;
}

const large = randomBytes(2_000_000);
const full = { reason: 'DepotFull', message: /no space left/ };

describe('when the disk is full', () => {
  it('put fails with DepotFull and leaves nothing behind', async (test) => {
    const root = await smallDisk(test);
    const blobs = await openBlobs(root);
    blobs.put(Buffer.from('the marker is on the disk now'));

    assert.throws(() => blobs.put(large), full);

    assert.deepEqual(draftsIn(root), []);
    assert.equal(await blobs.size(blobOf(large).sha256), undefined);
    assert.equal(blobs.put(Buffer.alloc(500_000)).size, 500_000);
    await blobs.close();
  });

  it('a marker that finds no room makes put fail before anything is visible', async (test) => {
    const root = await smallDisk(test);
    const blobs = await openBlobs(root);
    writeFileSync(join(root, 'filler'), Buffer.alloc(1024 * 1024 - 4096));
    const small = Buffer.from('small');

    assert.throws(() => blobs.put(small), full);

    assert.equal(await blobs.size(blobOf(small).sha256), undefined);
    assert.deepEqual(markersIn(root), []);
    assert.deepEqual(draftsIn(root), []);
  });

  it('write fails with DepotFull and leaves nothing behind', async (test) => {
    const root = await smallDisk(test);
    const blobs = await openBlobs(root);
    const parts = Array.from({ length: 20 }, (_, i) =>
      large.subarray(i * 100_000, (i + 1) * 100_000),
    );

    await assert.rejects(blobs.write(chunks(...parts)), full);

    assert.deepEqual(draftsIn(root), []);
    assert.equal((await blobs.write(chunks(Buffer.alloc(500_000)))).size, 500_000);
    await blobs.close();
  });

  it('a download fails with DepotFull and gives its space back', async (test) => {
    const root = await smallDisk(test);
    const blobs = await openBlobs(root);
    const download = await blobs.resume(blobOf(large).sha256, large.length);

    await assert.rejects(async () => download.write(large), full);
    await download.close();

    assert.deepEqual(draftsIn(root), []);
    assert.deepEqual(readdirSync(join(root, 'partial')), []);
    await blobs.close();
  });

  it('a download that breaks off with bytes that find no room leaves nothing behind', async (test) => {
    const root = await smallDisk(test);
    const blobs = await openBlobs(root);
    const download = await blobs.resume(blobOf(large).sha256, large.length);
    await download.write(large.subarray(0, 10_000));
    writeFileSync(join(root, 'filler'), Buffer.alloc(1024 * 1024 - 8192));

    await download.close();

    assert.deepEqual(draftsIn(root), []);
    assert.deepEqual(readdirSync(join(root, 'partial')), []);
  });

  it('a tree is written as a whole or not at all', async (test) => {
    const root = await smallDisk(test);
    const blobs = await openBlobs(root);
    const entries = Array.from({ length: 20_000 }, (_, i) => ({
      path: `file-${String(i).padStart(6, '0')}`,
      ...blobOf(Buffer.from(`${i % 100}`)),
    }));

    await assert.rejects(writeTree(blobs, entries), full);

    for await (const { sha256 } of blobs.list()) assert.fail(sha256);
  });
});
