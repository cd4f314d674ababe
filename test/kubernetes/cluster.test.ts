/** How the store finds its cluster and is let in, and what it keeps out of other namespaces. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { before, describe, it, type TestContext } from 'node:test';
import { inCluster } from '../../controller/store/kubernetes/in-cluster.ts';
import { findCluster } from '../../controller/store/kubernetes/kubeconfig.ts';
import { keyed, widget } from '../controller/store/made-up.ts';
import { rejects } from '../controller/store/store.contract.ts';
import { startKubernetes, type Kubernetes } from '../world/kubernetes.ts';
import { needsKubernetes } from '../world/kubernetes-programs.ts';
import { suiteScope, tempDir } from '../world/temp.ts';
import { clear, clusterOf, declareWidgets, openWidgets } from './widgets.ts';

describe('a cluster', needsKubernetes, () => {
  const scope = suiteScope();
  let kubernetes: Kubernetes;
  before(async () => {
    kubernetes = await startKubernetes(scope);
    await declareWidgets(kubernetes);
  });

  /** What Kubernetes mounts into a Pod, and sets in its environment. */
  function pod(t: TestContext) {
    const folder = tempDir(t);
    const write = (name: string, text: string) => writeFileSync(path.join(folder, name), text);
    write('token', `${kubernetes.token}\n`);
    write('ca.crt', kubernetes.ca);
    write('namespace', 'other');
    const { hostname, port } = new URL(kubernetes.url);
    const env = { KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port };
    return { folder, env, write };
  }

  it('is that of the Pod, whose token is read again when it was refused', async (t) => {
    await clear(kubernetes);
    const { folder, env, write } = pod(t);
    write('token', 'of yesterday');
    const cluster = await inCluster(env, folder);
    assert.ok(cluster);
    assert.equal(cluster.namespace, 'other');
    await cluster.credentials();
    write('token', kubernetes.token);

    const store = await openWidgets(t, { cluster });

    await store.create(widget('one'));
  });

  it('is trusted by its certificate only', async (t) => {
    const { folder, env, write } = pod(t);
    write('ca.crt', '');
    const cluster = await inCluster(env, folder);
    assert.ok(cluster);
    const opening = openWidgets(t, { cluster, patienceMs: 4000 });

    const error = await rejects(opening, 'Unavailable', 503);

    assert.match(error.message, /certificate/);
  });

  it('is that of KUBECONFIG, else of ~/.kube/config, else there is none', async (t) => {
    const home = tempDir(t);
    const named = await findCluster({ KUBECONFIG: kubernetes.kubeconfig, HOME: home });
    assert.equal(named.server.origin, kubernetes.url);
    await assert.rejects(findCluster({ HOME: home }), /found no cluster/);

    mkdirSync(path.join(home, '.kube'));
    const text = JSON.stringify({ apiVersion: 'v1', kind: 'Config', 'current-context': 'none' });
    writeFileSync(path.join(home, '.kube/config'), text);
    await assert.rejects(findCluster({ HOME: home }), /names no API server/);
  });

  it('has namespaces, of which the store may be given one', async (t) => {
    await clear(kubernetes);
    const cluster = await clusterOf(kubernetes);
    const all = await openWidgets(t, { cluster });
    await all.create(widget('one'));
    await all.create(widget('two', { size: 1 }, { namespace: 'other' }));

    const store = await openWidgets(t, { cluster, namespace: 'other' });

    const { items } = await store.list('Widget');
    assert.deepEqual(
      items.map(({ metadata }) => metadata.name),
      ['two'],
    );
    assert.equal(await store.get(keyed('one')), undefined);
    const error = await rejects(store.create(widget('three')), 'Invalid', 422);
    assert.match(error.message, /in the namespace other, and not in default/);
    await rejects(store.delete(keyed('one')), 'Invalid', 422);
  });

  it('is told events that kubectl shows, counted, and not too many', async (t) => {
    await clear(kubernetes);
    const store = await openWidgets(t, { cluster: await clusterOf(kubernetes) });
    await store.create(widget('one'));
    const event = { regarding: keyed('one'), type: 'Warning', reason: 'Odd' } as const;
    for (let count = 0; count < 3; count += 1)
      await store.record({ ...event, message: 'ž'.repeat(2000) });
    const shown = await kubernetes.kubectl(['describe', 'widget', 'one']);
    assert.match(shown.stdout, /Warning +Odd .*x3 over.* cairn/);

    for (let count = 0; count < 40; count += 1)
      await store.record({ ...event, message: `${count}` });

    assert.equal((await store.events(keyed('one'))).length, 1 + 22);
  });
});
