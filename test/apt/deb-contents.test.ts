import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { makeTar } from '../../apt/deb-container.ts';
import { dpkgFiles, handMade, read } from './debs.ts';
import { compressed, dataOf, isRefused, megabyte, refuses } from './hostile.ts';
import { paxOf, rawEntry, rawTar, type RawEntry } from './raw-tar.ts';
import { run, temporaryFolder } from './tools.ts';

const folder = temporaryFolder();

describe('a data.tar', () => {
  it('may have every compression that dpkg knows, but lzma when its files are listed', async () => {
    const tar = makeTar([
      { name: './' },
      { name: './etc/' },
      { name: './etc/x', content: Buffer.from('x') },
    ]);
    const bzip2 = handMade({ dataArchive: ['data.tar.bz2', run('bzip2', [], { input: tar })] });
    const lzma = handMade({
      dataArchive: ['data.tar.lzma', run('xz', ['--format=lzma'], { input: tar })],
    });
    for (const [name, bytes] of Object.entries({ bzip2, lzma })) {
      writeFileSync(join(folder, name), bytes);
      assert.deepEqual(dpkgFiles(join(folder, name)), ['etc/x']);
    }

    assert.deepEqual((await read(bzip2, { contents: true })).files, ['etc/x']);
    assert.equal((await read(lzma)).package, 'hello-x');
    await assert.rejects(read(lzma, { contents: true }), {
      reason: 'PackageInvalid',
      message: /^data\.tar\.lzma: .*-Zxz/,
    });
  });

  it('is not looked into when nobody asks for its files', async () => {
    const deb = await read(handMade({ dataArchive: ['data.tar.xz', 'no archive'] }));
    assert.equal(deb.package, 'hello-x');
  });

  it('lists the same files as dpkg for every dialect of tar', async () => {
    const tree = join(folder, 'dialects');
    const long = `deep/${'d'.repeat(60)}/${'e'.repeat(90)}`;
    const script =
      'mkdir -p "$1/$(dirname "$2")" "$1/empty"; cd "$1"; echo x >"$2"; echo y >short; ln short hard; ' +
      'ln -s "$2" soft; mkfifo fifo; truncate -s 3M sparse; echo z >>sparse; printf x >"latin1-\\351"';
    run('sh', ['-ec', script, 'sh', tree, long]);
    for (const args of [
      ['--format=gnu'],
      ['--format=gnu', '--sparse'],
      ['--format=pax'],
      ['--format=pax', '--sparse', '--sparse-version=1.0'],
      ['--format=pax', '--sparse', '--sparse-version=0.1'],
      ['--format=ustar', '--exclude=soft'],
      ['--format=v7', '--exclude=soft', '--exclude=deep', '--exclude=fifo'],
    ]) {
      const tar = run('tar', ['-c', ...args, '-C', tree, '.']);
      const path = join(folder, `dialect${args.join('')}.deb`);
      writeFileSync(path, handMade({ dataArchive: ['data.tar.gz', gzipSync(tar)] }));
      const { files } = await read(readFileSync(path), { contents: true });
      assert.deepEqual(files, dpkgFiles(path));
      assert.equal(files?.length, 7 - args.filter((arg) => arg.startsWith('--exclude')).length);
    }
  });
});

