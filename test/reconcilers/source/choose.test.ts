import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { chooseRef, fits } from '../../../reconcilers/source/choose.ts';
import { parseRefs } from '../../../reconcilers/git/refs.ts';

const id = (digit: string) => digit.repeat(40);

const refs = parseRefs(
  [
    [id('a'), 'HEAD'],
    [id('a'), 'refs/heads/main'],
    [id('b'), 'refs/tags/v1.9.0'],
    [id('c'), 'refs/tags/v1.10.0'],
    [id('d'), 'refs/tags/v1.10.0^{}'],
    [id('e'), 'refs/tags/v2.0.0-rc.1'],
    [id('f'), 'refs/tags/nightly'],
    ['nonsense', 'refs/heads/odd'],
  ]
    .map((line) => line.join('\t'))
    .join('\n'),
);

const choose = (ref: object) =>
  chooseRef({ ref: { prereleases: false, ...ref } } as Parameters<typeof chooseRef>[0], refs);

describe('the ref of a Source', () => {
  it('is the default branch, a branch, or a tag with the commit that it names', () => {
    assert.deepEqual(choose({}), { ref: 'HEAD', commit: id('a') });
    assert.deepEqual(choose({ branch: 'main' }), { ref: 'refs/heads/main', commit: id('a') });
    assert.deepEqual(choose({ tag: 'v1.10.0' }), { ref: 'refs/tags/v1.10.0', commit: id('d') });
  });

  it('is the highest version among tags, and no prerelease unless that is wanted', () => {
    assert.equal(choose({ semver: 'v*' }).commit, id('d'));
    assert.equal(choose({ semver: 'v*', prereleases: true }).commit, id('e'));
    assert.equal(choose({ semver: 'v1.9*' }).commit, id('b'));
  });

  it('has to be there', () => {
    assert.throws(() => choose({ branch: 'odd' }), { reason: 'SourceUnreachable' });
    assert.throws(() => choose({ tag: 'v3' }), /has no tag v3/);
    assert.throws(() => choose({ semver: 'w*' }), /no tag with a version fits w\*/);
  });
});

describe('a pattern of tags', () => {
  it('has stars that stand for anything', () => {
    for (const [text, pattern] of [
      ['v1', 'v1'],
      ['v1.2', 'v*'],
      ['v1.2', '*'],
      ['v1.2', 'v*.2'],
      ['abcabc', 'a*c*c'],
    ] as const) {
      assert.ok(fits(text, pattern), `${text} ${pattern}`);
    }
    for (const [text, pattern] of [
      ['v1.2', 'v1'],
      ['v', 'v*v'],
      ['abc', 'a*c*c'],
      ['abc', 'a*bc*bc'],
    ] as const) {
      assert.ok(!fits(text, pattern), `${text} ${pattern}`);
    }
  });
});
