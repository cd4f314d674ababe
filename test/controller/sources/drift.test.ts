import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Corrections } from '../../../controller/sources/drift.ts';
import { readManifests } from '../../../controller/sources/manifests.ts';
import { tempDir } from '../../world/temp.ts';
import { driftContract } from './drift.contract.ts';
import { mirrorKey, openStore, told, writeFiles } from './folder.ts';

driftContract('embedded store', async (t) => ({ store: openStore(t), namespace: 'default' }));

describe('corrections of one object', () => {
  const key = mirrorKey('a');
  const minute = 60_000;

  it('are made five times at once, and then after pauses that grow', () => {
    const corrections = new Corrections();
    let now = 0;
    const waits = Array.from({ length: 14 }, () => {
      const wait = corrections.waitMs(key, now);
      now += wait;
      corrections.note(key, now);
      return wait / minute;
    });
    assert.deepEqual(waits, [0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 30, 30, 30, 30]);
  });

  it('are made at once again when nobody has changed it for an hour', () => {
    const corrections = new Corrections();
    for (let count = 0; count < 9; count += 1) corrections.note(key, 0);

    assert.equal(corrections.waitMs(key, 0), 16 * minute);
    assert.equal(corrections.waitMs(key, 60 * minute + 1), 0);
    corrections.note(key, 60 * minute + 1);
    assert.equal(corrections.waitMs(key, 60 * minute + 1), 0);
  });

  it('of one do not hold up another', () => {
    const corrections = new Corrections();
    for (let count = 0; count < 9; count += 1) corrections.note(key, 0);
    assert.equal(corrections.waitMs(mirrorKey('b'), 0), 0);
  });
});

describe('annotations of manifests for config sources', () => {
  it('are refused with values that mean nothing', async (t) => {
    const root = tempDir(t);
    const manifest = (name: string, annotations: string) => `
apiVersion: cairn.build/v1alpha1
kind: Mirror
metadata:
  name: ${name}
  annotations: { ${annotations} }
spec: { url: http://archive.test/a, suites: [stable], allowUnsigned: true }
`;
    await writeFiles(root, {
      'a.yaml': manifest('a', 'cairn.build/reconcile: off'),
      'b.yaml': manifest('b', 'cairn.build/ssa: Never'),
      'c.yaml': manifest('c', 'cairn.build/ssa: Ignore, cairn.build/reconcile: disabled'),
    });

    const { problems, manifests } = await readManifests(root);

    assert.match(
      told(problems)[0] ?? '',
      /^a\.yaml:6:\d+: .*expected a string|disabled or enabled/,
    );
    assert.match(told(problems)[1] ?? '', /^b\.yaml:6:\d+: .*Override, IfNotPresent or Ignore$/);
    assert.deepEqual(
      manifests.map(({ manifest: { metadata } }) => metadata.name),
      ['c'],
    );
  });
});
