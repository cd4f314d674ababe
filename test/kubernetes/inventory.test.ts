import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type { InventoryEntry } from '../../crds/store.ts';
import { rejects } from '../controller/store/store.contract.ts';
import { startKubernetes, type Kubernetes } from '../world/kubernetes.ts';
import { needsKubernetes } from '../world/kubernetes-programs.ts';
import { suiteScope } from '../world/temp.ts';
import { clusterOf, declareWidgets, openWidgets } from './widgets.ts';

describe('inventories on Kubernetes', needsKubernetes, () => {
  const scope = suiteScope();
  let kubernetes: Kubernetes;
  before(async () => {
    kubernetes = await startKubernetes(scope);
    await declareWidgets(kubernetes);
  });

  const entry = (name: string, file = `${name}.yaml`): InventoryEntry => {
    return { kind: 'Mirror', namespace: 'default', name, uid: `uid-${name}`, file };
  };

  it('are replaced as a whole, and survive a restart', async (t) => {
    const cluster = await clusterOf(kubernetes);
    const first = await openWidgets(t, { cluster });
    await first.inventory('default/main').replace([entry('b'), entry('a')]);
    await first.inventory('default/other').replace([entry('c')]);
    await first.inventory('default/main').replace([entry('d'), entry('b')]);

    const store = await openWidgets(t, { cluster });

    assert.deepEqual(await store.inventory('default/main').list(), [entry('b'), entry('d')]);
    assert.deepEqual(await store.inventory('default/other').list(), [entry('c')]);
    assert.deepEqual(await store.inventory('default/none').list(), []);
  });

  it('hold thousands of objects, of the longest names too', async (t) => {
    const store = await openWidgets(t, { cluster: await clusterOf(kubernetes) });
    const many = Array.from({ length: 4000 }, (_, index) =>
      entry(`${'n'.repeat(240)}-${1000 + index}`, `manifests/${'f'.repeat(200)}/${index}.yaml`),
    );

    await store.inventory('default/many').replace(many);

    assert.deepEqual(await store.inventory('default/many').list(), many);
  });

  it('refuse a second writer, who has not seen what the first one wrote', async (t) => {
    const cluster = await clusterOf(kubernetes);
    const [one, other] = [await openWidgets(t, { cluster }), await openWidgets(t, { cluster })];
    await one.inventory('default/shared').replace([entry('a')]);
    const read = other.inventory('default/shared');
    await read.list();
    await one.inventory('default/shared').replace([entry('a'), entry('b')]);

    await rejects(read.replace([entry('z')]), 'Conflict', 409);
    assert.equal((await other.inventory('default/shared').list()).length, 2);
  });

  it('are not believed when they are damaged', async (t) => {
    const store = await openWidgets(t, { cluster: await clusterOf(kubernetes) });
    await store.inventory('default/broken').replace([entry('a')]);
    const path = '/api/v1/namespaces/default/configmaps/cairn-inventory-broken';
    const contentType = 'application/merge-patch+json';
    await kubernetes.request('PATCH', path, { data: { entries: '[{}]' } }, { contentType });

    await assert.rejects(store.inventory('default/broken').list(), /does not hold an inventory/);
  });
});
