import assert from 'node:assert/strict';
import {
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import { openBlobs } from '../../../depot/file-blobs.ts';
import type { PoolIndex } from '../../../reconcilers/mirror/indexes.ts';
import { PoolLists } from '../../../reconcilers/mirror/pool-lists.ts';
import { described } from '../../controller/http/fixture.ts';
import { tempDir } from '../../world/temp.ts';

const { signal } = new AbortController();

function stanza(name: string): string {
  const { sha256, size } = described(name);
  return `Package: ${name}\nFilename: pool/${name}.deb\nSize: ${size}\nSHA256: ${sha256}\n\n`;
}

const text = ['cherry', 'apple', 'banana'].map(stanza).join('');

/** An index in a depot, and the one file of the cache once it has been read. */
async function world(t: TestContext, content = text) {
  const folder = join(tempDir(t), 'lists');
  const blobs = await openBlobs(tempDir(t));
  const lists = new PoolLists(folder, blobs);
  const path = 'dists/stable/main/binary-amd64/Packages.gz';
  const blob = blobs.put(gzipSync(content));
  const { sha256, size } = described(content);
  const plain = { path: 'main/binary-amd64/Packages', size, hashes: { SHA256: sha256 } };
  const index: PoolIndex = { kind: 'packages', path, blob, compression: '.gz', plain };
  return {
    folder,
    blobs,
    lists,
    index,
    /** Makes sure that only the cache can answer. */
    loseIndex: () => blobs.remove(blob.sha256),
    get file() {
      const [name = ''] = readdirSync(folder);
      return join(folder, name);
    },
    names: async () => (await lists.read(index, signal)).map((entry) => entry.path),
  };
}

const sorted = ['pool/apple.deb', 'pool/banana.deb', 'pool/cherry.deb'];

test('reads an index once, and then its list', async (t) => {
  const { names, loseIndex } = await world(t);
  assert.deepEqual(await names(), sorted);
  await loseIndex();

  assert.deepEqual(await names(), sorted);
});

test('an index without packages has an empty list', async (t) => {
  const { names, loseIndex } = await world(t, '');
  assert.deepEqual(await names(), []);
  await loseIndex();

  assert.deepEqual(await names(), []);
});

const damages: readonly [what: string, damage: (file: string) => void][] = [
  ['deleted', (file) => rmSync(file)],
  ['emptied, as by a power cut', (file) => truncateSync(file, 0)],
  ['cut off within a line', (file) => truncateSync(file, readFileSync(file).length - 10)],
  [
    'cut off after a line',
    (file) => {
      const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
      writeFileSync(file, `${lines.slice(0, -1).join('\n')}\n`);
    },
  ],
  ['filled with zeros', (file) => writeFileSync(file, Buffer.alloc(500))],
  ['changed', (file) => writeFileSync(file, readFileSync(file, 'utf8').replace('apple', 'appel'))],
  ['replaced', (file) => writeFileSync(file, 'something else')],
];

for (const [what, damage] of damages) {
  test(`reads the index again when its list was ${what}`, async (t) => {
    const cache = await world(t);
    assert.deepEqual(await cache.names(), sorted);
    damage(cache.file);

    assert.deepEqual(await cache.names(), sorted);

    await cache.loseIndex();
    assert.deepEqual(await cache.names(), sorted, 'the list has been made again');
  });
}

test('the folder of the lists may go at any time', async (t) => {
  const { folder, names } = await world(t);
  rmSync(folder, { recursive: true });
  assert.deepEqual(await names(), sorted);
  rmSync(folder, { recursive: true });

  assert.deepEqual(await names(), sorted);
});

test('what was read as Packages is not taken for Sources', async (t) => {
  const { lists, index } = await world(t);
  await lists.read(index, signal);

  await assert.rejects(lists.read({ ...index, kind: 'sources' }, signal), /no Directory/);
});

test('keeps no list of an index that is not what Release lists', async (t) => {
  const { lists, index, folder } = await world(t);
  const plain = { path: 'main/binary-amd64/Packages', size: text.length, hashes: {} };
  const other = { ...plain, hashes: { SHA256: '0'.repeat(64) } };

  await assert.rejects(lists.read({ ...index, plain: other }, signal), {
    reason: 'UpstreamInconsistent',
    message: /Packages\.gz unpacks to something else than the main\/binary-amd64\/Packages/,
  });

  assert.deepEqual(readdirSync(folder), []);
});

for (const [what, field] of [
  ['hashes', `SHA256: ${'1'.repeat(64)}`],
  ['sizes', 'Size: 1'],
] as const) {
  test(`refuses an index that lists a path twice with different ${what}`, async (t) => {
    const name = field.replace(/:.*/, '');
    const other = stanza('apple').replace(new RegExp(`${name}: .*`), field);
    const { names, folder } = await world(t, text + other);

    await assert.rejects(names(), {
      reason: 'UpstreamInconsistent',
      message: /pool\/apple\.deb twice/,
    });

    assert.deepEqual(readdirSync(folder), []);
  });
}

test('says what an index lacks whose packages have a SHA512 only', async (t) => {
  const strong = stanza('apple').replace(/SHA256: .*/, `SHA512: ${'1'.repeat(128)}`);
  const { names } = await world(t, strong);

  await assert.rejects(names(), {
    reason: 'IndexInvalid',
    message: /Packages\.gz: it lists pool\/apple\.deb with a SHA512 only; .* by their SHA-256/,
  });
});

test('takes a path that is listed twice with the same hash once', async (t) => {
  const { names } = await world(t, text + stanza('apple'));

  assert.deepEqual(await names(), sorted);
});

test('stops reading when it is told to', async (t) => {
  const { lists, index } = await world(t);

  await assert.rejects(lists.read(index, AbortSignal.abort(new Error('enough'))), /enough/);
});

test('forgets what nobody has read for a week, and keeps the rest', async (t) => {
  const cache = await world(t);
  await cache.names();
  const { file, folder } = cache;
  writeFileSync(join(folder, 'fresh'), '');
  const old = new Date(Date.now() - 8 * 86_400_000);
  utimesSync(file, old, old);

  cache.lists.prune(Date.now());

  assert.deepEqual(readdirSync(folder), ['fresh']);
});

test('a list that is read counts as used', async (t) => {
  const cache = await world(t);
  await cache.names();
  const old = new Date(Date.now() - 8 * 86_400_000);
  utimesSync(cache.file, old, old);
  await cache.names();

  cache.lists.prune(Date.now());

  assert.equal(readdirSync(cache.folder).length, 1);
});
