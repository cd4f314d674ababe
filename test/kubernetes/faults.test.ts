/** What goes wrong between the store and a real API server: nothing hangs, and nothing is lost. */
import assert from 'node:assert/strict';
import { before, describe, it, type TestContext } from 'node:test';
import type { KubernetesStore } from '../../controller/store/kubernetes/store.ts';
import { filed } from '../../controller/store/kubernetes/in-cluster.ts';
import type { KubeObject } from '../../crds/object.ts';
import { altered, keyed, widget, WidgetKind } from '../controller/store/made-up.ts';
import { collect, rejects, until } from '../controller/store/store.contract.ts';
import { startApiProxy, type SeenRequest } from '../world/api-proxy.ts';
import { startKubernetes, type Kubernetes } from '../world/kubernetes.ts';
import { needsKubernetes } from '../world/kubernetes-programs.ts';
import { suiteScope } from '../world/temp.ts';
import { clear, clusterOf, declareWidgets, openWidgets } from './widgets.ts';

const isList = ({ method, path }: SeenRequest) => method === 'GET' && /widgets\?limit=/.test(path);
const isWatch = ({ path }: SeenRequest) => /widgets\?watch=1/.test(path);
const expired = { kind: 'Status', status: 'Failure', reason: 'Expired', code: 410, message: 'old' };

