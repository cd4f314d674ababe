import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  scanPackageFacts,
  scanPackages,
  scanSourceFacts,
  scanSources,
  type PackageFacts,
  type PoolFile,
} from '../../apt/index-scan.ts';
import { inChunks, run, temporaryFolder } from './tools.ts';

const sha256 = 'a'.repeat(64);

async function packages(text: string | Buffer, chunk?: number): Promise<PoolFile[]> {
  const files: PoolFile[] = [];
  const count = await scanPackages(inChunks(Buffer.from(text), chunk), (file) => files.push(file));
  assert.equal(count, files.length);
  return files;
}

async function sources(text: string | Buffer, chunk?: number): Promise<PoolFile[]> {
  const files: PoolFile[] = [];
  const count = await scanSources(inChunks(Buffer.from(text), chunk), (file) => files.push(file));
  assert.equal(count, files.length);
  return files;
}

async function facts(text: string | Buffer, scan = scanPackageFacts): Promise<PackageFacts[]> {
  const found: PackageFacts[] = [];
  await scan(inChunks(Buffer.from(text)), (one) => found.push(one));
  return found;
}

const digest = (algorithm: string, path: string) =>
  createHash(algorithm).update(readFileSync(path)).digest('hex');

/** A pool with two .debs and a source package, made by dpkg's own tools. */
function makeArchive(): string {
  const folder = temporaryFolder();
  for (const [name, version, extra] of [
    ['hello', '1:1.0+x~1', 'Source: hello-src (1.0)\nSection: misc\n'],
    ['libx', '2', 'Provides: y\n'],
  ] as const) {
    const tree = join(folder, 'build', name);
    mkdirSync(join(tree, 'DEBIAN'), { recursive: true });
    writeFileSync(
      join(tree, 'DEBIAN/control'),
      `Package: ${name}\nVersion: ${version}\nArchitecture: all\nMaintainer: X <x@y>\n${extra}` +
        'Description: short\n long ☃\n .\n more\n',
    );
    mkdirSync(join(folder, 'pool'), { recursive: true });
    run('dpkg-deb', ['-b', tree, join(folder, 'pool')]);
  }
  return folder;
}

describe('a Packages index', () => {
  it('of apt-ftparchive is read with every file and its hashes', async () => {
    const folder = makeArchive();
    const index = run('apt-ftparchive', ['packages', 'pool'], { cwd: folder });

    const files = await packages(index);

    assert.equal(files.length, 2);
    for (const file of files) {
      const path = join(folder, file.path);
      assert.match(file.path, /^pool\/(hello_1.0\+x~1|libx_2)_all\.deb$/);
      assert.equal(file.size, statSync(path).size);
      assert.equal(file.sha256, digest('sha256', path));
      assert.equal(file.sha512, digest('sha512', path));
      assert.equal(file.sha1, digest('sha1', path));
      assert.equal(file.md5, digest('md5', path));
    }
    assert.deepEqual(await facts(index), [
      {
        package: 'hello',
        version: '1:1.0+x~1',
        architecture: 'all',
        source: 'hello-src',
        sourceVersion: '1.0',
        sha256: files[0]?.sha256,
        size: files[0]?.size,
        section: 'misc',
      },
      {
        package: 'libx',
        version: '2',
        architecture: 'all',
        source: 'libx',
        sha256: files[1]?.sha256,
        size: files[1]?.size,
      },
    ]);
  });

  const stanza = (fields: string) => `Package: x\n${fields}SHA256: ${sha256}\n`;
  const whole = stanza('Filename: ./a.deb\nSize: 1\n');

  it('may have ./ before names, other cases, Windows line ends and no newline at its end', async () => {
    const odd = `package: y\r\nFILENAME:  b.deb \r\nsize:2\r\nShA256: ${sha256.toUpperCase()}`;

    assert.deepEqual(await packages(`\n\n${whole}\n\n${odd}`), [
      { path: 'a.deb', size: 1, sha256 },
      { path: 'b.deb', size: 2, sha256 },
    ]);
  });

  it('may be empty', async () => {
    assert.deepEqual(await packages(''), []);
    assert.deepEqual(await packages('\n\n'), []);
  });

  it('reads the same however it is cut into pieces', async () => {
    const text = Array.from({ length: 50 }, (_, index) =>
      stanza(`Filename: ${index}.deb\nDescription: a\n b\n Size: 9\nSize: ${index}\n`),
    ).join('\n');
    const expected = await packages(text);

    assert.equal(expected.length, 50);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 400 }), async (chunk) => {
        assert.deepEqual(await packages(text, chunk), expected);
      }),
      { numRuns: 20 },
    );
  });

  it('reads the same across the batches of a large index', async () => {
    const text = Array.from({ length: 20_000 }, (_, index) =>
      stanza(`Filename: pool/${index}.deb\nSize: ${index}\nX: ${'y'.repeat(index % 97)}\n`),
    ).join('\n');

    const files = await packages(text, 100_003);

    assert.equal(files.length, 20_000);
    assert.ok(
      files.every(({ path, size }, index) => path === `pool/${index}.deb` && size === index),
    );
  });

  for (const [title, text, message] of [
    ['no Package', `${whole}\nFilename: b\n`, /the paragraph at line 6: no Package/],
    ['no Filename', stanza('Size: 1\n'), /package x at line 1: no Filename/],
    ['no Size', stanza('Filename: a\n'), /no Size/],
    ['a Size that is no number', stanza('Filename: a\nSize: 0x1\n'), /no Size/],
    ['a negative Size', stanza('Filename: a\nSize: -1\n'), /no Size/],
    ['no hash', 'Package: x\nFilename: a\nSize: 1\n', /neither SHA256 nor SHA512/],
    ['weak hashes only', 'Package: x\nFilename: a\nSize: 1\nMD5sum: ' + 'a'.repeat(32), /neither/],
    [
      'a hash that is too short',
      'Package: x\nFilename: a\nSize: 1\nSHA256: abc\n',
      /64 hex digits/,
    ],
    ['a field twice', `${whole}Size: 2\n`, /line 5: field size comes twice/],
    ['a line over 1 MiB', `${whole}X: ${'x'.repeat(1024 * 1024)}\n`, /longer than/],
    [
      'a paragraph over 4 MiB',
      whole + `X: ${'x'.repeat(1000)}\n`.repeat(4400),
      /a paragraph of more/,
    ],
    ['a web page', '<html>\n<body>404</body>\n', /no Package/],
  ] as const) {
    it(`is refused when it has ${title}`, async () => {
      await assert.rejects(packages(text), { reason: 'IndexInvalid', message });
      await assert.rejects(packages(text, 1000), { reason: 'IndexInvalid' });
    });
  }

  it('is refused when a package lies outside of the archive', async () => {
    const wrong = stanza('Filename: ../../etc/passwd\nSize: 1\n');

    await assert.rejects(packages(`${whole}\n${wrong}`), {
      reason: 'PathUnsafe',
      message: /package x at line 6: .*has a part that is/,
    });
  });

  it('hands on the errors of the one who reads it', async () => {
    const failure = new Error('enough');

    await assert.rejects(
      scanPackages(inChunks(Buffer.from(whole)), () => {
        throw failure;
      }),
      failure,
    );
  });
});

