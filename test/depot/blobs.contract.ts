import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import type { Blob, Blobs } from '../../depot/depot.ts';

export interface OpenedBlobs {
  readonly blobs: Blobs;
  readonly close: () => Promise<void>;
}

export function blobOf(content: Uint8Array): Blob {
  return {
    sha256: createHash('sha256').update(content).digest('hex'),
    size: content.length,
  };
}

export async function* chunks(...parts: (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield Buffer.from(part);
}

async function* breaksOff(): AsyncGenerator<Uint8Array> {
  yield Buffer.from('hel');
  throw new Error('connection reset');
}

const hello = blobOf(Buffer.from('hello'));
const other = blobOf(Buffer.from('other'));

/** What every store of blobs owes its callers. A new one is one more call of this. */
export function blobsContract(name: string, open: () => Promise<OpenedBlobs>): void {
  describe(`${name} blobs`, () => {
    let opened: OpenedBlobs;
    let blobs: OpenedBlobs['blobs'];

    before(async () => {
      opened = await open();
      blobs = opened.blobs;
    });
    after(() => opened.close());

    async function names(): Promise<string[]> {
      const found: string[] = [];
      for await (const { sha256 } of blobs.list()) found.push(sha256);
      return found.sort();
    }

    it('put gives back the name and size of what it was given', async () => {
      assert.deepEqual(blobs.put(Buffer.from('hello')), hello);

      assert.equal(await blobs.size(hello.sha256), 5);
      assert.equal((await blobs.bytes(hello.sha256)).toString(), 'hello');
      assert.equal(await readFile(await blobs.path(hello.sha256), 'utf8'), 'hello');
    });

    it('write stores a stream like put stores bytes', async () => {
      assert.deepEqual(await blobs.write(chunks('str', '', 'eam')), blobOf(Buffer.from('stream')));
    });

    for (const size of [0, 1, 64 * 1024, 256 * 1024, 256 * 1024 + 1, 3_000_000]) {
      it(`gives back ${size} bytes as they were, in whatever chunks they came`, async () => {
        const content = Buffer.alloc(size, `content of ${size} bytes;`);
        const middle = Math.floor(size / 3);
        const parts = chunks(content.subarray(0, middle), content.subarray(middle));

        const blob = await blobs.write(parts, blobOf(content));

        assert.ok((await blobs.bytes(blob.sha256)).equals(content));
        assert.ok((await buffer(await blobs.read(blob.sha256))).equals(content));
      });
    }

    it('stores what it was handed even when the buffer is reused right after', async () => {
      const reused = Buffer.alloc(100_000);
      async function* source(): AsyncGenerator<Uint8Array> {
        for (let byte = 0; byte < 10; byte++) yield reused.fill(byte);
      }

      const { sha256 } = await blobs.write(source());

      const expected = Buffer.concat(
        Array.from({ length: 10 }, (_, b) => Buffer.alloc(100_000, b)),
      );
      assert.ok((await blobs.bytes(sha256)).equals(expected));
    });

    it('reads ranges, both ends included', async () => {
      const { sha256 } = blobs.put(Buffer.from('0123456789'));
      const text = async (range: { start?: number; end?: number }) =>
        (await buffer(await blobs.read(sha256, range))).toString();

      assert.equal(await text({ start: 2, end: 4 }), '234');
      assert.equal(await text({ start: 7 }), '789');
      assert.equal(await text({ end: 0 }), '0');
      assert.equal(await text({ start: 5, end: 100 }), '56789');
    });

    it('keeps the same content once, also when many store it at the same time', async () => {
      const content = Buffer.alloc(400_000, 'same');
      const stored = await Promise.all(
        Array.from({ length: 8 }, async (_, i) =>
          i % 2 === 0 ? blobs.write(chunks(content)) : blobs.put(content),
        ),
      );

      assert.ok(stored.every(({ sha256 }) => sha256 === blobOf(content).sha256));
      const same = (await names()).filter((sha256) => sha256 === blobOf(content).sha256);
      assert.equal(same.length, 1);
    });

    const unwanted: [string, string, () => Promise<unknown>][] = [
      [
        'bytes with another hash',
        'HashMismatch',
        async () => blobs.put(Buffer.from('bytes'), other),
      ],
      ['bytes that are too long', 'TooLarge', async () => blobs.put(Buffer.from('longer'), other)],
      ['bytes that are too short', 'HashMismatch', async () => blobs.put(Buffer.from('x'), other)],
      ['a stream with another hash', 'HashMismatch', () => blobs.write(chunks('bytes'), other)],
      ['a stream that is too long', 'TooLarge', () => blobs.write(chunks('oth', 'ers'), other)],
      ['a stream that is too short', 'HashMismatch', () => blobs.write(chunks('oth'), other)],
    ];
    for (const [what, reason, store] of unwanted) {
      it(`refuses ${what} and keeps nothing of it`, async () => {
        const held = await names();

        await assert.rejects(store, { reason });

        assert.deepEqual(await names(), held);
      });
    }

    it('stops reading a stream as soon as it is too long', async () => {
      let sent = 0;
      async function* endless(): AsyncGenerator<Uint8Array> {
        for (;;) yield Buffer.alloc(1000, sent++);
      }

      await assert.rejects(blobs.write(endless(), { ...other, size: 2500 }), {
        reason: 'TooLarge',
      });

      assert.equal(sent, 3);
    });

    it('passes on the failure of a stream that breaks off, and keeps nothing of it', async () => {
      const held = await names();

      await assert.rejects(blobs.write(breaksOff()), { message: 'connection reset' });

      assert.deepEqual(await names(), held);
    });

    it('says that a blob is missing', async () => {
      assert.equal(await blobs.size(other.sha256), undefined);
      await assert.rejects(blobs.path(other.sha256), { reason: 'BlobMissing' });
      await assert.rejects(blobs.read(other.sha256), { reason: 'BlobMissing' });
      await assert.rejects(blobs.bytes(other.sha256), { reason: 'BlobMissing' });
    });

    for (const bad of ['', '..', '../../etc/passwd', hello.sha256.toUpperCase(), 'a'.repeat(63)]) {
      it(`never takes ${JSON.stringify(bad)} for the name of a blob`, async () => {
        await assert.rejects(blobs.size(bad), { reason: 'BlobMissing' });
        await assert.rejects(blobs.path(bad), { reason: 'BlobMissing' });
        await assert.rejects(blobs.read(bad), { reason: 'BlobMissing' });
        await assert.rejects(blobs.bytes(bad), { reason: 'BlobMissing' });
        await assert.rejects(blobs.remove(bad), { reason: 'BlobMissing' });
      });
    }

    it('does not read a blob into memory that is larger than the caller allows', async () => {
      const { sha256 } = blobs.put(Buffer.alloc(1000));

      await assert.rejects(blobs.bytes(sha256, 999), { reason: 'TooLarge' });
      assert.equal((await blobs.bytes(sha256, 1000)).length, 1000);
    });

    it('lists what is there with size and age', async () => {
      const { sha256, size } = blobs.put(Buffer.from('listed'));

      for await (const blob of blobs.list()) {
        if (blob.sha256 !== sha256) continue;
        assert.equal(blob.size, size);
        assert.ok(Math.abs(Date.now() - blob.storedAt) < 60_000);
        return;
      }
      assert.fail('not listed');
    });

    it('removes a blob, also one that is not there', async () => {
      const { sha256 } = blobs.put(Buffer.from('to be removed'));

      await blobs.remove(sha256);
      await blobs.remove(sha256);

      assert.equal(await blobs.size(sha256), undefined);
    });

    it('syncs, also with nothing to sync and several times at once', async () => {
      blobs.put(Buffer.from('to be synced'));
      await Promise.all([blobs.sync(), blobs.sync()]);
      await blobs.sync();
    });
  });
}
