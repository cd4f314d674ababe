import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { safePath } from '../../apt/release.ts';

describe('a path that an archive names', () => {
  for (const [path, expected] of [
    ['pool/main/a/a+b~1_amd64.deb', 'pool/main/a/a+b~1_amd64.deb'],
    ['./a.deb', 'a.deb'],
    ['././a.deb', 'a.deb'],
    ['..a/.b/c..', '..a/.b/c..'],
    ['ä/☃', 'ä/☃'],
  ] as const) {
    it(`${path} is taken as ${expected}`, () => {
      assert.equal(safePath(path), expected);
    });
  }

  for (const path of [
    '',
    './',
    '.',
    '..',
    '/etc/passwd',
    './/etc/passwd',
    'a/../b',
    '../a',
    'a/..',
    'a/./b',
    'a//b',
    'a/',
    'a\\b',
    'a\nb',
    'a\0b',
    'a\x7f',
    'a\ufffd.deb',
    'x'.repeat(1025),
  ]) {
    it(`${JSON.stringify(path.slice(0, 20))} is refused`, () => {
      assert.throws(() => safePath(path), { reason: 'PathUnsafe' });
    });
  }

  it('never leaves the archive, and is stable once it is safe', () => {
    const piece = fc.constantFrom('..', '.', '/', 'a', '\\', './', '../', '\n', 'b.deb');

    fc.assert(
      fc.property(
        fc.array(piece).map((pieces) => pieces.join('')),
        (path) => {
          let safe;
          try {
            safe = safePath(path);
          } catch {
            return;
          }
          const url = new URL(safe, 'http://x/base/');
          assert.equal(url.pathname, `/base/${safe}`);
          assert.equal(safePath(safe), safe);
        },
      ),
    );
  });
});
