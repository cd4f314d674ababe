/** Server-side apply, and who owns which field: what every store owes those who write. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { KubeObject, Manifest } from '../../../crds/object.ts';
import { altered, keyed, widget } from './made-up.ts';
import { rejects, type OpenStore } from './store.contract.ts';

export function applyContract(name: string, open: OpenStore): void {
  describe(`${name}: owners of fields`, () => {
    it('are those who have set them; defaults have none', async (t) => {
      const store = await open(t);

      await store.apply(widget('one', { size: 1 }, { labels: { app: 'x' } }), 'git');
      const made = await store.create(widget('two', { size: 1, text: 'a' }), { manager: 'cli' });

      const read = await store.get(keyed('one'));
      assert.deepEqual(owners(read), {
        'git Apply': { 'f:metadata': { 'f:labels': { 'f:app': {} } }, 'f:spec': { 'f:size': {} } },
      });
      assert.deepEqual(owners(made), {
        'cli Update': { 'f:spec': { '.': {}, 'f:size': {}, 'f:text': {} } },
      });
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
      const shared = await store.apply(part({ text: 'a' }), 'cli', polite);
      const forced = await store.apply(part({ size: 2 }), 'third', { force: true });

      assert.deepEqual(
        refused.causes.map(({ reason, field }) => [reason, field]),
        [['FieldManagerConflict', '.spec.size']],
      );
      assert.match(refused.message, /conflict with "git": \.spec\.size/);
      assert.deepEqual(owners(shared.object)['cli Apply'], { 'f:spec': { 'f:text': {} } });
      assert.deepEqual(forced.object.spec, { size: 2, text: 'a', colour: 'grey' });
      assert.deepEqual(owners(forced.object)['git Apply'], { 'f:spec': { 'f:text': {} } });
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
      const edited = await store.update(
        { ...object, spec: { size: 5, text: 'a', colour: 'grey' } },
        { manager: 'editor' },
      );

      assert.deepEqual(owners(edited), {
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

      const entry = stated.metadata.managedFields?.find(({ manager }) => manager === 'loop');
      assert.equal(entry?.subresource, 'status');
      const fields = entry?.fieldsV1['f:status'] as Record<string, object>;
      assert.deepEqual(Object.keys(fields), ['f:conditions', 'f:observedGeneration']);
      assert.ok('k:{"type":"Ready"}' in (fields['f:conditions'] ?? {}), 'item by item');
      const applied = await store.apply(part({ size: 2 }), 'git');
      assert.deepEqual(applied.object.status, stated.status);
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

/** From manager and operation to fields. */
function owners(object: KubeObject | undefined): Record<string, Record<string, unknown>> {
  const entries = object?.metadata.managedFields ?? [];
  return Object.fromEntries(
    entries.map(({ manager, operation, fieldsV1 }) => [`${manager} ${operation}`, fieldsV1]),
  );
}
