import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { makeAr } from '../../apt/deb-container.ts';
import { readDeb } from '../../apt/deb.ts';
import { handMade } from './debs.ts';
import { control, isRefused, megabyte, refuses } from './hostile.ts';
import { rawTar } from './raw-tar.ts';

describe('an ar archive is refused', () => {
  const sized = (size: string) => {
    const bytes = handMade();
    bytes.write(size.padEnd(10), 8 + 48);
    return bytes;
  };

  for (const size of ['-1', '+4', '4x', '0x4', '4.0', '1e1', '', '4 4', '\x01']) {
    it(`with the size ${JSON.stringify(size)}`, () =>
      isRefused(sized(size), /^"debian-binary": its ar header has the size "/));
  }

  it('with a size beyond its end', () =>
    isRefused(
      sized('9999999999'),
      /debian-binary": more than|debian-binary: more than 4096 bytes/,
    ));

  it('with a member that ends after the file does', () =>
    isRefused(
      handMade({ dataArchive: ['data.tar', ''] }).subarray(0, -1),
      /^the file: it ends before data.tar/,
    ));

  it('without a member', () => isRefused(makeAr([]), /^the file: it ends before debian-binary$/));

  it('that is none', () => isRefused(Buffer.from('PK\x03\x04 and so on'), /no Debian package/));
  it('that is empty', () => isRefused(Buffer.alloc(0), /no Debian package/));

  refuses(
    'of another format',
    { format: ['debian-binary', '3.0\n'] },
    /^debian-binary: expected format 2.x, not "3.0"$/,
  );
  refuses(
    'without an end of line in its format',
    { format: ['debian-binary', '2.0'] },
    /expected format 2.x/,
  );
  refuses(
    'with another first member',
    { format: ['control.tar', '2.0\n'] },
    /first member is "control.tar"/,
  );
  refuses(
    'without control.tar',
    { controlArchive: ['data.tar', ''] },
    /^"data.tar": expected one of control.tar, control.tar.gz/,
  );
  refuses(
    'with another control.tar',
    { between: [['control.tar', rawTar([control])]] },
    /^"control.tar": expected one of data.tar,/,
  );
  refuses(
    'with a strange member in between',
    { between: [['prerm', '']] },
    /^"prerm": expected one of data.tar/,
  );
  refuses(
    'with control.tar of an unknown compression',
    { controlArchive: ['control.tar.bz2', ''] },
    /^"control.tar.bz2": expected/,
  );
  refuses(
    'with data.tar of an unknown compression',
    { dataArchive: ['data.tar.lz4', ''] },
    /^"data.tar.lz4": expected/,
  );
  refuses(
    'with members without end',
    { before: Array.from({ length: 1000 }, (): [string, string] => ['_x', '']) },
    /more than 100 members before control.tar$/,
  );

  it('as soon as it is larger than allowed, without reading on', async () => {
    let sent = 0;
    async function* endless(): AsyncGenerator<Uint8Array> {
      yield handMade({ dataArchive: ['data.tar', Buffer.alloc(megabyte)] });
      for (;;) {
        sent += 1;
        yield Buffer.alloc(megabyte);
      }
    }
    const reading = readDeb(endless(), { limits: { maxBytes: 5 * megabyte } });
    await assert.rejects(reading, { message: /^the file: it has more than the 5242880 bytes/ });
    assert.equal(sent, 4);
  });
});

describe('a reader', () => {
  it('passes the errors of its source on as they are, and lets go of it', async () => {
    const bytes = handMade({ controlArchive: ['control.tar.gz', gzipSync(rawTar([control]))] });
    for (const length of [0, 30, 100, 200, bytes.length]) {
      let isOver = false;
      async function* broken(): AsyncGenerator<Uint8Array> {
        try {
          yield bytes.subarray(0, length);
          throw new Error('connection reset');
        } finally {
          isOver = true;
        }
      }
      await assert.rejects(readDeb(broken(), { contents: true }), /^Error: connection reset$/);
      assert.ok(isOver);
    }
  });

  it('lets go of its source when it refuses the package', async () => {
    let isOver = false;
    async function* source(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) yield Buffer.alloc(1000);
      } finally {
        isOver = true;
      }
    }
    await assert.rejects(readDeb(source()), { reason: 'PackageInvalid' });
    assert.ok(isOver);
  });
});
