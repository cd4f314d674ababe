import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { factsOf } from '../../apt/write/file-facts.ts';
import { IndexFile } from '../../apt/write/index-file.ts';
import { changeIndex } from '../../apt/write/package-index.ts';
import { compareEntries, joinEntries, type Entry } from '../../apt/write/stanzas.ts';

function entry(name: string, version = '1.0', architecture = 'amd64', more = ''): Entry {
  const text = `Package: ${name}\nVersion: ${version}\nArchitecture: ${architecture}\n${more}`;
  return { package: name, version, architecture, text };
}

function many(count: number): Entry[] {
  return Array.from({ length: count }, (_, at) =>
    entry(`package-${at}`, `1.${at}`, 'amd64', `Description: the package ${at}\n it has words\n`),
  );
}

const sorted = (entries: readonly Entry[]) => [...entries].sort(compareEntries);

describe('an index that we write', () => {
  it('is what gunzip says, with the packages in order', () => {
    const entries = [entry('b'), entry('a', '2.0'), entry('a', '10.0'), entry('a', '2.0', 'i386')];

    const {
      gz,
      facts: { plain },
    } = changeIndex(undefined, { add: entries });

    const text = joinEntries(sorted(entries));
    assert.equal(execFileSync('gunzip', { input: gz }).toString(), text);
    assert.deepEqual(plain, factsOf(Buffer.from(text)));
    assert.deepEqual(
      sorted(entries).map(({ version }) => version),
      ['2.0', '2.0', '10.0', '1.0'],
    );
  });

  it('may be empty', () => {
    const {
      gz,
      facts: { plain },
    } = changeIndex(undefined, { add: [] });

    assert.equal(execFileSync('gunzip', { input: gz }).length, 0);
    assert.equal(plain.size, 0);
    assert.equal(
      changeIndex(gz, { add: [entry('a')] }).facts.plain.size,
      entry('a').text.length + 1,
    );
  });

  it('has the same bytes whatever way it became what it is', () => {
    const names = fc.integer({ min: 0, max: 30_000 }).map((at) => `package-${at}`);
    const steps = fc.array(
      fc.record({ name: names, version: fc.constantFrom('2.0', '3.0'), isGoing: fc.boolean() }),
      { maxLength: 30 },
    );
    const base = changeIndex(undefined, { add: many(5000) }).gz;
    fc.assert(
      fc.property(steps, (all) => {
        let gz = base;
        let held = many(5000);
        for (const { name, version, isGoing } of all) {
          if (isGoing) {
            gz = changeIndex(gz, { add: [], touch: [name], keep: () => [] }).gz;
            held = held.filter((one) => one.package !== name);
          } else {
            const added = entry(name, version);
            gz = changeIndex(gz, { add: [added] }).gz;
            const isThere = held.some((one) => compareEntries(one, added) === 0);
            if (!isThere) held.push(added);
          }
        }
        const fresh = changeIndex(undefined, { add: held });
        assert.ok(gz.equals(fresh.gz));
        assert.equal(
          fresh.facts.plain.hashes.SHA256,
          createHash('sha256').update(gunzipSync(gz)).digest('hex'),
        );
      }),
      { numRuns: 20 },
    );
  });

  it('packs little again when little changes', () => {
    const before = changeIndex(undefined, { add: many(20_000) }).gz;

    const after = changeIndex(before, { add: [entry('package-77-new')] }).gz;

    let same = 0;
    while (before[same] === after[same]) same += 1;
    let tail = 0;
    while (before[before.length - 1 - tail] === after[after.length - 1 - tail]) tail += 1;
    assert.ok(before.length - same - tail < before.length / 4);
  });

  it('keeps the versions that it is told to', () => {
    const before = changeIndex(undefined, {
      add: [entry('a', '1.0'), entry('a', '2.0'), entry('b', '1.0')],
    }).gz;

    const { gz, entries } = changeIndex(before, {
      add: [entry('a', '10.0'), entry('a', '0.1')],
      keep: (versions) => versions.slice(-2),
    });

    const text = gunzipSync(gz).toString();
    assert.deepEqual(text.match(/Version: .*/g), ['Version: 2.0', 'Version: 10.0', 'Version: 1.0']);
    assert.deepEqual(
      entries.added.map(({ version }) => version),
      ['10.0'],
    );
    assert.deepEqual(
      entries.removed.map(({ version }) => version),
      ['1.0'],
    );
  });

  it('takes the same package twice, and never another one of the same version', () => {
    const before = changeIndex(undefined, { add: [entry('a')] });

    const again = changeIndex(before.gz, { add: [entry('a')] });
    assert.ok(again.gz.equals(before.gz));
    assert.deepEqual(again.entries, { added: [], removed: [] });
    assert.throws(() => changeIndex(before.gz, { add: [entry('a', '1.0', 'amd64', 'X: y\n')] }), {
      reason: 'PackageConflict',
      message: /a 1\.0 amd64 is there already, with other bytes/,
    });
  });

  it('finds the versions of a package', () => {
    const entries = [...many(5000), entry('package-7', '0.5'), entry('package-7', '0.5', 'i386')];
    const { gz } = changeIndex(undefined, { add: entries });

    assert.deepEqual(
      new IndexFile(gz)
        .versions('package-7')
        .map(({ version, architecture }) => [version, architecture]),
      [
        ['0.5', 'amd64'],
        ['0.5', 'i386'],
        ['1.7', 'amd64'],
      ],
    );
    assert.deepEqual(new IndexFile(gz).versions('package-'), []);
    assert.deepEqual(new IndexFile(gz).versions('zzz'), []);
    assert.deepEqual(new IndexFile(undefined).versions('a'), []);
  });

  it('is refused when its bytes are damaged', () => {
    const { gz } = changeIndex(undefined, { add: many(3000) });
    fc.assert(
      fc.property(fc.nat({ max: gz.length - 1 }), fc.integer({ min: 1, max: 255 }), (at, bits) => {
        const broken = Buffer.from(gz);
        broken[at] = (broken[at] ?? 0) ^ bits;
        try {
          const { plain } = changeIndex(broken, { add: [] }).facts;
          // The times and the like that a header has mean nothing.
          assert.equal(plain.hashes.SHA256, changeIndex(gz, { add: [] }).facts.plain.hashes.SHA256);
        } catch (error) {
          assert.equal((error as { reason?: string }).reason, 'IndexInvalid', String(error));
        }
      }),
      { numRuns: 300 },
    );
    for (const length of [0, 1, 20, gz.length - 1]) {
      const text = () => changeIndex(gz.subarray(0, length), { add: [] });
      if (length === 0) assert.equal(text().facts.plain.size, 0);
      else assert.throws(text, { reason: 'IndexInvalid' });
    }
  });
});