describe('a data.tar is refused when its files are listed', () => {
  refuses(
    'with a path out of the system',
    dataOf({ name: './usr/../../x' }),
    /^data\.tar: path ".*" has a part \.\.$/,
  );
  refuses(
    'with a path that a pax header leads out',
    dataOf({ name: 'x', type: 'x', content: paxOf({ path: '..' }) }, { name: 'y' }),
    /has a part \.\.$/,
  );
  for (const [type, kind] of Object.entries({ 2: 'symlink', 3: 'device', 5: 'directory' })) {
    refuses(
      `with a ${kind} that has content, where readers would go different ways`,
      dataOf({ name: 'x', type, content: 'y' }, { name: 'z' }),
      new RegExp(`^data\\.tar: the ${kind} "x" has content$`),
    );
  }
  refuses(
    'with two headers in a row that name one file',
    dataOf(
      { name: 'p', type: 'x', content: paxOf({ path: 'a' }) },
      { name: 'l', type: 'L', content: 'b' },
      { name: 'c' },
    ),
    /^data\.tar: two headers in a row describe the same entry$/,
  );
  refuses(
    'with a pax header that names all files',
    dataOf({ name: 'p', type: 'g', content: paxOf({ path: 'a' }) }, { name: 'c' }),
    /^data\.tar: a pax header for all files gives them a path, a link, a size or holes$/,
  );
  refuses(
    'with a path that is too long',
    dataOf({ name: 'x', type: 'L', content: 'y/'.repeat(2049) }, { name: 'y' }),
    /a path is longer than 4096 bytes/,
  );
  refuses(
    'with too many files',
    dataOf({ name: 'a' }, { name: 'b' }, { name: 'c' }),
    /^data\.tar: it has more than 2 entries$/,
    { maxFiles: 2 },
  );
  refuses(
    'with too many characters in all paths',
    dataOf({ name: 'aaaa' }, { name: 'bbbb' }),
    /its paths have more than 7 characters/,
    { maxPaths: 7 },
  );
  refuses(
    'when it is not whole',
    { dataArchive: ['data.tar', rawTar([{ name: 'a', content: 'x' }]).subarray(0, 700)] },
    /^data\.tar: the tar archive is cut short$/,
  );

  for (const [extension, packed] of compressed(
    rawTar([{ name: 'zeros', content: Buffer.alloc(40 * megabyte) }]),
  )) {
    refuses(
      `when it unpacks to more than allowed (${extension})`,
      { dataArchive: [`data.tar${extension}`, packed] },
      /decompresses to more than 1048576 bytes/,
      { maxData: megabyte },
    );
  }

  it('when zeros without end follow its end', async () => {
    const tail = zstdCompressSync(Buffer.concat([rawTar([]), Buffer.alloc(40 * megabyte)]));
    await isRefused(
      handMade({ dataArchive: ['data.tar.zst', tail] }),
      /decompresses to more than/,
      { maxData: megabyte },
    );
  });
});

describe('a data.tar with oddities', () => {
  const files = async (...entries: RawEntry[]) =>
    (await read(handMade(dataOf(...entries)), { contents: true })).files;

  it('lists each path once, from the root, and nothing that no line could name', async () => {
    const found = await files(
      { name: './' },
      { name: '/abs' },
      { name: './/usr//bin/./x' },
      { name: 'usr/bin/x' },
      { name: 'a\nb' },
      { name: 'a\tb' },
      { name: 'dir/', content: '' },
      { name: 'a b' },
      { name: '...' },
    );
    assert.deepEqual(found, ['abs', 'usr/bin/x', 'a b', '...']);
  });

  it('goes on behind what only backups have', async () => {
    const found = await files(
      { name: 'volume', type: 'V' },
      { name: 'folder/', type: 'D', content: 'Yfile\0\0' },
      { name: 'x', type: 'g', content: paxOf({ comment: 'x' }) },
      { name: 'unknown', type: 'Z', content: 'z' },
      { name: 'last' },
    );
    assert.deepEqual(found, ['unknown', 'last']);
  });

  it('has no content where hard links say that there is some', async () => {
    const found = await files({ name: 'l', type: '1', size: '00000001000\0' }, { name: 'next' });
    assert.deepEqual(found, ['l', 'next']);
  });

  it('may end without its block of zeros', async () => {
    const bare = Buffer.concat(rawEntry({ name: 'x', content: 'y' }));
    const deb = await read(handMade({ dataArchive: ['data.tar', bare] }), { contents: true });
    assert.deepEqual(deb.files, ['x']);
  });
});
