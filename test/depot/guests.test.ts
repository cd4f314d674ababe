/** A depot is recovered while others go on with it, who only serve. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { openBlobs } from '../../depot/file-blobs.ts';
import { Layout } from '../../depot/layout.ts';
import { recover } from '../../depot/recovery.ts';
import { blobOf } from './blobs.contract.ts';
import { draftsIn, folder, markersIn } from './depot-folder.ts';

const content = randomBytes(600_000);
const { sha256, size } = blobOf(content);
const half = content.subarray(0, 300_000);

describe('recovery beside guests', () => {
  it('leaves them what they are writing, and they go on', async (test) => {
    const root = await folder(test);
    const guest = await openBlobs(root, { guest: true });
    const download = await guest.resume(sha256, size);
    await download.write(half);
    const { promise: more, resolve: send } = Promise.withResolvers<Buffer>();
    const writing = guest.write(slowly(more));
    guest.put(Buffer.from('not synced yet'));

    await openBlobs(root, { recover: 'beside guests' });

    assert.equal(draftsIn(root).length, 2);
    assert.equal(markersIn(root).length, 1);
    await download.write(content.subarray(download.offset));
    assert.deepEqual(await download.commit(), { sha256, size });
    send(Buffer.from('the end'));
    assert.equal((await writing).size, 'begun, the end'.length);
    await guest.close();
    assert.deepEqual(markersIn(root), []);
  });

  it('takes at once what the one has left who worked before', async (test) => {
    const root = await folder(test);
    await openBlobs(root, { guest: true });
    const dead = await openBlobs(root);
    dead.put(Buffer.from('not synced'));
    const download = await dead.resume(sha256, size);
    await download.write(half);
    await download.write(half.subarray(0, 1)); // the staged half goes to the file

    const blobs = await openBlobs(root, { recover: 'beside guests' });

    assert.deepEqual(draftsIn(root), []);
    assert.deepEqual(markersIn(root), []);
    assert.equal(blobs.recovery?.interrupted, 1);
    assert.ok((await blobs.resume(sha256, size)).offset >= half.length);
  });

  it('takes what guests have not touched for long: they are gone as well', async (test) => {
    const root = await folder(test);
    const dead = await openBlobs(root, { guest: true });
    dead.put(Buffer.from('not synced'));
    const download = await dead.resume(sha256, size);
    await download.write(half);
    await download.write(half.subarray(0, 1));

    await recover(new Layout(root), 'sync', { guests: true, freshMs: -60_000 });

    assert.deepEqual(draftsIn(root), []);
    assert.deepEqual(markersIn(root), []);
    const next = await openBlobs(root);
    assert.ok((await next.resume(sha256, size)).offset >= half.length);
  });

  it('reads again what a guest has stored on a machine that went down, and keeps its marker', async (test) => {
    const root = await folder(test);
    const guest = await openBlobs(root, { guest: true });
    const damaged = guest.put(Buffer.from('will be damaged')).sha256;
    writeFileSync(await guest.path(damaged), 'was damaged now');
    const [marker = ''] = markersIn(root);
    const otherBoot = '00000000-0000-4000-8000-000000000000';
    writeFileSync(`${root}/${marker}`, `${otherBoot}\n${new Date().toISOString()}\n`);

    const blobs = await openBlobs(root, { recover: 'beside guests' });

    assert.deepEqual(blobs.recovery?.removed, [damaged]);
    assert.deepEqual(markersIn(root), [marker]);
  });

  it('is not what a start alone is: that takes everything', async (test) => {
    const root = await folder(test);
    const dead = await openBlobs(root, { guest: true });
    dead.put(Buffer.from('not synced'));
    await (await dead.resume(sha256, size)).write(half);

    await openBlobs(root, { recover: true });

    assert.deepEqual([draftsIn(root), markersIn(root)], [[], []]);
  });
});

async function* slowly(more: Promise<Buffer>): AsyncGenerator<Buffer> {
  yield Buffer.from('begun, ');
  yield await more;
}
