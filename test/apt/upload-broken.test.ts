/** What people upload by mistake, or not by mistake. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { CairnError } from '../../crds/reasons.ts';
import { readBuildinfo, readChanges, readDsc } from '../../apt/upload.ts';

const md5 = 'a'.repeat(32);
const sha1 = 'b'.repeat(40);
const sha256 = 'c'.repeat(64);

const dsc = {
  Format: '3.0 (quilt)',
  Source: 'hello',
  Version: '1-1',
  'Checksums-Sha1': `\n ${sha1} 12 hello_1.orig.tar.gz\n ${sha1} 34 hello_1-1.debian.tar.xz`,
  'Checksums-Sha256': `\n ${sha256} 12 hello_1.orig.tar.gz\n ${sha256} 34 hello_1-1.debian.tar.xz`,
  Files: `\n ${md5} 12 hello_1.orig.tar.gz\n ${md5} 34 hello_1-1.debian.tar.xz`,
};

const changes = {
  ...dsc,
  Architecture: 'source',
  Distribution: 'stable',
  Files: dsc.Files.replaceAll(/ (\d\d) /g, ' $1 misc optional '),
};

type Fields = Readonly<Record<string, string | undefined>>;

function textOf(fields: Fields): Buffer {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Buffer.from(given.map(([name, value]) => `${name}: ${value}\n`).join(''));
}

/** With the same change in every list. */
function inAll(from: string, to: string): Fields {
  const lists = ['Checksums-Sha1', 'Checksums-Sha256', 'Files'] as const;
  return {
    ...dsc,
    ...Object.fromEntries(lists.map((name) => [name, dsc[name].replaceAll(from, to)])),
  };
}

type Reader = (bytes: Uint8Array, options: { readonly name: string }) => Promise<unknown>;

async function isRefused(fields: Fields, message: RegExp, read: Reader = readDsc): Promise<void> {
  const reading = read(textOf(fields), { name: 'it' });
  await assert.rejects(reading, { reason: 'PackageInvalid', message });
}

describe('a .dsc is refused', () => {
  for (const field of ['Format', 'Source', 'Version', 'Files', 'Checksums-Sha256']) {
    it(`without ${field}`, () =>
      isRefused({ ...dsc, [field]: undefined }, new RegExp(`^it: no field ${field}$`)));
  }

  it('when a list lacks a file', () =>
    isRefused(
      { ...dsc, Files: `\n ${md5} 12 hello_1.orig.tar.gz` },
      /^it: field Files: it lacks hello_1-1\.debian\.tar\.xz of Checksums-Sha256$/,
    ));
  it('when a list has a file more', () =>
    isRefused(
      { ...dsc, 'Checksums-Sha1': `${dsc['Checksums-Sha1']}\n ${sha1} 1 more` },
      /^it: field Checksums-Sha1: more is not in Checksums-Sha256$/,
    ));
  it('when the lists have other sizes', () =>
    isRefused(
      { ...dsc, Files: dsc.Files.replace(' 34 ', ' 35 ') },
      /^it: field Files: another size of hello_1-1\.debian\.tar\.xz$/,
    ));
  it('when a file comes twice', () =>
    isRefused(inAll('_1-1.debian.tar.xz', '_1.orig.tar.gz'), /comes twice$/));
  it('when it lists itself', () =>
    isRefused(inAll('.debian.tar.xz', '.dsc'), /hello_1-1\.dsc can't list itself$/));
  it('with a hash of another length', () =>
    isRefused(
      { ...dsc, Files: dsc.Files.replace(md5, sha1) },
      /Files: expected 32 hex digits, not "bbb/,
    ));
  it('with a hash that is none', () =>
    isRefused(inAll(sha256, 'x'.repeat(64)), /expected 64 hex digits/));
  it('with a line that has a word more', () =>
    isRefused(inAll('.gz', '.gz x'), /expected "hash size name", not "/));
  for (const [field, value] of Object.entries({ Format: 'x', Source: '../x', Version: '1/../2' })) {
    it(`with the ${field} ${value}`, () =>
      isRefused({ ...dsc, [field]: value }, new RegExp(`^it: field ${field}: `)));
  }
  it('with a list of blanks within', () =>
    isRefused({ ...dsc, 'Package-List': '\n a b\n \n c d' }, /^it line 15: a line of blanks only/));

  for (const name of [
    '../x',
    '/x',
    'a/b',
    '.x',
    '-x',
    '..',
    'a b',
    'a\\b',
    'a$b',
    'a;b',
    'a%2fb',
    'é',
    'x'.repeat(256),
  ]) {
    it(`with a file ${name.slice(0, 9)}`, () =>
      isRefused(
        inAll('hello_1.orig.tar.gz', name),
        /Checksums-Sha256: (".*" is no name|expected "hash)/,
      ));
  }

  for (const size of ['-1', '1.5', '0x1', 'x', '9'.repeat(16)]) {
    it(`with the size ${size}`, () =>
      isRefused(inAll(' 34 ', ` ${size} `), / is no size of a file$/));
  }

  it('with files without end', () => {
    const many = Array.from({ length: 10_001 }, (_, index) => `\n ${sha256} 1 x${index}`).join('');
    return isRefused({ ...dsc, 'Checksums-Sha256': many }, /more than 10000 files$/);
  });

  it('that is larger than any', () =>
    assert.rejects(readDsc(Buffer.alloc(16 * 2 ** 20 + 1)), {
      message: /more than the 16777216 bytes/,
    }));
});

describe('a .changes is refused', () => {
  for (const field of [
    'Source',
    'Version',
    'Architecture',
    'Distribution',
    'Files',
    'Checksums-Sha256',
  ]) {
    it(`without ${field}`, () =>
      isRefused(
        { ...changes, [field]: undefined },
        new RegExp(`^it: no field ${field}$`),
        readChanges,
      ));
  }
  it('with a section that is no word', () =>
    isRefused(
      { ...changes, Files: changes.Files.replace('misc', '../misc') },
      /field Files: "\.\.\/misc" is no section or priority$/,
      readChanges,
    ));
  it('without section and priority', () =>
    isRefused(
      { ...changes, Files: dsc.Files },
      /expected "hash size section priority name"/,
      readChanges,
    ));
  for (const suite of ['../x', 'a/../b', '/x', '-x', 'a//b', 'a\u202eb']) {
    it(`for the distribution ${JSON.stringify(suite)}`, () =>
      isRefused(
        { ...changes, Distribution: suite },
        /field Distribution: expected names/,
        readChanges,
      ));
  }
});

describe('whatever is uploaded', () => {
  it('is read, or refused with a reason', async () => {
    const whole = [textOf(dsc), textOf(changes)];
    const damage = fc.record({
      at: fc.nat(600),
      bytes: fc.uint8Array({ maxLength: 4 }),
      cut: fc.nat(9),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...whole),
        damage,
        async (bytes, { at, bytes: put, cut }) => {
          const broken = Buffer.concat([bytes.subarray(0, at), put, bytes.subarray(at + cut)]);
          for (const read of [readDsc, readChanges, readBuildinfo]) {
            try {
              const { files } = await read(broken);
              for (const { name } of files) assert.match(name, /^[0-9A-Za-z][-+:.,=0-9A-Za-z_~]*$/);
            } catch (thrown) {
              assert.ok(
                thrown instanceof CairnError && thrown.reason === 'PackageInvalid',
                String(thrown),
              );
            }
          }
        },
      ),
      { numRuns: 1000 },
    );
  });
});
