import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { apiVersion, keyOf, type KubeObject } from '../../../crds/object.ts';
import { planChanges, pruneDigest, type PlanInput } from '../../../controller/sources/plan.ts';
import { mirrorKey } from './folder.ts';

function object(name: string, spec: object = {}, metadata: object = {}): KubeObject {
  return {
    apiVersion,
    kind: 'Mirror',
    metadata: {
      name,
      namespace: 'default',
      uid: `uid-${name}`,
      resourceVersion: '1',
      generation: 1,
      creationTimestamp: '2026-08-01T00:00:00Z',
      ...metadata,
    },
    spec,
    status: {},
  };
}

function loaded(name: string, spec: object = {}, kind = 'Mirror', metadata = {}) {
  const manifest = {
    apiVersion,
    kind,
    metadata: { name, namespace: 'default', ...metadata },
    spec,
  };
  return { manifest, file: `${name}.yaml`, line: 1, column: 1 };
}

const entry = (name: string) => ({ ...mirrorKey(name), uid: `uid-${name}`, file: 'f.yaml' });

interface World {
  declared?: readonly string[];
  applied?: readonly string[];
  bad?: PlanInput['reading']['bad'];
  complete?: boolean;
  empty?: readonly string[];
  objects?: readonly KubeObject[];
  approved?: string;
}

/** A plan where everything that was applied is in the store. */
function planned({
  declared = [],
  applied = [],
  bad = [],
  complete = true,
  empty = [],
  objects,
  approved,
}: World) {
  const plan = planChanges({
    reading: { manifests: declared.map((name) => loaded(name)), bad, complete, empty },
    inventory: applied.map(entry),
    objects: objects ?? applied.map((name) => object(name)),
    approved,
  });
  return { ...plan, pruned: plan.prune.map(({ name }) => name).sort() };
}

const names = (count: number) => Array.from({ length: count }, (_, index) => `m${index}`);

describe('what to apply', () => {
  it('says of each manifest whether it creates, changes or leaves its object, field by field', () => {
    const { apply } = planChanges({
      reading: {
        manifests: [
          loaded('new'),
          loaded('same', { a: { b: 1 } }),
          loaded('changed', { a: { b: 2, d: [1] }, e: 1 }, 'Mirror', { labels: { team: 'x' } }),
        ],
        bad: [],
        complete: true,
        empty: [],
      },
      inventory: [],
      objects: [
        object('same', { a: { b: 1 } }),
        object('changed', { a: { b: 1, c: 1, d: [] }, e: 1 }),
      ],
    });

    assert.deepEqual(
      apply.map(({ key, outcome }) => `${outcome} ${key.name}`),
      ['create new', 'unchanged same', 'update changed'],
    );
    assert.deepEqual(apply[2]?.changes, [
      { path: 'metadata.labels.team', to: 'x' },
      { path: 'spec.a.b', from: 1, to: 2 },
      { path: 'spec.a.c', from: 1 },
      { path: 'spec.a.d', from: [], to: [1] },
    ]);
  });

  it('comes in the order in which kinds build on each other', () => {
    const order = ['Environment', 'Snapshot', 'Mirror', 'MirrorSet'];
    const { apply } = planChanges({
      reading: {
        manifests: order.map((kind) => loaded('a', {}, kind)),
        bad: [],
        complete: true,
        empty: [],
      },
      inventory: [],
      objects: [],
    });
    assert.deepEqual(
      apply.map(({ key }) => key.kind),
      ['Mirror', 'MirrorSet', 'Snapshot', 'Environment'],
    );
  });

  it('leaves out what another config source has declared', () => {
    const { apply, problems } = planChanges({
      reading: { manifests: [loaded('a'), loaded('b')], bad: [], complete: true, empty: [] },
      inventory: [],
      objects: [object('a')],
      claims: new Map([[keyOf(mirrorKey('a')), 'default/other']]),
    });
    assert.deepEqual(
      apply.map(({ key }) => key.name),
      ['b'],
    );
    assert.equal(
      problems[0]?.message,
      'Mirror a is declared by the config source default/other already',
    );
  });
});

