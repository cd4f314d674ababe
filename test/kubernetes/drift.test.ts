/** Hand-edits of declared objects on a real API server. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { before, describe } from 'node:test';
import { createLog } from '../../controller/log.ts';
import { openKubernetesStore } from '../../controller/store/kubernetes/store.ts';
import { kinds } from '../../crds/index.ts';
import { validateManifest } from '../../crds/validate.ts';
import { driftContract } from '../controller/sources/drift.contract.ts';
import type { Kubernetes } from '../world/kubernetes.ts';
import { needsKubernetes } from '../world/kubernetes-programs.ts';
import { suiteScope } from '../world/temp.ts';
import { clusterOf } from './widgets.ts';
import { startWithCrds } from './with-crds.ts';

describe('on Kubernetes', needsKubernetes, () => {
  const scope = suiteScope();
  let kubernetes: Kubernetes;
  before(async () => {
    kubernetes = await startWithCrds(scope);
  });

  driftContract('Kubernetes store', async (t) => {
    const namespace = `drift-${randomUUID().slice(0, 8)}`;
    const body = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } };
    const { status } = await kubernetes.request('POST', '/api/v1/namespaces', body);
    assert.equal(status, 201);
    const store = await openKubernetesStore({
      cluster: await clusterOf(kubernetes),
      kinds,
      validate: validateManifest,
      namespace,
      log: createLog({ format: 'text', level: 'debug', write: () => {} }),
    });
    t.after(() => store.close());
    return { store, namespace };
  });
});
