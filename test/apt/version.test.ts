import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { compareVersions } from '../../apt/version.ts';
import { run } from './tools.ts';

const sign = (a: string, b: string) => Math.sign(compareVersions(a, b));

/** In the vectors of dpkg's and apt's own tests. */
const ascending: readonly (readonly [string, string])[] = [
  ['1.0~rc1', '1.0'],
  ['1.0~~', '1.0~'],
  ['1.0~~a', '1.0~'],
  ['1.0', '1.0a'],
  ['1.0a', '1.0+b'],
  ['1.0', '1.0-1'],
  ['1.0-1', '1.0-1.1'],
  ['1.9', '1.10'],
  ['2:1.0', '10:0.1'],
  ['9.9', '1:0'],
  ['1.0-1~bpo12+1', '1.0-1'],
  ['1.0-1', '1.0-1+b1'],
  ['7.6-0', '7.6p2-4'],
  ['1.2.2.2', '1.2.10'],
  ['0:0-0-0', '0:0-0-1'],
  ['1-2-3', '1-2-4'],
  ['99999999999999999998', '99999999999999999999'],
  ['', '0'],
  ['a', 'a.'],
  ['Z', 'a'],
];

describe('versions', () => {
  for (const [earlier, later] of ascending) {
    it(`${JSON.stringify(earlier)} is earlier than ${later}`, () => {
      assert.equal(sign(earlier, later), -1);
      assert.equal(sign(later, earlier), 1);
    });
  }

  for (const [one, other] of [
    ['1.0', '1.0'],
    ['1.0', '0:1.0'],
    ['1.0', '1.00'],
    ['1.0-0', '1.0'],
    ['1.0-', '1.0'],
    ['0:', '0'],
    ['', ''],
    [' 1.0 ', '1.0'],
  ] as const) {
    it(`${JSON.stringify(one)} and ${JSON.stringify(other)} are equal`, () => {
      assert.equal(compareVersions(one, other), 0);
      assert.equal(compareVersions(other, one), 0);
    });
  }

  it('are ordered as by dpkg, also where they break the rules a little', () => {
    const part = fc.stringMatching(/^[0-9][0-9a-zA-Z.+~-]{0,6}$/);
    const digits = fc.nat({ max: 12 }).map((epoch) => `${epoch}:`);
    const odd = fc.constantFrom('a1', '1_2', '~', '+1', '1.0-1_', '1:1:1', '00012', '1-1-~');
    const version = fc.oneof(
      {
        weight: 8,
        arbitrary: fc.tuple(fc.oneof(fc.constant(''), digits), part).map((two) => two.join('')),
      },
      { weight: 1, arbitrary: odd },
    );
    // dpkg refuses a revision that is empty; we take it for none.
    const fit = version.map((text) => text.replace(/-+$/, ''));
    const pairs = fc.sample(fc.tuple(fit, fit), { numRuns: 300, seed: 1 });

    const script =
      'while read -r a b; do if dpkg --compare-versions "$a" lt "$b"; then echo -1; ' +
      'elif dpkg --compare-versions "$a" gt "$b"; then echo 1; else echo 0; fi; done 2>/dev/null';
    const input = pairs.map((pair) => `${pair.join(' ')}\n`).join('');
    const verdicts = run('sh', ['-c', script], { input }).toString().trim().split('\n');

    for (const [index, [a, b]] of pairs.entries()) {
      assert.equal(sign(a, b), Number(verdicts[index]), `${a} against ${b}`);
    }
  });

  it('have a consistent order', () => {
    const any = fc.stringMatching(/^[0-9a:~.+-]{0,8}$/);

    fc.assert(
      fc.property(any, any, any, (a, b, c) => {
        assert.equal(sign(a, b), -sign(b, a) + 0);
        if (sign(a, b) <= 0 && sign(b, c) <= 0) assert.ok(sign(a, c) <= 0);
      }),
    );
  });
});