describe('what to prune', () => {
  it('is what was applied before and is declared no more', () => {
    assert.deepEqual(planned({ declared: ['a', 'c'], applied: ['a', 'b'] }).pruned, ['b']);
  });

  it('is never what this source has not applied', () => {
    const objects = [object('a'), object('by-hand')];
    assert.deepEqual(planned({ declared: ['a'], applied: ['a'], objects }).pruned, []);
  });

  it('is not what was deleted and made anew by somebody else', () => {
    const objects = [object('a'), object('b', {}, { uid: 'other' })];
    const plan = planned({ declared: ['a'], applied: ['a', 'b'], objects });
    assert.deepEqual(plan.pruned, []);
    assert.deepEqual(
      plan.forget.map(({ name }) => name),
      ['b'],
    );
  });

  it('is what a run that was killed has created, and had only announced', () => {
    const plan = planChanges({
      reading: { manifests: [loaded('a')], bad: [], complete: true, empty: [] },
      inventory: [entry('a'), { ...entry('b'), uid: '' }],
      objects: [object('a'), object('b')],
    });
    assert.deepEqual(plan.prune, [entry('b')]);
  });

  it('is not what is to be kept, or goes already', () => {
    const objects = [
      object('a'),
      object('kept', {}, { annotations: { 'cairn.build/prune': 'Never' } }),
      object('going', {}, { deletionTimestamp: '2026-08-01T00:00:00Z' }),
    ];
    const plan = planned({ declared: ['a'], applied: ['a', 'kept', 'going'], objects });
    assert.deepEqual([plan.pruned, plan.forget], [[], []]);
  });

  it('is nothing while a document is so bad that nobody knows what it is about', () => {
    assert.deepEqual(planned({ declared: ['a'], applied: ['a', 'b'], complete: false }).pruned, []);
  });

  it('is not the object of a bad document, not even if it is the kind that is misspelt', () => {
    const applied = ['a', 'b', 'c', 'd'];
    for (const kind of ['Mirror', 'Miror', undefined]) {
      const bad = [{ namespace: 'default', name: 'b', ...(kind !== undefined && { kind }) }];
      assert.deepEqual(planned({ declared: ['a', 'c'], applied, bad }).pruned, ['d']);
    }
    const bad = [{ kind: 'Snapshot', namespace: 'default', name: 'b' }];
    assert.deepEqual(planned({ declared: ['a', 'c', 'd'], applied, bad }).pruned, ['b']);
  });

  it('is not what a file has declared that is empty now', () => {
    const { pruned, problems } = planned({
      declared: ['a'],
      applied: ['a', 'b'],
      empty: ['f.yaml'],
    });
    assert.deepEqual(pruned, []);
    const message = 'the file is empty, and has declared Mirror b; to delete that, remove the file';
    assert.deepEqual(problems, [{ file: 'f.yaml', line: 1, column: 1, message }]);
    const elsewhere = planned({ declared: ['a'], applied: ['a', 'b'], empty: ['e.yaml'] });
    assert.deepEqual([elsewhere.pruned, elsewhere.problems], [['b'], []]);
  });
});

describe('a prune that looks like an accident', () => {
  const isHeld = (gone: number, of: number) =>
    planned({ declared: names(of).slice(gone), applied: names(of) }).held !== undefined;

  it('is held: everything, more than half, or more than a fifth', () => {
    assert.deepEqual([isHeld(1, 1), isHeld(2, 2)], [false, true]);
    assert.deepEqual([isHeld(2, 3), isHeld(3, 6), isHeld(3, 5)], [false, false, true]);
    assert.deepEqual([isHeld(4, 10), isHeld(5, 25), isHeld(5, 24)], [false, false, true]);
  });

  it('prunes nothing and shows what it would have', () => {
    const { held, pruned } = planned({ applied: ['b', 'a'] });
    assert.deepEqual(pruned, []);
    assert.deepEqual(held?.objects.map(({ name }) => name).sort(), ['a', 'b']);
    assert.equal(held?.digest, pruneDigest([mirrorKey('a'), mirrorKey('b')]));
  });

  it('goes through when exactly that was approved', () => {
    const digest = pruneDigest([mirrorKey('a'), mirrorKey('b')]);
    assert.deepEqual(planned({ applied: ['a', 'b'], approved: digest }).pruned, ['a', 'b']);
    assert.deepEqual(planned({ applied: ['a', 'b', 'c'], approved: digest }).pruned, []);
  });
});
