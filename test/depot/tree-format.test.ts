import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { comparePaths } from '../../depot/compare-paths.ts';
import { formatEntry, parseLine, parseLines } from '../../depot/tree-format.ts';

const sha256 = 'ab'.repeat(32);
const invalid = { reason: 'TreeInvalid' };

describe('a line of a tree', () => {
  it('is size, SHA-256 and path', () => {
    const entry = { path: 'pool/main/a b/ü.deb', sha256, size: 42 };

    assert.equal(formatEntry(entry), `42 ${sha256}  pool/main/a b/ü.deb\n`);
    assert.deepEqual(parseLine(`42 ${sha256}  pool/main/a b/ü.deb`), entry);
  });

  const good = [
    'a',
    '.a',
    '...',
    'a/..b',
    'a/b..',
    ' ',
    'a\\b',
    '*',
    '-',
    '日本',
    'x'.repeat(1024),
    '😀',
  ];
  for (const path of good) {
    it(`may have the path ${JSON.stringify(path.slice(0, 20))}`, () => {
      const line = formatEntry({ path, sha256, size: 0 });

      assert.deepEqual(parseLine(line.slice(0, -1)), { path, sha256, size: 0 });
    });
  }

  const bad: [string, string][] = [
    ['an empty path', ''],
    ['an absolute path', '/etc/passwd'],
    ['a path that climbs', '../a'],
    ['a path that climbs inside', 'a/../b'],
    ['a path that climbs at the end', 'a/..'],
    ['a dot', '.'],
    ['a dot inside', 'a/./b'],
    ['a dot at the end', 'a/.'],
    ['an empty part', 'a//b'],
    ['a slash at the end', 'a/'],
    ['a newline', 'a\nb'],
    ['a null character', 'a\0b'],
    ['a tabulator', 'a\tb'],
    ['a delete character', 'a\x7f'],
    ['a C1 control character', 'a\x85b'],
    ['half a character', 'a\ud800b'],
    ['1025 bytes', 'x'.repeat(1025)],
    ['1026 bytes in 342 characters', '日'.repeat(342)],
  ];
  for (const [what, path] of bad) {
    it(`may not have ${what}`, () => {
      assert.throws(() => formatEntry({ path, sha256, size: 0 }), invalid);
      assert.throws(() => parseLine(`0 ${sha256}  ${path}`), invalid);
    });
  }

  for (const size of [-1, 1.5, NaN, Infinity, 2 ** 53]) {
    it(`may not have the size ${size}`, () => {
      assert.throws(() => formatEntry({ path: 'a', sha256, size }), invalid);
    });
  }

  const garbled = [
    '',
    'a',
    `${sha256}  a`,
    `1 ${sha256} a`,
    `1 ${sha256} *a`,
    `01 ${sha256}  a`,
    `+1 ${sha256}  a`,
    ` ${sha256}  a`,
    `1 ${sha256.toUpperCase()}  a`,
    `1 ${sha256}0  a`,
    `9007199254740992 ${sha256}  a`,
    `1 ${sha256}  `,
  ];
  for (const line of garbled) {
    it(`is not ${JSON.stringify(line.replace(sha256, '<hash>'))}`, () => {
      assert.throws(() => parseLine(line), invalid);
    });
  }

  it('must end, and be UTF-8', () => {
    const line = `1 ${sha256}  a`;
    assert.throws(() => [...parseLines(Buffer.from(line))], invalid);
    assert.throws(() => [...parseLines(Buffer.from(`${line}\xe9\n`, 'latin1'))], invalid);
    assert.deepEqual([...parseLines(Buffer.from(`${line}\n`))], [{ path: 'a', sha256, size: 1 }]);
    assert.deepEqual([...parseLines(Buffer.alloc(0))], []);
  });
});

describe('the order of paths', () => {
  it('is that of their UTF-8 bytes', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({
        unit: fc.constantFrom('a', '/', '0', '\ue000', '\uffff', '😀', '\u{10000}', 'é'),
      }),
    );
    fc.assert(
      fc.property(text, text, (a, b) => {
        const expected = Buffer.compare(Buffer.from(a), Buffer.from(b));
        assert.equal(Math.sign(comparePaths(a, b)), expected);
      }),
      { numRuns: 500 },
    );
  });
});
