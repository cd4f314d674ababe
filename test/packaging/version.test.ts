import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  formatVersion,
  higherVersion,
  nextVersion,
  parseVersion,
  upstreamVersion,
  versionOfTag,
} from '../../packaging/version.ts';
import { run } from '../world/process.ts';

const words = fc.constantFrom('0', '1', '9', '10', '2026', 'a', 'rc', 'dfsg', '~', '+', '.', '-');
const upstream = fc
  .tuple(fc.nat(20), fc.array(words, { maxLength: 6 }))
  .map(([first, rest]) => `${first}${rest.join('')}`);
const version = fc
  .tuple(fc.constantFrom('', '', '0:', '1:', '7:'), upstream, fc.constantFrom('', '-1', '-2~bpo1'))
  .map((parts) => parts.join(''))
  .filter((text) => parseVersion(text) !== undefined);

async function dpkgSays(a: string, relation: string, b: string): Promise<boolean> {
  const { code, output } = await run('dpkg', ['--compare-versions', a, relation, b]);
  assert.equal(output, '', 'dpkg takes both for versions');
  return code === 0;
}

describe('the next version', () => {
  it('is higher than the last one by the rules of dpkg, whatever upstream calls its own', async () => {
    await fc.assert(
      fc.asyncProperty(version, version, fc.nat(1000), async (last, base, counter) => {
        const parsed = parseVersion(base) ?? assert.fail();
        const next = formatVersion(nextVersion(parsed, { counter, last }));
        assert.ok(await dpkgSays(next, 'gt', last), `${next} after ${last}`);
      }),
      { numRuns: 150 },
    );
  });

  it('is higher than all before, when upstream goes forth and back', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(upstream, { minLength: 3, maxLength: 6 }), async (history) => {
        const made: string[] = [];
        for (const [counter, text] of history.entries()) {
          const base = { epoch: 0, upstream: upstreamVersion(text) ?? '0' };
          const last = made.at(-1);
          made.push(formatVersion(nextVersion(base, { counter, ...(last ? { last } : {}) })));
        }
        const newest = made.pop() ?? '';
        for (const older of made) assert.ok(await dpkgSays(newest, 'gt', older), made.join(' '));
      }),
      { numRuns: 40 },
    );
  });

  it('keeps the epoch that is needed and takes no other', () => {
    const of = (base: string, last: string, counter = 5) =>
      formatVersion(nextVersion(parseVersion(base) ?? assert.fail(), { counter, last }));

    assert.equal(of('1.2', '1.2+4'), '1.2+5');
    assert.equal(of('1.3', '1:1.2+4'), '1:1.3+5');
    assert.equal(of('1.1', '1.2+4'), '1:1.1+5');
    assert.equal(of('1.0', '1:1.1+4'), '2:1.0+5');
    assert.equal(of('2:1.5-3', '2:1.5+4-3'), '2:1.5+5-3');
    assert.equal(of('1.2', '1.2+5'), '1.2+6');
  });

  it('goes on from where others have counted to', () => {
    const of = (base: string, last: string, counter = 1) =>
      formatVersion(nextVersion(parseVersion(base) ?? assert.fail(), { counter, last }));

    assert.equal(of('1.2', '1.2+41'), '1.2+42');
    assert.equal(of('1.2', '3:1.2+41'), '3:1.2+42');
    assert.equal(of('1.2-1', '1.2+41-1'), '1.2+42-1');
    assert.equal(of('1.2', '1.2+dfsg+41'), '1:1.2+1');
    assert.equal(of('1.3', '1.2+41'), '1.3+1');
    assert.equal(of('1', `1+${'9'.repeat(20)}`), '1:1+1');
  });

  it('is refused where none is higher, or what is given is none', () => {
    const base = { epoch: 0, upstream: '1' };
    assert.throws(
      () => nextVersion(base, { counter: 1, last: '2147483647:9' }),
      /no version is higher/,
    );
    assert.throws(() => nextVersion(base, { counter: 1, last: 'oops' }), /is no version/);
    assert.throws(() => nextVersion(base, { counter: -1 }), /counter/);
  });
});

describe('what upstreams call their versions', () => {
  const known: Readonly<Record<string, string | undefined>> = {
    '1.2.3': '1.2.3',
    'v1.2.3': '1.2.3',
    '1.2.3-rc.1': '1.2.3~rc.1',
    '1.2rc1': '1.2~rc1',
    '1.0.dev3': '1.0~dev3',
    '1.0a2': '1.0~a2',
    '1.0.post1': '1.0+post1',
    '2!1.0': '1.0',
    '1.0.0-20240101': '1.0.0~20240101',
    '1.0+local.1': '1.0+local.1',
    '2024_05_01': '2024.05.01',
    '1.0 final!': '1.0.final',
    unversioned: undefined,
    '': undefined,
  };
  for (const [text, expected] of Object.entries(known)) {
    it(`${JSON.stringify(text)} becomes ${expected ?? 'nothing'}`, () => {
      assert.equal(upstreamVersion(text), expected);
    });
  }

  it('are versions of Debian, whatever they were', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ maxLength: 300 }), upstream), (text) => {
        const found = upstreamVersion(text);
        assert.ok(found === undefined || parseVersion(found)?.upstream === found);
      }),
    );
  });

  it('are found in tags', () => {
    assert.equal(versionOfTag('v1.2.0-5-g1234abc'), '1.2.0');
    assert.equal(versionOfTag('release-2.0'), '2.0');
    assert.equal(versionOfTag('tools/foo2/v3.1'), '3.1');
    assert.equal(versionOfTag('sample-1.0-rc2'), '1.0~rc2');
    assert.equal(versionOfTag('nightly'), undefined);
  });

  it('count by the higher of metadata and tag', () => {
    assert.equal(higherVersion('0.0.0', '1.2.0'), '1.2.0');
    assert.equal(higherVersion('1.3.0~dev', '1.2.0'), '1.3.0~dev');
    assert.equal(higherVersion(undefined, '1.2.0'), '1.2.0');
  });
});
