import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdirSync, truncateSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { openBlobs } from '../../depot/file-blobs.ts';
import { blobOf, blobsContract, chunks } from './blobs.contract.ts';
import { draftsIn, folder, markersIn } from './depot-folder.ts';

blobsContract('file system', async () => {
  const root = await mkdtemp(join(tmpdir(), 'cairn-depot-'));
  const blobs = await openBlobs(root);
  return {
    blobs,
    async close() {
      await blobs.close();
      assert.deepEqual(draftsIn(root), []);
      assert.deepEqual(markersIn(root), []);
      await rm(root, { recursive: true });
    },
  };
});

describe('blobs in files', () => {
  it('lie where people and other programs find them', async (test) => {
    const root = await folder(test);
    const blobs = await openBlobs(root);

    const { sha256 } = blobs.put(Buffer.from('hello'));

    assert.equal(await blobs.path(sha256), join(root, 'sha256', sha256.slice(0, 2), sha256));
    assert.equal(readdirSync(join(root, 'sha256')).length, 256);
  });

  it('are there again when the depot is opened again', async (test) => {
    const root = await folder(test);
    const first = await openBlobs(root);
    const { sha256 } = first.put(Buffer.from('hello'));
    await first.close();

    const second = await openBlobs(root, { recover: true });

    assert.equal((await second.bytes(sha256)).toString(), 'hello');
    assert.deepEqual(second.recovery, { interrupted: 0, verified: 0, removed: [] });
  });

  it('that were damaged are found by verify and replaced when they are stored again', async (test) => {
    const blobs = await openBlobs(await folder(test));
    const content = randomBytes(1000);
    const { sha256 } = blobs.put(content);
    assert.equal(await blobs.verify(sha256), true);
    truncateSync(await blobs.path(sha256), 500);
    assert.equal(await blobs.verify(sha256), false);

    blobs.put(content);

    assert.equal(await blobs.verify(sha256), true);
  });

  it('can be stored by several instances of one depot at once', async (test) => {
    const root = await folder(test);
    const instances = await Promise.all([openBlobs(root), openBlobs(root), openBlobs(root)]);
    const contents = Array.from({ length: 30 }, (_, i) => randomBytes(1000 * i));

    await Promise.all(
      instances.map((blobs) =>
        Promise.all(contents.map((content) => blobs.write(chunks(content)))),
      ),
    );

    for (const content of contents) {
      assert.equal(await instances[0]?.verify(blobOf(content).sha256), true);
    }
    assert.deepEqual(draftsIn(root), []);
  });

  for (const others of [0, 20_000]) {
    it(`are told apart from those that are lacking or damaged, of ${others + 3} as well`, async (test) => {
      const root = await folder(test);
      const blobs = await openBlobs(root);
      const here = blobs.put(Buffer.from('here'));
      const damaged = blobs.put(Buffer.from('damaged'));
      truncateSync(await blobs.path(damaged.sha256), 3);
      const absent = Array.from({ length: others + 1 }, (_, at) => blobOf(Buffer.from(`no ${at}`)));

      const lacking = await blobs.lacking([here, damaged, ...absent, here, ...absent]);

      assert.deepEqual(lacking, [damaged, ...absent]);
    });
  }

  it('are listed without the strangers among them', async (test) => {
    const root = await folder(test);
    const blobs = await openBlobs(root);
    const { sha256 } = blobs.put(Buffer.from('hello'));
    writeFileSync(join(root, 'sha256', 'ab', 'README'), 'not a blob');
    writeFileSync(join(root, 'sha256', 'ab', 'c'.repeat(64)), 'in the wrong directory');

    const listed: string[] = [];
    for await (const blob of blobs.list()) listed.push(blob.sha256);

    assert.deepEqual(listed, [sha256]);
  });
});
