import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { StructuralSchema } from '../../../crds/crd.ts';
import {
  difference,
  fromFieldsV1,
  isSameSet,
  placesOf,
  toFieldsV1,
  union,
} from '../../../controller/store/managed-fields/field-set.ts';
import { afterApply, afterUpdate } from '../../../controller/store/managed-fields/ownership.ts';

const type: StructuralSchema = {
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      properties: {
        name: { type: 'string' },
        whole: { type: 'array', items: { type: 'string' } },
        words: { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'string' } },
        ports: {
          type: 'array',
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['port', 'protocol'],
          items: {
            type: 'object',
            properties: {
              port: { type: 'integer' },
              protocol: { type: 'string', default: 'TCP' },
              note: { type: 'string' },
            },
          },
        },
      },
    },
  },
};
const time = '2026-08-01T00:00:00Z';

/** Applies one configuration after another, each for its manager. */
function applied(...configs: readonly (readonly [string, object])[]) {
  let state: ReturnType<typeof afterApply> = { value: {}, entries: [] };
  for (const [manager, spec] of configs) {
    const application = { live: state.value, config: { spec }, entries: state.entries };
    state = afterApply({ ...application, type, force: true }, { manager, time });
  }
  return state;
}

describe('an apply', () => {
  it('merges lists by their keys, and sets by their values', () => {
    const { value } = applied(
      ['a', { ports: [{ port: 1 }, { port: 2, note: 'x' }], words: ['one', 'two'] }],
      ['b', { ports: [{ port: 2, protocol: 'TCP' }, { port: 3 }], words: ['two', 'three'] }],
    );
    assert.deepEqual(value['spec'], {
      ports: [{ port: 1 }, { port: 2, note: 'x', protocol: 'TCP' }, { port: 3 }],
      words: ['one', 'two', 'three'],
    });
  });

  it('removes an item that nobody gives any more, and keeps what others have in it', () => {
    const { value } = applied(
      ['a', { ports: [{ port: 1 }, { port: 2, note: 'x' }], words: ['one', 'two'] }],
      ['b', { ports: [{ port: 2 }], words: ['two'] }],
      ['a', { words: ['one'] }],
    );
    assert.deepEqual(value['spec'], { ports: [{ port: 2 }], words: ['one', 'two'] });
  });

  it('replaces a list of no known type as a whole', () => {
    const { value, entries } = applied(['a', { whole: ['x', 'y'] }], ['b', { whole: ['z'] }]);
    assert.deepEqual(value['spec'], { whole: ['z'] });
    assert.deepEqual(
      entries.map(({ manager, fieldsV1 }) => [manager, fieldsV1]),
      [['b', { 'f:spec': { 'f:whole': {} } }]],
    );
  });

  it('names the place in a list that is in conflict', () => {
    const { value, entries } = applied(['a', { ports: [{ port: 1, note: 'x' }] }]);
    const config = { spec: { ports: [{ port: 1, note: 'y' }] } };
    const again = () =>
      afterApply({ live: value, config, entries, type, force: false }, { manager: 'b', time });
    assert.throws(again, /conflict with "a": \.spec\.ports\[port=1,protocol="TCP"\]\.note/);
  });

  it('lets kubectl go over from its client-side apply without a conflict with itself', () => {
    const metadata = (name: string) => ({
      annotations: {
        'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify({ spec: { name } }),
      },
    });
    const live = { metadata: metadata('old'), spec: { name: 'old' } };
    const writing = { manager: 'kubectl-client-side-apply', time };
    const entries = afterUpdate([], { before: {}, after: live, type }, writing);
    const application = { live, config: { spec: { name: 'new' } }, entries, type, force: false };
    const { value } = afterApply(application, { manager: 'kubectl', time });
    assert.deepEqual(value['spec'], { name: 'new' });
    assert.throws(() => afterApply(application, { manager: 'other', time }), /conflict/);
    const changed = { ...application, live: { metadata: metadata('old'), spec: { name: 'z' } } };
    assert.throws(() => afterApply(changed, { manager: 'kubectl', time }), /conflict/);
  });

  it('owns nothing that is not in its configuration, whatever came before', () => {
    const name = fc.constantFrom('a', 'b', 'c');
    const spec = fc.record(
      {
        name: fc.constantFrom('x', 'y'),
        words: fc.subarray(['one', 'two', 'three']),
        ports: fc.subarray([{ port: 1 }, { port: 2, note: 'n' }, { port: 3 }]),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(name, spec), { minLength: 1, maxLength: 8 }), (configs) => {
        const { value, entries } = applied(...configs);
        const last = new Map(configs);
        const owned = union(...entries.map(({ fieldsV1 }) => fromFieldsV1(fieldsV1)));
        const leaves = placesOf(owned).filter((place) => place !== '.spec');
        const words = (value['spec'] as { words?: string[] } | undefined)?.words ?? [];
        for (const word of words) {
          const givers = [...last.values()].filter((given) => given.words?.includes(word));
          assert.ok(givers.length > 0, `nobody gives ${word} any more`);
          assert.ok(leaves.includes(`.spec.words[="${word}"]`));
        }
      }),
    );
  });
});

describe('managedFields', () => {
  it('hold at most ten updaters: the oldest become one', () => {
    let entries: ReturnType<typeof afterUpdate> = [];
    for (let at = 0; at < 15; at += 1) {
      const [before, after] = [
        { spec: { name: `${at}` } },
        { spec: { name: `${at}`, [`x${at}`]: 1 } },
      ];
      const second = String(at).padStart(2, '0');
      const writing = { manager: `m${at}`, time: `2026-08-01T00:00:${second}Z` };
      entries = afterUpdate(entries, { before, after, type }, writing);
    }
    assert.equal(entries.length, 10);
    assert.equal(entries[0]?.manager, 'ancient-changes');
    const all = union(...entries.map(({ fieldsV1 }) => fromFieldsV1(fieldsV1)));
    assert.equal(placesOf(all).length, 15);
  });

  it('are read back as they were written', () => {
    const key = fc.constantFrom('f:a', 'f:b', 'v:"x"', 'k:{"port":1}');
    const { fields } = fc.letrec((tie) => ({
      fields: fc.dictionary(key, fc.oneof({ depthSize: 'small' }, fc.constant({}), tie('fields'))),
    }));
    fc.assert(
      fc.property(fields, (given) => {
        const set = fromFieldsV1(given);
        assert.ok(isSameSet(fromFieldsV1(toFieldsV1(set)), set));
        assert.ok(difference(set, set).isEmpty());
      }),
    );
  });
});
