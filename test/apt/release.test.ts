import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { componentDirectory, formatReleaseDate, parseRelease, reissue } from '../../apt/release.ts';
import { run, temporaryFolder } from './tools.ts';

const sha256 = 'a'.repeat(64);
const head = 'Origin: Test\nDate: Sat, 21 Nov 2026 06:52:05 UTC\n';
const release = (lines: string, more = '') => `${head}${more}SHA256:\n${lines}`;
const entry = (path: string, size: string | number = 1) => ` ${sha256} ${size} ${path}\n`;

describe('a Release', () => {
  it('of apt-ftparchive is read with all its fields and files', () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'main/binary-amd64'), { recursive: true });
    writeFileSync(join(folder, 'main/binary-amd64/Packages'), 'Package: x\n');
    const options = {
      Origin: 'Debian',
      Label: 'Debian-Security',
      Suite: 'stable-security',
      Codename: 'trixie',
      Architectures: 'amd64 arm64',
      Components: 'main contrib',
      Description: 'of a test',
    };
    const args = Object.entries(options).flatMap(([name, value]) => [
      '-o',
      `APT::FTPArchive::Release::${name}=${value}`,
    ]);
    const text = run('apt-ftparchive', [...args, 'release', '.'], { cwd: folder }).toString();

    const read = parseRelease(text);

    assert.equal(read.label, 'Debian-Security');
    assert.equal(read.suite, 'stable-security');
    assert.equal(read.codename, 'trixie');
    assert.deepEqual(read.architectures, ['amd64', 'arm64']);
    assert.deepEqual(read.components, ['main', 'contrib']);
    assert.ok(Math.abs(read.date.getTime() - Date.now()) < 60_000);
    const file = read.files.get('main/binary-amd64/Packages');
    assert.equal(file?.size, 11);
    assert.deepEqual(Object.keys(file?.hashes ?? {}), ['MD5Sum', 'SHA1', 'SHA256', 'SHA512']);
    const [sum = ''] = run('sha256sum', [], { input: 'Package: x\n' }).toString().split(' ');
    assert.equal(file?.hashes.SHA256, sum);
  });

  it('tells what apt does with it', () => {
    const read = parseRelease(
      release(
        '',
        'Acquire-By-Hash: yes\nNotAutomatic: yes\nButAutomaticUpgrades: no\n' +
          'No-Support-for-Architecture-all: Packages\nSigned-By: ABC\n' +
          'Snapshots: https://example.org/@SNAPSHOTID@/\n' +
          'Valid-Until: Sat, 28 Nov 2026 06:52:05 UTC\n',
      ),
    );

    assert.equal(read.acquireByHash, true);
    assert.equal(read.notAutomatic, true);
    assert.equal(read.butAutomaticUpgrades, false);
    assert.equal(read.noSupportForArchitectureAll, 'Packages');
    assert.equal(read.signedBy, 'ABC');
    assert.equal(read.snapshots, 'https://example.org/@SNAPSHOTID@/');
    assert.equal(read.validUntil?.toISOString(), '2026-11-28T06:52:05.000Z');
  });

  it('does not count files that have weak hashes only', () => {
    const weak = `MD5Sum:\n ${'b'.repeat(32)} 1 weak\n ${'c'.repeat(32)} 1 strong\n`;

    const { files } = parseRelease(release(entry('strong'), weak));

    assert.deepEqual([...files.keys()], ['strong']);
    assert.equal(files.get('strong')?.hashes.MD5Sum, 'c'.repeat(32));
  });

  it('may list a file twice in the same way, and write ./ before it', () => {
    assert.equal(parseRelease(release(entry('./x') + entry('x'))).files.size, 1);
  });

  for (const [title, text] of [
    ['nothing', ''],
    ['no Date', `SHA256:\n${entry('x')}`],
    ['no strong hashes', `${head}MD5Sum:\n ${'b'.repeat(32)} 1 x\n`],
    ['strong hashes of nothing', release('', `MD5Sum:\n ${'b'.repeat(32)} 1 x\n`)],
    ['a second paragraph', `${release(entry('x'))}\nOrigin: y\n`],
    ['a hash that is too short', release(` ${sha256.slice(1)} 1 x\n`)],
    ['a hash that is not hex', release(` ${'g'.repeat(64)} 1 x\n`)],
    ['a negative size', release(entry('x', -1))],
    ['an absurd size', release(entry('x', 2 ** 41))],
    ['a size that is no number', release(entry('x', '1e3'))],
    ['a line of two words', release(` ${sha256} 1\n`)],
    ['a line of four words', release(entry('x y'))],
    ['two sizes of a file', release(entry('x', 1) + entry('x', 2))],
    ['two hashes of a file', release(entry('x') + ` ${'b'.repeat(64)} 1 x\n`)],
    ['a wrong Valid-Until', release(entry('x'), 'Valid-Until: tomorrow\n')],
  ] as const) {
    it(`is refused when it has ${title}`, () => {
      assert.throws(() => parseRelease(text), { reason: 'ReleaseInvalid' });
    });
  }

  it('is refused when it names a file outside of the archive', () => {
    const wrong = release(entry('main/../../../etc/passwd'));

    assert.throws(() => parseRelease(wrong), { reason: 'PathUnsafe' });
  });

  it('is refused when it lists more than 500,000 files', () => {
    const lines = Array.from({ length: 500_001 }, (_, index) => entry(`x${index}`)).join('');

    assert.throws(() => parseRelease(release(lines)), { message: /more than 500000 files/ });
  });
});

