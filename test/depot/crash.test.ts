import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { cpSync, existsSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { openBlobs, type FileBlobs } from '../../depot/file-blobs.ts';
import { blobOf } from './blobs.contract.ts';
import { draftsIn, folder, markersIn } from './depot-folder.ts';

const writer = join(import.meta.dirname, 'endless-writer.ts');

describe('after kill -9', () => {
  it('every visible blob is whole, and nothing temporary stays', async (test) => {
    const root = await folder(test);
    let seen = 0;

    for (const ms of [0, 30, 77, 150]) {
      await writeAndKill(root, ms);
      const blobs = await openBlobs(root, { recover: true });

      seen = await verifyAll(blobs);
      assert.deepEqual(draftsIn(root), []);
      assert.deepEqual(markersIn(root), []);
      assert.deepEqual(blobs.recovery?.removed, []);
      assert.equal(blobs.recovery?.verified, 0);
    }

    assert.ok(seen > 0);
  });

  it('a download that was going on is kept for the next attempt', async (test) => {
    const [living, root] = [await folder(test), await folder(test)];
    const content = randomBytes(600_000);
    const { sha256, size } = blobOf(content);
    const dying = await (await openBlobs(living)).resume(sha256, size);
    await dying.write(content.subarray(0, 300_000));
    await dying.write(content.subarray(300_000, 300_001));
    cpSync(living, root, { recursive: true });
    await dying.close();

    const blobs = await openBlobs(root, { recover: true });
    const download = await blobs.resume(sha256, size);

    assert.ok(download.offset >= 300_000);
    await download.write(content.subarray(download.offset));
    assert.deepEqual(await download.commit(), { sha256, size });
  });
});

describe('after a power cut', () => {
  const otherBoot = '00000000-0000-4000-8000-000000000000';

  it('blobs that lost their bytes are gone, so that they are fetched again', async (test) => {
    const root = await folder(test);
    const before = await openBlobs(root);
    const contents = Array.from({ length: 20 }, () => randomBytes(5000));
    const names = contents.map((content) => before.put(content).sha256);
    const [short = '', zeroed = '', empty = '', ...whole] = names;
    truncateSync(await before.path(short), 1234);
    writeFileSync(await before.path(zeroed), Buffer.alloc(5000));
    truncateSync(await before.path(empty), 0);
    pretendBoot(root, otherBoot);

    const blobs = await openBlobs(root, { recover: true });

    assert.deepEqual([...(blobs.recovery?.removed ?? [])].sort(), [short, zeroed, empty].sort());
    assert.equal(blobs.recovery?.verified, 20);
    assert.equal(await verifyAll(blobs), whole.length);
    assert.deepEqual(markersIn(root), []);
    for (const content of contents) blobs.put(content);
    assert.equal(await verifyAll(blobs), 20);
  });

  for (const [what, text] of [
    ['that was cut off while it was written', ''],
    ['from a system that does not number its boots', `\n${new Date().toISOString()}\n`],
  ] as const) {
    it(`a marker ${what} counts as a power cut`, async (test) => {
      const root = await folder(test);
      const before = await openBlobs(root);
      const { sha256 } = before.put(randomBytes(100));
      writeFileSync(await before.path(sha256), Buffer.alloc(100));
      for (const name of markersIn(root)) writeFileSync(join(root, name), text);

      const blobs = await openBlobs(root, { recover: true });

      assert.deepEqual(blobs.recovery?.removed, [sha256]);
    });
  }

  it('what was stored long before the marker is not read again', async (test) => {
    const root = await folder(test);
    const before = await openBlobs(root);
    before.put(randomBytes(100));
    await before.sync();
    const later = new Date(Date.now() + 3_600_000).toISOString();
    writeFileSync(join(root, 'unsynced-x'), `${otherBoot}\n${later}\n`);

    const blobs = await openBlobs(root, { recover: true });

    assert.deepEqual(blobs.recovery, { interrupted: 1, verified: 0, removed: [] });
  });

  it('an instance that does not recover leaves markers and temporary files alone', async (test) => {
    const root = await folder(test);
    const first = await openBlobs(root);
    first.put(randomBytes(100));
    writeFileSync(join(root, 'tmp', 'draft'), 'being written');

    await openBlobs(root);

    assert.equal(markersIn(root).length, 1);
    assert.ok(existsSync(join(root, 'tmp', 'draft')));
  });

  function pretendBoot(root: string, bootId: string): void {
    for (const name of markersIn(root)) {
      writeFileSync(join(root, name), `${bootId}\n${new Date().toISOString()}\n`);
    }
  }
});

async function writeAndKill(root: string, ms: number): Promise<void> {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', writer, root], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  child.stdout.resume();
  await setTimeout(ms);
  child.kill('SIGKILL');
  await once(child, 'close');
  assert.equal(child.signalCode, 'SIGKILL');
}

/** How many blobs there are, each of which was read and matches its name. */
async function verifyAll(blobs: FileBlobs): Promise<number> {
  let count = 0;
  for await (const { sha256 } of blobs.list()) {
    assert.equal(await blobs.verify(sha256), true, sha256);
    count++;
  }
  return count;
}
