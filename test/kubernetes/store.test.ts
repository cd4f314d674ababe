/** The store on a real API server owes its callers what the embedded one does. */
import { before, describe } from 'node:test';
import { applyContract } from '../controller/store/apply.contract.ts';
import { storeContract, type OpenStore } from '../controller/store/store.contract.ts';
import { startKubernetes, type Kubernetes } from '../world/kubernetes.ts';
import { needsKubernetes } from '../world/kubernetes-programs.ts';
import { suiteScope } from '../world/temp.ts';
import { clear, clusterOf, declareWidgets, openWidgets } from './widgets.ts';

describe('on Kubernetes', needsKubernetes, () => {
  const scope = suiteScope();
  let kubernetes: Kubernetes;
  before(async () => {
    kubernetes = await startKubernetes(scope);
    await declareWidgets(kubernetes);
  });

  const open: OpenStore = async (test) => {
    await clear(kubernetes);
    return openWidgets(test, { cluster: await clusterOf(kubernetes) });
  };
  storeContract('Kubernetes store', open, { collectsGarbage: false });
  applyContract('Kubernetes store', open, { ownsDefaults: true });
});
