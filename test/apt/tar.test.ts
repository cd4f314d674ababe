import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { CairnError } from '../../crds/reasons.ts';
import { readContents } from '../../apt/deb/contents.ts';
import { defaultDebLimits } from '../../apt/deb/limits.ts';
import { paxOf, rawTar, type RawEntry } from './raw-tar.ts';
import { inChunks, temporaryFolder, tryRun } from './tools.ts';

const archive = join(temporaryFolder(), 'a.tar');

/** What GNU tar finds, folders left out; undefined when it complains. */
function tarFiles(tar: Uint8Array): string[] | undefined {
  writeFileSync(archive, tar);
  const list = (option: string) => tryRun('tar', [option, archive, '--quoting-style=escape']);
  const { status, stdout } = list('-tf');
  if (status !== 0) return undefined;
  const kinds = list('-tvf').stdout.toString().split('\n');
  const paths = stdout.toString().split('\n').slice(0, -1);
  const found = paths.filter((_, index) => kinds[index]?.startsWith('d') === false);
  const clean = found.map((path) => path.split('/').filter((part) => !/^\.?$/.test(part)));
  return plain(clean.map((parts) => parts.join('/')));
}

/** Without paths that tar has to quote. */
function plain(paths: readonly string[]): string[] {
  return [...new Set(paths)].filter((path) => /^[!-[\]-~]+$/.test(path));
}

/** What is found here; undefined when it is refused. */
async function ownFiles(tar: Uint8Array): Promise<string[] | undefined> {
  try {
    return plain(await readContents(inChunks(tar, 700), 'it', defaultDebLimits));
  } catch (thrown) {
    assert.ok(thrown instanceof CairnError && thrown.reason === 'PackageInvalid', String(thrown));
    return undefined;
  }
}

const name = fc.stringMatching(/^(\.\/)?[a-c]{1,3}(\/[a-c]{1,3}){0,2}$/);
const content = fc.stringMatching(/^x{0,20}$/);
const files: fc.Arbitrary<RawEntry>[] = [
  fc.record({ name, type: fc.constantFrom('0', '\0'), content }),
  fc.record({ name, type: fc.constantFrom('1', '2', '5', '6') }),
  name.map((path) => ({ name: `${path}/` })),
];
const announcements: fc.Arbitrary<RawEntry>[] = [
  name.map((path) => ({ name: 'p', type: 'L', content: `${path}\0` })),
  fc.constant({ name: 'p', type: 'K', content: 'to\0' }),
  fc
    .tuple(fc.constantFrom('x', 'X', 'g'), fc.constantFrom('path', 'comment', 'linkpath'), name)
    .map(([type, key, path]) => ({ name: 'p', type, content: paxOf({ [key]: path }) })),
  fc.nat(25).map((size) => ({ name: 'p', type: 'x', content: paxOf({ size: String(size) }) })),
];
const entries = (kinds: readonly fc.Arbitrary<RawEntry>[]) =>
  fc.array(fc.oneof(...kinds), { maxLength: 8 });

describe('a tar archive', () => {
  it('of ordinary entries is read as GNU tar reads it', async () => {
    await fc.assert(
      fc.asyncProperty(entries(files), async (list) => {
        const tar = rawTar(list);
        assert.deepEqual(await ownFiles(tar), tarFiles(tar));
      }),
      { numRuns: 150 },
    );
  });

  it('of odd entries, with some bits flipped, is read as GNU tar reads it, or refused', async () => {
    const flip = fc.record({ at: fc.nat(6000), mask: fc.integer({ min: 1, max: 255 }) });
    const flips = fc.array(flip, { maxLength: 2 });
    await fc.assert(
      fc.asyncProperty(entries([...files, ...announcements]), flips, async (list, changes) => {
        const tar = rawTar(list);
        for (const { at, mask } of changes) {
          const place = at % tar.length;
          tar[place] = (tar[place] ?? 0) ^ mask;
        }
        const found = await ownFiles(tar);
        if (found) assert.deepEqual(found, tarFiles(tar));
      }),
      { numRuns: 300 },
    );
  });

  it('ends with its first block of zeros, as for GNU tar', async () => {
    const [before, after] = [rawTar([{ name: 'a' }], Buffer.alloc(512)), rawTar([{ name: 'b' }])];
    const tar = Buffer.concat([before, after]);
    assert.deepEqual(await ownFiles(tar), ['a']);
    assert.deepEqual(tarFiles(tar), ['a']);
  });
});
