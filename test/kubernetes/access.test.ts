/** One verb is denied by RBAC: an object says which, or an event does. */
import assert from 'node:assert/strict';
import { before, describe, it, type TestContext } from 'node:test';
import { createLog } from '../../controller/log.ts';
import { startLoop } from '../../controller/loop/controller.ts';
import type { AnyReconciler } from '../../controller/loop/run.ts';
import type { Cluster } from '../../controller/store/kubernetes/cluster.ts';
import { conditionOf } from '../../crds/object.ts';
import { keyed, widget, WidgetKind } from '../controller/store/made-up.ts';
import { rejects, until } from '../controller/store/store.contract.ts';
import { startKubernetes, type Kubernetes } from '../world/kubernetes.ts';
import { needsKubernetes } from '../world/kubernetes-programs.ts';
import { suiteScope } from '../world/temp.ts';
import { clear, clusterOf, declareWidgets, openWidgets } from './widgets.ts';

const read = ['get', 'list', 'watch'];
const reconciler: AnyReconciler = {
  kind: WidgetKind,
  reconcile: async () => ({ status: { size: 1 }, message: 'is as it should be' }),
  finalize: async () => undefined,
};

describe('access to a Kubernetes API server', needsKubernetes, () => {
  const scope = suiteScope();
  let kubernetes: Kubernetes;
  before(async () => {
    kubernetes = await startKubernetes(scope, { users: { cairn: [] } });
    await declareWidgets(kubernetes);
  });

  /** What the user `cairn` may do with widgets and their statuses, beside events and fossils. */
  async function allow(verbs: { widgets?: readonly string[]; status?: readonly string[] }) {
    const { widgets = [...read, 'update'], status = ['update'] } = verbs;
    const rules = [
      { apiGroups: ['cairn.build'], resources: ['widgets'], verbs: widgets },
      { apiGroups: ['cairn.build'], resources: ['widgets/status'], verbs: status },
      { apiGroups: ['cairn.build'], resources: ['fossils'], verbs: read },
      { apiGroups: [''], resources: ['events'], verbs: ['get', 'create', 'patch'] },
    ].filter((rule) => rule.verbs.length > 0);
    const path = '/apis/rbac.authorization.k8s.io/v1';
    const subjects = [{ kind: 'User', name: 'cairn', apiGroup: 'rbac.authorization.k8s.io' }];
    const roleRef = { kind: 'ClusterRole', name: 'cairn', apiGroup: 'rbac.authorization.k8s.io' };
    const metadata = { name: 'cairn' };
    await kubernetes.request('DELETE', `${path}/clusterroles/cairn`);
    const made = await kubernetes.request('POST', `${path}/clusterroles`, { metadata, rules });
    assert.equal(made.status, 201, JSON.stringify(made.body));
    await kubernetes.request('POST', `${path}/clusterrolebindings`, {
      metadata,
      subjects,
      roleRef,
    });
  }

  async function asCairn(): Promise<Cluster> {
    const cluster = await clusterOf(kubernetes);
    const headers = { authorization: `Bearer ${kubernetes.tokens['cairn']}` };
    const credentials = async () => ({ ...(await cluster.credentials()), headers });
    return { ...cluster, credentials };
  }

  async function run(t: TestContext) {
    await clear(kubernetes);
    const admin = await openWidgets(t, { cluster: await clusterOf(kubernetes) });
    // An authorizer knows of a new role a moment after it was made.
    await until(async () => {
      const { status } = await kubernetes.request(
        'GET',
        '/apis/cairn.build/v1alpha1/widgets',
        undefined,
        {
          token: kubernetes.tokens['cairn'] ?? '',
        },
      );
      return status === 200;
    });
    const store = await openWidgets(t, { cluster: await asCairn() });
    const log = createLog({ format: 'text', level: 'error', write: () => undefined });
    const loop = startLoop({ store, reconcilers: [reconciler], log });
    t.after(async () => void (await loop.stop(1000)));
    await admin.create(widget('one'));
    return admin;
  }

  it('is told by the condition of what could not be done', async (t) => {
    await allow({ widgets: read });
    const admin = await run(t);
    const ready = async () => {
      const object = await admin.get(keyed('one'));
      return object && conditionOf(object, 'Ready');
    };

    await until(async () => (await ready())?.reason === 'AccessDenied');

    assert.match((await ready())?.message ?? '', /"cairn" cannot update resource "widgets"/);
    await allow({});
    await until(async () => (await ready())?.status === 'True');
  });

  it('is told by an event where not even the status can be written', async (t) => {
    await allow({ status: [] });
    const admin = await run(t);
    const told = async () => {
      const events = await admin.events(keyed('one'));
      const denied = events.filter(({ reason }) => reason === 'AccessDenied');
      return denied.map(({ message }) => message).join('\n');
    };

    await until(async () => /cannot update resource "widgets\/status"/.test(await told()));
  });

  it('to watch is not needed to see what changes: it is listed then', async (t) => {
    await allow({ widgets: ['get', 'list'] });
    await clear(kubernetes);
    const admin = await openWidgets(t, { cluster: await clusterOf(kubernetes) });
    const store = await openWidgets(t, { cluster: await asCairn() });
    await until(() => store.problems().length === 1);
    assert.match(store.problems().join(), /cannot watch resource "widgets"/);

    await admin.create(widget('one'));

    await until(async () => (await store.get(keyed('one'))) !== undefined);
  });

  it('is asked for at the start, verb by verb', async (t) => {
    await allow({ widgets: ['get', 'watch'] });
    const opening = openWidgets(t, { cluster: await asCairn(), patienceMs: 4000 });

    const error = await rejects(opening, 'Forbidden', 403);

    assert.match(error.message, /Widget.*cannot list resource "widgets"/);
  });
});
