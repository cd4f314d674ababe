/** The store on a real API server owes its callers what the embedded one does. */
import { before, describe } from 'node:test';
import { storeContract } from '../controller/store/store.contract.ts';
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

  storeContract(
    'Kubernetes store',
    async (test) => {
      await clear(kubernetes);
      return openWidgets(test, { cluster: await clusterOf(kubernetes) });
    },
    { collectsGarbage: false },
  );
});