describe('the Date of a Release', () => {
  const dated = (date: string) => parseRelease(`Date: ${date}\nSHA256:\n`).date.toISOString();

  for (const date of [
    'Sat, 21 Nov 2026 06:52:05 UTC',
    'Sat, 21 Nov 2026 06:52:05 GMT',
    'Sat, 21 Nov 2026 06:52:05 +0000',
    'Sat, 21 Nov 2026 6:52:05 Z',
    '21 Nov 2026 06:52:05 UTC',
  ]) {
    it(`may be written ${date}`, () => {
      assert.equal(dated(date), '2026-11-21T06:52:05.000Z');
    });
  }

  it('may have a day of one digit', () => {
    assert.equal(dated('Sun, 1 Nov 2026 06:52:05 UTC'), '2026-11-01T06:52:05.000Z');
    assert.equal(dated('Sun,  1 Nov 2026 06:52:05 UTC'), '2026-11-01T06:52:05.000Z');
  });

  for (const date of [
    '',
    'yesterday',
    'Sat, 21 Nov 2026 06:52:05 CET',
    'Sat, 21 Nov 2026 06:52:05 +0100',
    'Sat, 21 Nov 2026 06:52:05',
    'Sat, 31 Feb 2026 06:52:05 UTC',
    'Sat, 21 Nox 2026 06:52:05 UTC',
    'Sat, 21 Nov 2026 25:52:05 UTC',
    '2026-11-21T06:52:05Z',
  ]) {
    it(`is refused when it says ${JSON.stringify(date)}`, () => {
      assert.throws(() => dated(date), { reason: 'ReleaseInvalid' });
    });
  }

  it('is written as it is read', () => {
    const date = new Date('2026-11-01T06:52:05.000Z');

    assert.equal(formatReleaseDate(date), 'Sun, 01 Nov 2026 06:52:05 UTC');
    assert.equal(dated(formatReleaseDate(date)), date.toISOString());
  });
});

describe('the directory of a component', () => {
  const of = (components: string, path: string) =>
    parseRelease(release(entry(path), `Components: ${components}\n`));
  const security = of('updates/main', 'main/binary-amd64/Packages');

  for (const [title, read, component, expected] of [
    ['is its name', of('main', 'main/x'), 'main', 'main'],
    ['lacks the prefix that debian-security lists', security, 'updates/main', 'main'],
    ['is found by the name that apt knows it by', security, 'main', 'main'],
    [
      'has the prefix where the paths have it',
      of('updates/main', 'updates/main/x'),
      'main',
      'updates/main',
    ],
    ['is its name when no file is in it', of('main', 'contrib/x'), 'main', 'main'],
    ['is found when only the paths tell', of('', 'main/x'), 'main', 'main'],
    ['is not found when nothing tells of it', of('main', 'main/x'), 'contrib', undefined],
    ['is not that of a longer name', of('mainline', 'mainline/x'), 'main', undefined],
  ] as const) {
    it(title, () => {
      assert.equal(componentDirectory(read, component), expected);
    });
  }
});

describe('a Release that is issued again', () => {
  const date = new Date('2027-01-02T03:04:05Z');
  const validUntil = new Date('2027-02-01T00:00:00Z');
  const upstream =
    'Origin: Debian\nSuite:  stable\nSnapshots: https://x/\nDate: Sat, 21 Nov 2026 06:52:05 UTC\n' +
    'Valid-Until: Sat, 28 Nov 2026 06:52:05 UTC\nSigned-By: A\n B,\n C\nX-Odd:  a  b\n' +
    `SHA256:\n  ${sha256}    1 x\n`;
  const rest = `X-Odd:  a  b\nSHA256:\n  ${sha256}    1 x\n`;

  it('has a new Date and Valid-Until, and every other line as it was', () => {
    assert.equal(
      reissue(upstream, { date, validUntil }),
      'Origin: Debian\nSuite:  stable\nDate: Sat, 02 Jan 2027 03:04:05 UTC\n' +
        `Valid-Until: Mon, 01 Feb 2027 00:00:00 UTC\n${rest}`,
    );
  });

  it('has no Valid-Until unless it is asked for', () => {
    assert.equal(
      reissue(upstream, { date }),
      `Origin: Debian\nSuite:  stable\nDate: Sat, 02 Jan 2027 03:04:05 UTC\n${rest}`,
    );
  });

  it('gets a Valid-Until where upstream had none', () => {
    const again = parseRelease(reissue(release(entry('x')), { date, validUntil }));

    assert.deepEqual(again.validUntil, validUntil);
    assert.deepEqual(again.date, date);
  });

  it('sets further fields in place of those of upstream', () => {
    const extraFields = [
      { name: 'Acquire-By-Hash', value: 'yes' },
      { name: 'origin', value: 'Cairn' },
    ];

    const again = parseRelease(reissue(upstream, { date, extraFields }));

    assert.equal(again.acquireByHash, true);
    assert.equal(again.origin, 'Cairn');
  });

  it('has no blanks at the ends of lines, and no carriage returns', () => {
    const again = reissue('Origin: a \t\r\nDate: x\r\nSHA256: \r\n\r\n', { date });

    assert.equal(again, 'Origin: a\nDate: Sat, 02 Jan 2027 03:04:05 UTC\nSHA256:\n');
  });

  it('is stable when it is issued again', () => {
    const once = reissue(upstream, { date, validUntil });

    assert.equal(reissue(once, { date, validUntil }), once);
  });
});
