import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ContentsLines } from '../../apt/write/contents-lines.ts';

type Package = readonly [name: string, paths: readonly string[]];

function linesOf(packages: readonly Package[], options?: { readonly mostAtOnce: number }): string {
  const sorted = new ContentsLines(options);
  for (const [name, paths] of packages) sorted.add(name, paths);
  return [...sorted.lines()].join('');
}

describe('the lines of Contents', () => {
  it('name each path once, with all that have it', () => {
    const text = linesOf([
      ['net/curl', ['usr/bin/curl', 'usr/share/doc/a b', 'usr/bin']],
      ['misc/all', ['usr/bin/curl']],
      ['net/curl', ['usr/bin/curl', 'usr/bin/curl2']],
    ]);

    assert.deepEqual(
      text.split('\n').map((line) => /^(.*?) +(\S+)$/.exec(line)?.slice(1)),
      [
        ['usr/bin', 'net/curl'],
        ['usr/bin/curl', 'misc/all,net/curl'],
        ['usr/bin/curl2', 'net/curl'],
        ['usr/share/doc/a b', 'net/curl'],
        undefined,
      ],
    );
  });

  it('are the same however much is sorted at once, in whatever order', () => {
    const path = fc.string({
      unit: fc.constantFrom('a', 'b', '/', ' ', 'é', '😀', '~'),
      minLength: 1,
    });
    const one = fc.tuple(fc.constantFrom('a/x', 'a/xy', 'x', 'y'), fc.array(path));
    fc.assert(
      fc.property(fc.array(one), fc.integer({ min: 1, max: 60 }), (packages, mostAtOnce) => {
        assert.equal(linesOf(packages.toReversed(), { mostAtOnce }), linesOf(packages));
      }),
    );
  });

  it('may be none', () => {
    assert.equal(linesOf([]), '');
    assert.equal(linesOf([['a', []]]), '');
  });
});
