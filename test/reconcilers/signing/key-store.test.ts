import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { KeyFolder, keyTitle, type KeyName } from '../../../reconcilers/signing/key-store.ts';
import { tempDir } from '../../world/temp.ts';

const now = new Date('2026-11-21T12:00:00Z');
const environment: KeyName = {
  namespace: 'default',
  owner: 'environment',
  name: 'tools',
  epoch: 1,
};
const keys: readonly KeyName[] = [
  environment,
  { ...environment, name: 'repository' },
  { ...environment, owner: 'repository' },
  { ...environment, owner: 'repository', epoch: 2 },
];

test('an environment and a repository of one name have keys of their own', async (t) => {
  const folder = new KeyFolder(tempDir(t));
  const made = await Promise.all(keys.map((key) => folder.obtain(key, now)));

  assert.equal(new Set(made).size, keys.length);
  for (const [at, key] of keys.entries()) {
    assert.equal(await folder.obtain(key, now), made[at]);
    assert.equal(await folder.find(key), made[at]);
  }
  const titles = (some: readonly KeyName[]) => some.map(keyTitle).sort();
  assert.deepEqual(titles(await folder.list(10)), titles(keys));
  assert.equal((await folder.list(2)).length, 2);
  assert.equal(await folder.find({ ...environment, epoch: 2 }), undefined);
});

test('a secret of our own is made once, for its owner alone', async (t) => {
  const folder = tempDir(t);
  const made = await Promise.all([1, 2, 3].map(() => new KeyFolder(folder).ownSecret('receipts')));

  assert.match(made[0] ?? '', /^[A-Za-z0-9_-]{43}$/);
  assert.equal(new Set([...made, await new KeyFolder(folder).ownSecret('receipts')]).size, 1);
  assert.notEqual(made[0], await new KeyFolder(tempDir(t)).ownSecret('receipts'));
  assert.equal(statSync(join(folder, '_secrets/receipts')).mode & 0o777, 0o600);
  assert.deepEqual(await new KeyFolder(folder).list(10), []);
});
