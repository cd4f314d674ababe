/** The made-up kinds of the store's contract, on a real API server. */
import assert from 'node:assert/strict';
import { createLog } from '../../controller/log.ts';
import type { Cluster } from '../../controller/store/kubernetes/cluster.ts';
import { ofKubeconfig } from '../../controller/store/kubernetes/kubeconfig.ts';
import {
  openKubernetesStore,
  type KubernetesOptions,
  type KubernetesStore,
} from '../../controller/store/kubernetes/store.ts';
import { toCrd } from '../../crds/crd.ts';
import type { Kind } from '../../crds/kind.ts';
import { FossilKind, validateMadeUp, WidgetKind } from '../controller/store/made-up.ts';
import { until } from '../controller/store/store.contract.ts';
import type { Kubernetes } from '../world/kubernetes.ts';
import type { Scope } from '../world/temp.ts';

export const madeUpKinds = [WidgetKind, FossilKind] as const;

const apis = '/apis/cairn.build/v1alpha1';

/** Declares the made-up kinds and a second namespace, and waits until they are served. */
export async function declareWidgets(kubernetes: Kubernetes): Promise<void> {
  for (const kind of madeUpKinds) await declare(kubernetes, kind as unknown as Kind);
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'other' } };
  await kubernetes.request('POST', '/api/v1/namespaces', namespace);
}

export async function declare(kubernetes: Kubernetes, kind: Kind): Promise<void> {
  const crds = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
  const { status, body } = await kubernetes.request('POST', crds, toCrd(kind));
  assert.equal(status, 201, JSON.stringify(body));
  await until(
    async () => (await kubernetes.request('GET', `${apis}/${kind.plural}`)).status === 200,
  );
}

/** Removes all objects of the made-up kinds, finalizers or not. */
export async function clear(kubernetes: Kubernetes): Promise<void> {
  for (const { plural } of madeUpKinds) {
    for (const { metadata } of await items(kubernetes, plural)) {
      const path = `${apis}/namespaces/${metadata.namespace}/${plural}/${metadata.name}`;
      const contentType = 'application/merge-patch+json';
      const nobody = { metadata: { finalizers: null, ownerReferences: null } };
      await kubernetes.request('PATCH', path, nobody, { contentType });
      await kubernetes.request('DELETE', path);
    }
    assert.deepEqual(await items(kubernetes, plural), []);
  }
}

interface Item {
  readonly metadata: { readonly namespace: string; readonly name: string };
}

async function items(kubernetes: Kubernetes, plural: string): Promise<readonly Item[]> {
  const { body } = await kubernetes.request('GET', `${apis}/${plural}`);
  return (body as { items: readonly Item[] }).items;
}

/** The cluster of the test, as its admin, perhaps at another address. */
export async function clusterOf(kubernetes: Kubernetes, server?: string): Promise<Cluster> {
  const cluster = await ofKubeconfig(kubernetes.kubeconfig);
  return server === undefined ? cluster : { ...cluster, server: new URL(server) };
}

/** A store of the made-up kinds, which ends with the test. */
export async function openWidgets(
  scope: Scope,
  options: Pick<KubernetesOptions, 'cluster'> & Partial<KubernetesOptions>,
): Promise<KubernetesStore> {
  const lines: string[] = [];
  const log = createLog({ format: 'text', level: 'debug', write: (line) => lines.push(line) });
  const store = await openKubernetesStore({
    kinds: madeUpKinds as unknown as readonly Kind[],
    validate: validateMadeUp,
    log,
    ...options,
  });
  scope.after(() => store.close());
  return store;
}