describe('the store on Kubernetes', needsKubernetes, () => {
  const scope = suiteScope();
  let kubernetes: Kubernetes;
  before(async () => {
    kubernetes = await startKubernetes(scope);
    await declareWidgets(kubernetes);
  });

  /** A store whose calls go through a proxy, and one whose calls don't: somebody else. */
  async function setUp(t: TestContext, options: Parameters<typeof openWidgets>[1] | object = {}) {
    await clear(kubernetes);
    const proxy = await startApiProxy(t, kubernetes);
    const cluster = await clusterOf(kubernetes, proxy.url);
    const store = await openWidgets(t, { cluster, ...options });
    const other = await openWidgets(t, { cluster: await clusterOf(kubernetes) });
    const count = (isOne: (request: SeenRequest) => boolean) => proxy.requests.filter(isOne).length;
    return { proxy, store, other, count };
  }

  it('goes on where a watch was reset, without a list', async (t) => {
    const { proxy, store, other, count } = await setUp(t);
    const seen = collect(store, t);
    await until(() => count(isWatch) === 1);
    await other.create(widget('one'));
    await until(() => seen.length === 1);

    await proxy.close();
    await other.update({ ...(await read(other, 'one')), spec: { size: 2 } });
    await other.create(widget('two'));
    await other.delete(keyed('one'));
    await proxy.open();

    await until(() => seen.length >= 4);
    assert.deepEqual(
      seen.map(({ type, object }) => [type, object.metadata.name]),
      [
        ['added', 'one'],
        ['modified', 'one'],
        ['added', 'two'],
        ['deleted', 'one'],
      ],
    );
    assert.equal(count(isList), 1);
  });

  it('lists again after a 410, and tells its watchers to', async (t) => {
    const { proxy, store, other, count } = await setUp(t);
    await until(() => count(isWatch) === 1);
    await other.create(widget('gone'));
    await until(async () => (await store.get(keyed('gone'))) !== undefined);
    const watched = watching(store, t);
    proxy.fault(isWatch, { status: 410, body: expired });

    await proxy.close();
    await other.delete(keyed('gone'));
    await other.create(widget('new'));
    await proxy.open();

    await rejects(watched, 'Expired', 410);
    const { items } = await store.list('Widget');
    assert.deepEqual(
      items.map(({ metadata }) => metadata.name),
      ['new'],
    );
    assert.equal(count(isList), 2);
  });

  it('takes an ERROR on a watch for what it is', async (t) => {
    const { proxy, store, other, count } = await setUp(t);
    await until(() => count(isWatch) === 1);
    proxy.fault(isWatch, { status: 200, body: { type: 'ERROR', object: expired } });
    proxy.cut();
    await until(() => count(isList) === 2);

    await other.create(widget('one'));

    await until(async () => (await store.get(keyed('one'))) !== undefined);
  });

  it('reads in pages, and begins anew when they have expired', async (t) => {
    await clear(kubernetes);
    const other = await openWidgets(t, { cluster: await clusterOf(kubernetes) });
    const names = Array.from({ length: 250 }, (_, index) => `w${index}`);
    for (let at = 0; at < names.length; at += 50) {
      await Promise.all(names.slice(at, at + 50).map((name) => other.create(widget(name))));
    }
    const proxy = await startApiProxy(t, kubernetes);
    proxy.fault(({ path }) => path.includes('continue='), { status: 410, body: expired });

    const store = await openWidgets(t, { cluster: await clusterOf(kubernetes, proxy.url) });

    assert.equal((await store.list('Widget')).items.length, names.length);
    assert.equal(proxy.requests.filter(isList).length, 5);
  });

  it('waits as long as it is told to', async (t) => {
    const { proxy, store } = await setUp(t);
    const isPost = ({ method }: SeenRequest) => method === 'POST';
    proxy.fault(isPost, { status: 429, headers: { 'retry-after': '1' } });
    proxy.fault(isPost, { status: 503, headers: { 'retry-after': '1' } });

    await store.create(widget('one'));

    const at = proxy.requests.filter(isPost).map((request) => request.at);
    assert.equal(at.length, 3);
    assert.ok(at.every((time, index) => index === 0 || time - (at[index - 1] ?? 0) >= 999));
  });

  it('repeats what may be repeated when the answer was lost', async (t) => {
    const { proxy, store } = await setUp(t);
    proxy.fault(({ method }) => method === 'PATCH', { loseAnswer: true });
    proxy.fault(({ method }) => method === 'DELETE', { loseAnswer: true });

    const { object } = await store.apply(widget('one'), 'git');
    await store.delete(keyed('one'));

    assert.equal(object.metadata.generation, 1);
    assert.equal(await store.get(keyed('one')), undefined);
  });

  it('does not create twice: it says that it does not know', async (t) => {
    const { proxy, store } = await setUp(t);
    proxy.fault(({ method }) => method === 'POST', { loseAnswer: true });

    await rejects(store.create(widget('one')), 'Unavailable', 503);

    assert.equal(proxy.requests.filter(({ method }) => method === 'POST').length, 1);
    await until(async () => (await store.get(keyed('one'))) !== undefined);
  });

  it('leaves connections that have gone silent', async (t) => {
    const { proxy, store, other, count } = await setUp(t, { silenceMs: 1000 });
    await until(() => count(isWatch) >= 1);
    proxy.freeze();

    await other.create(widget('one'));

    await until(async () => (await store.get(keyed('one'))) !== undefined);
    assert.equal(count(isList), 1);
  });

  it('gives up on an answer that does not come', async (t) => {
    const { proxy, store } = await setUp(t, { attemptMs: 2000 });
    proxy.fault(({ method }) => method === 'PATCH', { silent: true });

    const { outcome } = await store.apply(widget('one'), 'git');

    assert.equal(outcome, 'created');
    assert.equal(proxy.requests.filter(({ method }) => method === 'PATCH').length, 2);
  });

  it('sees what it has written while its watch stands still', async (t) => {
    const { proxy, store, other } = await setUp(t);
    const made = await store.create(widget('one'));
    await store.list('Widget'); // has the event of it
    proxy.freeze();

    const grown = await store.update({ ...made, spec: { size: 2 } });
    assert.deepEqual(await store.get(keyed('one')), grown);
    await other.list('Widget');
    await other.update({ ...(await caughtUp(other, grown)), spec: { size: 3 } });
    await rejects(store.update({ ...grown, spec: { size: 4 } }), 'Conflict', 409);

    // the conflict has shown it the newest state: the next attempt is good
    const newest = await read(store, 'one');
    assert.deepEqual((await store.update({ ...newest, spec: { size: 4 } })).metadata.generation, 4);
    await store.delete(keyed('one'));
    assert.equal(await store.get(keyed('one')), undefined);
  });

  it('reads rotated tokens again', async (t) => {
    await clear(kubernetes);
    let token = kubernetes.token;
    const credentials = filed(async () => {
      const { tls } = await (await clusterOf(kubernetes)).credentials();
      return { headers: { authorization: `Bearer ${token}` }, tls };
    });
    token = 'expired';
    await credentials.credentials(); // what a process has read before the rotation
    token = kubernetes.token;

    const cluster = { ...(await clusterOf(kubernetes)), ...credentials };
    const store = await openWidgets(t, { cluster });

    await store.create(widget('one'));
  });

  it('says what is wrong with credentials that are refused', async (t) => {
    const credentials = filed(async () => {
      const { tls } = await (await clusterOf(kubernetes)).credentials();
      return { headers: { authorization: 'Bearer secret-token' }, tls };
    });
    const cluster = { ...(await clusterOf(kubernetes)), ...credentials };
    const opening = openWidgets(t, { cluster, patienceMs: 4000 });
    const error = await rejects(opening, 'Unavailable', 503);
    assert.match(error.message, /^\w+ objects .*does not accept the credentials/);
    assert.doesNotMatch(error.message, /secret-token/);
  });

  it('answers from memory while the server is away, and misses nothing', async (t) => {
    const { store, other } = await setUp(t, { attemptMs: 500 });
    const made = await store.create(widget('one'));
    await store.list('Widget');
    await kubernetes.kill();

    assert.deepEqual(await store.get(keyed('one')), made);
    assert.equal((await store.list('Widget')).items.length, 1);
    const writing = store.update(altered(made, { labels: { written: 'meanwhile' } }));
    await kubernetes.restart();

    assert.deepEqual((await writing).metadata.labels, { written: 'meanwhile' });
    await until(async () => {
      const seen = await other.get(keyed('one')); // maybe never before the server went away
      return seen?.metadata.labels?.['written'] === 'meanwhile';
    });
    await other.delete(keyed('one'));
    await until(async () => (await store.get(keyed('one'))) === undefined);
  });

  it('tells of objects that are deleted and made anew meanwhile', async (t) => {
    const { store, other } = await setUp(t);
    const made = await store.create(widget('one'));
    await until(async () => (await other.get(keyed('one'))) !== undefined);
    await other.delete(keyed('one'));
    await rejects(
      store.updateStatus({ ...made, status: { observedGeneration: 1 } }),
      'NotFound',
      404,
    );
    assert.equal(await store.get(keyed('one')), undefined);

    const anew = await other.create(widget('one'));

    await rejects(
      store.updateStatus({ ...made, status: { observedGeneration: 1 } }),
      'Conflict',
      409,
    );
    assert.deepEqual((await read(store, 'one')).metadata.uid, anew.metadata.uid);
  });

  it('names the field that a CRD does not have', async (t) => {
    const { store } = await setUp(t);
    const made = await store.create(widget('one'));

    const status = { observedGeneration: 1, fromTheFuture: true };
    const error = await rejects(store.updateStatus({ ...made, status }), 'Invalid', 422);

    assert.match(error.message, /unknown field "status\.fromTheFuture"/);
  });

  it('says which kind the server does not know', async (t) => {
    const gadget = { ...WidgetKind, kind: 'Gadget', plural: 'gadgets' };
    const cluster = await clusterOf(kubernetes);
    const opening = openWidgets(t, { cluster, kinds: [gadget], patienceMs: 4000 });

    const error = await rejects(opening, 'Unavailable', 503);

    assert.match(
      error.message,
      /lacks the CRD gadgets.cairn.build: kubectl apply -f crds\/gadgets.yaml/,
    );
  });
});

async function read(store: KubernetesStore, name: string): Promise<KubeObject> {
  const object = await store.get(keyed(name));
  assert.ok(object, `there is no ${name}`);
  return object;
}

/** The object as another store has it, once it is no older than this one. */
async function caughtUp(store: KubernetesStore, { metadata }: KubeObject): Promise<KubeObject> {
  await until(async () => {
    const object = await store.get(keyed(metadata.name));
    return object?.metadata.resourceVersion === metadata.resourceVersion;
  });
  return read(store, metadata.name);
}

/** Follows a store's watch to its end. */
async function watching(store: KubernetesStore, t: TestContext): Promise<void> {
  const stop = new AbortController();
  t.after(() => stop.abort());
  for await (const _ of store.watch('Widget', { signal: stop.signal }));
}
