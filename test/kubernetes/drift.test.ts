/** Hand-edits of declared objects on a real API server. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { before, describe, it, type TestContext } from 'node:test';
import { createLog } from '../../controller/log.ts';
import { startLoop } from '../../controller/loop/controller.ts';
import { configSourceReconciler } from '../../controller/sources/reconciler.ts';
import { openKubernetesStore } from '../../controller/store/kubernetes/store.ts';
import { kinds } from '../../crds/index.ts';
import { apiVersion, isReady, type KubeObject } from '../../crds/object.ts';
import { validateManifest } from '../../crds/validate.ts';
import { driftContract } from '../controller/sources/drift.contract.ts';
import type { OpenForDrift } from '../controller/sources/drift-world.ts';
import { until, writeFiles } from '../controller/sources/folder.ts';
import { startApiProxy, type SeenRequest } from '../world/api-proxy.ts';
import type { Kubernetes } from '../world/kubernetes.ts';
import { needsKubernetes } from '../world/kubernetes-programs.ts';
import { suiteScope, tempDir } from '../world/temp.ts';
import { clusterOf } from './widgets.ts';
import { startWithCrds } from './with-crds.ts';

describe('on Kubernetes', needsKubernetes, () => {
  const scope = suiteScope();
  let kubernetes: Kubernetes;
  before(async () => {
    kubernetes = await startWithCrds(scope);
  });

  const open: OpenForDrift = async (t) => openThrough(t, kubernetes.url);

  async function openThrough(t: TestContext, url: string) {
    const namespace = `drift-${randomUUID().slice(0, 8)}`;
    const body = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } };
    const { status } = await kubernetes.request('POST', '/api/v1/namespaces', body);
    assert.equal(status, 201);
    const store = await openKubernetesStore({
      cluster: await clusterOf(kubernetes, url),
      kinds,
      validate: validateManifest,
      namespace,
      log: createLog({ format: 'text', level: 'debug', write: () => {} }),
    });
    t.after(() => store.close());
    return { store, namespace };
  }

  driftContract('Kubernetes store', open);

  it('costs no write, and no question, while nothing has drifted', async (t) => {
    const proxy = await startApiProxy(t, kubernetes);
    const { store, namespace } = await openThrough(t, proxy.url);
    const location = tempDir(t);
    const names = Array.from({ length: 20 }, (_, index) => `m${index}`);
    const spec = { url: 'http://a.test/a', suites: ['s'], allowUnsigned: true, public: false };
    const manifests = names.map((name) => {
      const metadata = { name, namespace };
      return JSON.stringify({ apiVersion, kind: 'Mirror', metadata, spec });
    });
    await writeFiles(location, { 'all.yaml': manifests.join('\n---\n') });
    const metadata = { name: 'config', namespace };
    const kind = 'ConfigSource';
    await store.apply({ apiVersion, kind, metadata, spec: { location } }, 'test');
    const log = createLog({ format: 'text', level: 'debug', write: () => {} });
    const now = () => new Date();
    const ready = async () => isReady((await store.get({ kind, ...metadata })) as KubeObject);
    const start = () => {
      const inventory = (source: string) => store.inventory(source);
      const secrets = async () => undefined;
      const dataDir = tempDir(t);
      const sources = configSourceReconciler({ dataDir, store, inventory, secrets, now, log });
      const loop = startLoop({ store, reconcilers: [sources], log, now });
      const stop = async () => {
        await loop.stop(5000);
        await sources.close();
      };
      t.after(stop);
      return { loop, stop };
    };
    const first = start();
    await until(ready);
    await first.loop.idle();
    const applied = proxy.requests.filter(({ method }) => method === 'PATCH').length;
    await first.stop();
    const before = proxy.requests.length;

    const second = start();
    await second.loop.synced;
    await second.loop.idle();
    for (const name of names) {
      const path = `/apis/${apiVersion}/namespaces/${namespace}/mirrors/${name}`;
      const labels = { metadata: { labels: { team: 'x' } } };
      const contentType = 'application/merge-patch+json';
      await kubernetes.request('PATCH', path, labels, { contentType });
    }
    const isSeen = async () => {
      const { items } = await store.list('Mirror', { labels: { team: 'x' } });
      return items.length === names.length;
    };
    await until(isSeen);
    await second.loop.idle();

    assert.equal(applied, names.length + 1, 'once each, and the source');
    const asked = proxy.requests.slice(before).filter(({ path }) => !/watch=1|limit=/.test(path));
    const isInventory = ({ method, path }: SeenRequest) =>
      method === 'GET' && path.endsWith('/configmaps/cairn-inventory-config');
    assert.deepEqual(
      asked.filter((request) => !isInventory(request)),
      [],
    );
  });
});
