/** Server-side apply, and who owns which field: what every store owes those who write. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Manifest } from '../../../crds/object.ts';
import type { Store } from '../../../crds/store.ts';
import { altered, keyed, widget } from './made-up.ts';
import { rejects, type OpenStore } from './store.contract.ts';

export interface ApplyContractOptions {
  /** Whether defaults belong to whoever creates an object, as on a real API server; else to nobody. */
  readonly ownsDefaults?: boolean;
}

export function applyContract(
  name: string,
  open: OpenStore,
  { ownsDefaults = false }: ApplyContractOptions = {},
): void {
  describe(`${name}: owners of fields`, () => {
    it('are those who have set them; defaults have none', async (t) => {
      const store = await open(t);

      await store.apply(widget('one', { size: 1 }, { labels: { app: 'x' } }), 'git');
      await store.create(widget('two', { size: 1, text: 'a' }), { manager: 'cli' });

      assert.deepEqual(await owners(store), {
        'git Apply': { 'f:metadata': { 'f:labels': { 'f:app': {} } }, 'f:spec': { 'f:size': {} } },
      });
      const defaults = ownsDefaults ? { 'f:colour': {} } : {};
      assert.deepEqual(await owners(store, 'two'), {
        'cli Update': { 'f:spec': { '.': {}, ...defaults, 'f:size': {}, 'f:text': {} } },
      });
      assert.deepEqual(await owners(store, 'none'), {});
    });

    it('keep others from changing them by apply, unless these force it', async (t) => {
      const store = await open(t);
      await store.apply(widget('one', { size: 1, text: 'a' }), 'git');
      const polite = { force: false };

      const refused = await rejects(
        store.apply(widget('one', { size: 2, text: 'a' }), 'cli', polite),
        'Conflict',
        409,
      );
      await store.apply(part({ text: 'a' }), 'cli', polite);
      const shared = await owners(store);
      const forced = await store.apply(part({ size: 2 }), 'third', { force: true });

      assert.deepEqual(
        refused.causes.map(({ reason, field }) => [reason, field]),
        [['FieldManagerConflict', '.spec.size']],
      );
      assert.match(refused.message, /conflict with "git": \.spec\.size/);
      assert.deepEqual(shared['cli Apply'], { 'f:spec': { 'f:text': {} } });
      assert.deepEqual(forced.object.spec, { size: 2, text: 'a', colour: 'grey' });
      assert.deepEqual((await owners(store))['git Apply'], { 'f:spec': { 'f:text': {} } });
    });

    it('are named with each field that they keep', async (t) => {
      const store = await open(t);
      await store.apply(widget('one', { size: 1 }), 'git');
      await store.apply(part({ text: 'a' }), 'cli');

      const refused = await rejects(
        store.apply(widget('one', { size: 2, text: 'b' }), 'third', { force: false }),
        'Conflict',
        409,
      );

      assert.deepEqual(refused.causes.map(({ message, field }) => `${message}: ${field}`).sort(), [
        'conflict with "cli": .spec.text',
        'conflict with "git": .spec.size',
      ]);
      assert.deepEqual((await store.get(keyed('one')))?.spec, {
        size: 1,
        text: 'a',
        colour: 'grey',
      });
    });

    it('do not hinder whoever gives the same, or a field that nobody has given', async (t) => {
      const store = await open(t);
      await store.apply(widget('one', { size: 1 }), 'git');

      const { object, outcome } = await store.apply(part({ size: 1, colour: 'red' }), 'cli', {
        force: false,
      });

      assert.deepEqual([outcome, object.spec], ['configured', { size: 1, colour: 'red' }]);
    });

    it('apply to the object that they name, and to no other', async (t) => {
      const store = await open(t);
      const { object } = await store.apply(widget('one', { size: 1 }), 'git');
      const { resourceVersion } = object.metadata;
      await store.apply(widget('one', { size: 2 }), 'git');
      const uid = '00000000-0000-0000-0000-000000000000';

      await rejects(
        store.apply(widget('one', { size: 3 }, { resourceVersion }), 'git'),
        'Conflict',
        409,
      );
      await rejects(store.apply(widget('one', { size: 3 }, { uid }), 'git'), 'Conflict', 409);
      const { uid: own } = object.metadata;
      const applied = await store.apply(widget('one', { size: 3 }, { uid: own }), 'git');

      assert.deepEqual(applied.object.spec, { size: 3, colour: 'grey' });
    });

    it('lose what they give no more, unless somebody else gives it too', async (t) => {
      const store = await open(t);
      await store.apply(widget('one', { size: 1, text: 'a', colour: 'red' }), 'git');
      await store.apply(part({ text: 'a' }), 'cli');

      const { object } = await store.apply(part({ size: 1 }), 'git');

      assert.deepEqual(object.spec, { size: 1, text: 'a', colour: 'grey' });
      const again = await store.apply(part({}), 'cli');
      assert.deepEqual(again.object.spec, { size: 1, colour: 'grey' });
    });

    it('change with an update to whoever made it', async (t) => {
      const store = await open(t);
      const { object } = await store.apply(widget('one', { size: 1, text: 'a' }), 'git');
      await store.update(
        { ...object, spec: { size: 5, text: 'a', colour: 'grey' } },
        { manager: 'editor' },
      );

      assert.deepEqual(await owners(store), {
        'git Apply': { 'f:spec': { 'f:text': {} } },
        'editor Update': { 'f:spec': { 'f:size': {} } },
      });
      const refused = await rejects(
        store.apply(widget('one', { size: 1, text: 'a' }), 'git', { force: false }),
        'Conflict',
        409,
      );
      assert.match(refused.message, /"editor" using cairn\.build\/v1alpha1: \.spec\.size/);
    });

    it('of the status are others than those of the spec', async (t) => {
      const store = await open(t);
      const { object } = await store.apply(widget('one'), 'git');
      const ready = {
        type: 'Ready',
        status: 'True' as const,
        reason: 'Good',
        message: '',
        lastTransitionTime: '2026-08-01T00:00:00Z',
      };

      const stated = await store.updateStatus(
        { ...object, status: { observedGeneration: 1, conditions: [ready] } },
        { manager: 'loop' },
      );

      const entries = await store.managedFields(keyed('one'));
      const entry = entries.find(({ manager }) => manager === 'loop');
      assert.equal(entry?.subresource, 'status');
      const fields = entry?.fieldsV1['f:status'] as Record<string, object>;
      assert.deepEqual(Object.keys(fields), ['f:conditions', 'f:observedGeneration']);
      assert.ok('k:{"type":"Ready"}' in (fields['f:conditions'] ?? {}), 'item by item');
      const applied = await store.apply(part({ size: 2 }), 'git');
      assert.deepEqual(applied.object.status, stated.status);
    });
  });

  describe(`${name}: statuses that are applied`, () => {
    const part = (status: object) => ({ ...keyedPart(), status });
    const condition = (type: string, reason: string) => ({
      ...{ type, reason, status: 'True' as const, message: '' },
      lastTransitionTime: '2026-08-01T00:00:00Z',
    });

    it('are of several managers, and leave the rest alone', async (t) => {
      const store = await open(t);
      const { object } = await store.apply(widget('one'), 'git');

      await store.applyStatus(part({ conditions: [condition('Ready', 'A')] }), 'loop');
      const both = await store.applyStatus(part({ conditions: [condition('More', 'B')] }), 'other');
      const refusal = await rejects(
        store.applyStatus(part({ conditions: [condition('Ready', 'C')] }), 'other', {
          force: false,
        }),
        'Conflict',
        409,
      );
      const dryRun = { dryRun: true };
      const rehearsed = await store.applyStatus(part({ size: 3 }), 'loop', dryRun);
      const after = await store.applyStatus(part({ size: 3 }), 'loop');

      assert.deepEqual(
        both.object.status.conditions?.map(({ type }) => type),
        ['Ready', 'More'],
      );
      assert.equal(refusal.causes[0]?.field, '.status.conditions[type="Ready"].reason');
      assert.match(refusal.causes[0]?.message ?? '', /^conflict with "loop"/);
      for (const { object: made, outcome } of [rehearsed, after]) {
        assert.equal(outcome, 'configured');
        assert.deepEqual(
          made.status.conditions?.map(({ type }) => type),
          ['More'],
        );
        assert.equal((made.status as { size?: number }).size, 3);
      }
      assert.deepEqual([after.object.spec, after.object.metadata.generation], [object.spec, 1]);
      await rejects(
        store.applyStatus({ ...part({}), metadata: { name: 'none' } }, 'loop'),
        'NotFound',
        404,
      );
    });
  });

  describe(`${name}: rehearsals`, () => {
    it('answer what would be, and store nothing', async (t) => {
      const store = await open(t);
      const made = await store.create(widget('one'));
      const before = await store.list('Widget');
      const dryRun = true;

      const updated = await store.update({ ...made, spec: { size: 9 } }, { dryRun });
      const created = await store.create(widget('two'), { dryRun });
      const applied = await store.apply(widget('three', { size: 3 }), 'git', { dryRun });
      await store.updateStatus({ ...made, status: { observedGeneration: 7 } }, { dryRun });
      await store.delete(keyed('one'), { dryRun });

      assert.deepEqual(
        [updated.spec, updated.metadata.generation],
        [{ size: 9, colour: 'grey' }, 2],
      );
      assert.equal(created.metadata.name, 'two');
      assert.equal(applied.outcome, 'created');
      assert.deepEqual(await store.list('Widget'), before);
      await rejects(store.update({ ...made, spec: { size: 'x' } }, { dryRun }), 'Invalid', 422);
    });

    it('of an apply tell what would become of the object, and who is in the way', async (t) => {
      const store = await open(t);
      await store.apply(widget('one', { size: 1 }), 'git');
      const before = await store.get(keyed('one'));
      const dryRun = true;

      const same = await store.apply(widget('one', { size: 1 }), 'git', { dryRun });
      const other = await store.apply(widget('one', { size: 2 }), 'git', { dryRun });

      assert.deepEqual([same.outcome, other.outcome], ['unchanged', 'configured']);
      assert.deepEqual(other.object.spec, { size: 2, colour: 'grey' });
      assert.equal(other.object.metadata.generation, 2);
      const polite = { dryRun, force: false };
      await rejects(store.apply(widget('one', { size: 2 }), 'cli', polite), 'Conflict', 409);
      assert.deepEqual(await store.get(keyed('one')), before);
    });

    it('of a deletion keep to its conditions', async (t) => {
      const store = await open(t);
      const made = await store.create(widget('one'));
      await store.update(altered(made, { labels: { app: 'x' } }));

      const stale = { resourceVersion: made.metadata.resourceVersion };
      await rejects(store.delete(keyed('one'), { ...stale, dryRun: true }), 'Conflict', 409);
      await rejects(store.delete(keyed('one'), stale), 'Conflict', 409);
    });
  });
}

/** One manager's part of a widget. */
function part(spec: object): Manifest {
  return widget('one', spec);
}

function keyedPart() {
  return { kind: 'Widget', metadata: { name: 'one', namespace: 'default' } };
}

/** From manager and operation to fields. */
async function owners(store: Store, name = 'one'): Promise<Record<string, object>> {
  const entries = await store.managedFields(keyed(name));
  return Object.fromEntries(
    entries.map(({ manager, operation, fieldsV1 }) => [`${manager} ${operation}`, fieldsV1]),
  );
}