describe('a Sources index', () => {
  const md5 = 'b'.repeat(32);
  const entry = (directory: string, more = '') =>
    `Package: x\nVersion: 1-1\nDirectory: ${directory}\nSection: misc\nFiles:\n ${md5} 10 x_1.dsc\n` +
    ` ${md5} 20 x_1.tar.xz\n${more}Checksums-Sha256:\n ${sha256} 10 x_1.dsc\n ${sha256} 20 x_1.tar.xz\n`;

  it('of apt-ftparchive is read with every file and its hashes', async () => {
    const folder = temporaryFolder();
    const pool = join(folder, 'pool/main/x');
    mkdirSync(pool, { recursive: true });
    writeFileSync(join(pool, 'x_1.tar.gz'), 'not really');
    const [md5sum, sha1, sha2] = ['md5', 'sha1', 'sha256'].map((algorithm) =>
      digest(algorithm, join(pool, 'x_1.tar.gz')),
    );
    writeFileSync(
      join(pool, 'x_1.dsc'),
      'Format: 1.0\nSource: x\nBinary: x\nArchitecture: any\nVersion: 1\nMaintainer: X <x@y>\n' +
        `Files:\n ${md5sum} 10 x_1.tar.gz\nChecksums-Sha1:\n ${sha1} 10 x_1.tar.gz\n` +
        `Checksums-Sha256:\n ${sha2} 10 x_1.tar.gz\n`,
    );
    const index = run('apt-ftparchive', ['sources', 'pool'], { cwd: folder });

    const files = await sources(index);

    assert.deepEqual(files.map(({ path }) => path).sort(), [
      'pool/main/x/x_1.dsc',
      'pool/main/x/x_1.tar.gz',
    ]);
    for (const { path, size, ...hashes } of files) {
      assert.equal(size, statSync(join(folder, path)).size);
      assert.equal(hashes.sha256, digest('sha256', join(folder, path)));
      assert.equal(hashes.md5, digest('md5', join(folder, path)));
    }
    const [fact] = await facts(index, scanSourceFacts);
    assert.equal(fact?.sha256, digest('sha256', join(pool, 'x_1.dsc')));
    assert.equal(fact?.size, 10 + statSync(join(pool, 'x_1.dsc')).size);
    assert.equal(fact?.architecture, 'source');
  });

  for (const directory of ['.', './', '']) {
    it(`of a flat repository may call its directory ${JSON.stringify(directory)}`, async () => {
      const [first] = await sources(entry(directory));

      assert.deepEqual(first, { path: 'x_1.dsc', size: 10, sha256, md5 });
    });
  }

  for (const [title, text, message] of [
    ['no Directory', entry('a').replace('Directory: a\n', ''), /package x at line 1: no Directory/],
    ['no files', 'Package: x\nDirectory: a\n', /no files/],
    [
      'weak hashes only',
      entry('a').replace(/Checksums[^]*/, ''),
      /neither SHA256 nor SHA512 of a\/x_1/,
    ],
    [
      'two sizes of a file',
      entry('a').replace(`${sha256} 10`, `${sha256} 11`),
      /two sizes of x_1.dsc/,
    ],
    [
      'a path in the place of a name',
      entry('a').replaceAll('x_1.dsc', '../x'),
      /expected "hash size/,
    ],
    ['a line of two words', entry('a').replace(' 10 x_1.dsc', ' 10'), /expected "hash size name"/],
  ] as const) {
    it(`is refused when it has ${title}`, async () => {
      await assert.rejects(sources(text), { reason: 'IndexInvalid', message });
    });
  }

  it('is refused when its directory lies outside of the archive', async () => {
    await assert.rejects(sources(entry('../a')), { reason: 'PathUnsafe' });
    await assert.rejects(sources(entry('/a')), { reason: 'PathUnsafe' });
  });
});
