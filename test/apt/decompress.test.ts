import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  compressionOf,
  decompress,
  preferredCompressions,
  type Compression,
} from '../../apt/decompress.ts';
import { collect, inChunks, run } from './tools.ts';

const limit = { maxBytes: 64 * 1024 * 1024 };

const tools = {
  '.gz': ['gzip', '-c'],
  '.xz': ['xz', '-c'],
  '.bz2': ['bzip2', '-c'],
  '.zst': ['zstd', '-q', '-c'],
} as const;
type Packed = keyof typeof tools;
const packed = Object.keys(tools) as Packed[];

function compress(extension: Packed, input: Uint8Array, ...extra: string[]): Buffer {
  const [program, ...args] = tools[extension];
  return run(program, [...args, ...extra], { input });
}

const unpack = (bytes: Uint8Array, extension: Compression, chunk?: number) =>
  collect(decompress(inChunks(bytes, chunk), extension, limit));

/** Text that looks like an index, with some noise in it. */
const content = Buffer.from(
  Array.from({ length: 6_000 }, (_, index) => {
    const sum = createHash('sha256').update(String(index)).digest('hex');
    return `Package: p${index}\nSize: ${index * 7}\nSHA256: ${sum}\n\n`;
  }).join(''),
);

for (const extension of packed) {
  describe(`a ${extension} file`, () => {
    const whole = compress(extension, content);

    it('is decoded to what was compressed', async () => {
      assert.ok((await unpack(whole, extension)).equals(content));
    });

    it('may arrive in tiny pieces', async () => {
      const small = content.subarray(0, 5000);

      assert.ok((await unpack(compress(extension, small), extension, 3)).equals(small));
    });

    it('may be several compressed streams in a row', async () => {
      const twice = await unpack(Buffer.concat([whole, whole]), extension);

      assert.ok(twice.equals(Buffer.concat([content, content])));
    });

    it('may hold nothing', async () => {
      assert.equal((await unpack(compress(extension, Buffer.alloc(0)), extension)).length, 0);
    });

    it('of any content comes back', async () => {
      const any = fc.oneof(
        fc.uint8Array({ maxLength: 3000 }),
        fc
          .tuple(fc.nat({ max: 255 }), fc.nat({ max: 2000 }))
          .map(([byte, size]) => new Uint8Array(size).fill(byte)),
      );

      await fc.assert(
        fc.asyncProperty(any, async (bytes) => {
          assert.ok((await unpack(compress(extension, bytes), extension)).equals(bytes));
        }),
        { numRuns: 15 },
      );
    });

    it('that is cut short is refused, wherever it was cut', async () => {
      const cuts = [0, 1, 5, 20, Math.floor(whole.length / 2), whole.length - 9, whole.length - 1];
      for (const cut of cuts) {
        await assert.rejects(unpack(whole.subarray(0, cut), extension), {
          reason: 'IndexInvalid',
          message: new RegExp(`the ${extension} file cannot be decompressed: .`),
        });
      }
    });

    it('that is empty is refused, and the message says so', () =>
      assert.rejects(unpack(new Uint8Array(), extension), { message: /: it is empty$/ }));

    it('that is corrupt is refused', async () => {
      const broken = Buffer.from(whole);
      broken.fill(0x55, broken.length >> 1, (broken.length >> 1) + 40);

      await assert.rejects(unpack(broken, extension), { reason: 'IndexInvalid' });
      await assert.rejects(unpack(Buffer.from('<html>no index'), extension), {
        reason: 'IndexInvalid',
      });
    });

    it('that grows beyond the limit is given up at once', async () => {
      const bomb = compress(extension, Buffer.alloc(32 * 1024 * 1024));
      let received = 0;
      const read = async () => {
        for await (const chunk of decompress(inChunks(bomb), extension, { maxBytes: 1_000_000 })) {
          received += chunk.length;
        }
      };

      await assert.rejects(read, { reason: 'TooLarge' });
      assert.ok(received <= 1_000_000);
    });

    it('ends its source when nobody reads on', async () => {
      let ended = false;
      async function* source(): AsyncGenerator<Uint8Array> {
        try {
          for (;;) {
            yield whole;
            await sleep(1);
          }
        } finally {
          ended = true;
        }
      }

      for await (const chunk of decompress(source(), extension, limit)) {
        if (chunk.length > 0) break;
      }
      for (let tries = 0; !ended && tries < 6000; tries++) await sleep(10);

      assert.equal(ended, true);
    });

    it('tells why its source failed', async () => {
      const failure = new Error('connection reset');
      async function* source(): AsyncGenerator<Uint8Array> {
        yield whole.subarray(0, 100);
        throw failure;
      }

      await assert.rejects(collect(decompress(source(), extension, limit)), failure);
    });

    it('can be read in turns with others of its kind', async () => {
      const readers = Array.from({ length: 4 }, () =>
        decompress(inChunks(whole), extension, limit)[Symbol.asyncIterator](),
      );
      const sizes = readers.map(() => 0);

      while (sizes.some((size) => size < content.length)) {
        for (const [index, reader] of readers.entries()) {
          const { value } = await reader.next();
          sizes[index] = (sizes[index] ?? 0) + (value?.length ?? 0);
        }
      }

      assert.deepEqual(
        sizes,
        readers.map(() => content.length),
      );
    });
  });
}

describe('xz', () => {
  it('is decoded with every check and dictionary that indexes are packed with', async () => {
    for (const extra of [
      ['-9'],
      ['--check=crc32'],
      ['--check=none'],
      ['-T2', '--block-size=9999'],
    ]) {
      assert.ok((await unpack(compress('.xz', content, ...extra), '.xz')).equals(content));
    }
  });

  it('is refused when it asks for too much memory', async () => {
    await assert.rejects(unpack(compress('.xz', content, '--lzma2=dict=1GiB'), '.xz'), {
      reason: 'IndexInvalid',
      message: /more memory than is allowed/,
    });
  });
});

describe('bzip2', () => {
  it('is decoded whatever the size of its blocks', async () => {
    const large = Buffer.concat([content, Buffer.alloc(300_000, 7), content]);
    for (const extra of ['-1', '-5', '-9']) {
      assert.ok((await unpack(compress('.bz2', large, extra), '.bz2')).equals(large));
    }
  });
});

describe('a file that is not compressed', () => {
  it('passes through, but not beyond the limit', async () => {
    assert.ok((await unpack(content, '')).equals(content));
    await assert.rejects(collect(decompress(inChunks(content), '', { maxBytes: 10 })), {
      reason: 'TooLarge',
    });
  });
});

describe('the compression of a path', () => {
  it('is told by its extension', () => {
    assert.deepEqual(
      ['Packages', 'Packages.xz', 'a.tar.gz', 'x.zst', 'x.bz2', 'x.lz4', 'x.lzma'].map(
        compressionOf,
      ),
      ['', '.xz', '.gz', '.zst', '.bz2', '.lz4', '.lzma'],
    );
    assert.equal(preferredCompressions[0], '');
  });

  it('that cannot be decoded is named', async () => {
    await assert.rejects(collect(decompress(inChunks(content), '.lz4', limit)), {
      reason: 'IndexInvalid',
      message: '.lz4 files are not supported',
    });
  });
});
