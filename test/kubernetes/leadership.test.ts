/** One of several replicas leads, by a Lease on a real API server. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { before, describe, it } from 'node:test';
import { seekLeadership, type Leadership } from '../../controller/leader/leadership.ts';
import { monotonicMs } from '../../controller/leader/clock.ts';
import { Lease } from '../../controller/leader/lease.ts';
import { createLog } from '../../controller/log.ts';
import { Connection } from '../../controller/store/kubernetes/connection.ts';
import { keyed, widget } from '../controller/store/made-up.ts';
import { rejects } from '../controller/store/store.contract.ts';
import { eventually } from '../e2e/product.ts';
import { startKubernetes, type Kubernetes } from '../world/kubernetes.ts';
import { needsKubernetes } from '../world/kubernetes-programs.ts';
import { suiteScope, type Scope } from '../world/temp.ts';
import { clusterOf, declareWidgets, openWidgets } from './widgets.ts';

const log = createLog({ format: 'text', level: 'error', write: () => undefined });

describe('leadership', needsKubernetes, () => {
  const scope = suiteScope();
  let kubernetes: Kubernetes;
  before(async () => {
    kubernetes = await startKubernetes(scope);
    await declareWidgets(kubernetes);
  });

  function seek(t: Scope, name: string): Leadership {
    const env = { KUBECONFIG: kubernetes.kubeconfig };
    const leadership = seekLeadership({ env, namespace: 'default', name, log });
    t.after(() => leadership.release());
    return leadership;
  }

  it('is one replica’s, and the next one’s when it is given away, with a higher epoch', async (t) => {
    const first = seek(t, 'given');
    const epoch = await first.leading;
    const second = seek(t, 'given');
    assert.ok(first.fence() > 0);
    assert.throws(() => second.fence(), /does not lead/);

    await first.release();

    assert.throws(() => first.fence(), /does not lead/);
    assert.equal(await second.leading, epoch + 1);
    assert.ok(second.fence() > 0);
  });

  it('tells the others where the one is that has it', async (t) => {
    const is = (one: Leadership, what: object) =>
      eventually(() => isDeepStrictEqual(one.leader(), what), JSON.stringify(what));
    const first = seek(t, 'told');
    assert.deepEqual(first.leader(), { is: 'nobody' });
    await first.leading;
    const second = seek(t, 'told');
    second.advertise('10.0.0.2:8080');
    await is(second, { is: 'other', address: undefined });

    first.advertise('10.0.0.1:8080');

    await is(second, { is: 'other', address: '10.0.0.1:8080' });
    assert.deepEqual(first.leader(), { is: 'self' });
    await first.release();
    await second.leading;
    const third = seek(t, 'told');
    assert.deepEqual([first.leader(), second.leader()], [{ is: 'nobody' }, { is: 'self' }]);
    await is(third, { is: 'other', address: '10.0.0.2:8080' });
  });

  it('is not judged by clocks, which differ', async (t) => {
    const connection = new Connection({ cluster: await clusterOf(kubernetes), log });
    t.after(() => connection.close());
    const common = { connection, namespace: 'default', name: 'clocks', clock: monotonicMs };
    const inAnHour = () => new Date(Date.now() + 3_600_000);
    const one = new Lease({ ...common, identity: 'one', now: () => new Date() });
    const ahead = new Lease({ ...common, identity: 'ahead', now: inAnHour });

    assert.equal((await one.attempt()).is, 'held');
    assert.equal((await ahead.attempt()).is, 'taken');
    await one.release();
    assert.equal((await ahead.attempt()).is, 'held');
    assert.equal((await one.attempt()).is, 'taken');
  });

  it('outlasts an event loop that is busy for longer than the lease', async (t) => {
    const leadership = seek(t, 'busy');
    await leadership.leading;

    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 16_000); // nothing else goes on

    assert.ok(leadership.fence() > 0);
  });

  it('ends with a process whose event loop does not move any more', async (t) => {
    const script = path.join(import.meta.dirname, 'wedged-process.ts');
    const child = spawn(process.execPath, [script, 'wedged', '3000'], {
      env: { ...process.env, NODE_NO_WARNINGS: '1', KUBECONFIG: kubernetes.kubeconfig },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    t.after(() => void child.kill('SIGKILL'));
    let told = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (told += text));
    await once(child.stdout, 'data');
    const next = seek(t, 'wedged');

    assert.deepEqual(await once(child, 'close'), [null, 'SIGKILL']);
    assert.match(told, /the main thread has not moved for 3 s/);
    await next.leading;
  });

  it('ends when it can’t be renewed, and nothing is written from then on', async (t) => {
    const leadership = seek(t, 'cut');
    const store = await openWidgets(t, { cluster: await clusterOf(kubernetes) });
    const fenced = store.fenced(() => leadership.fence());
    await leadership.leading;
    await fenced.apply(widget('one'), 'git');
    await kubernetes.kill();

    const because = await leadership.lost;
    await kubernetes.restart();

    assert.match(because, /can't be reached/);
    await rejects(fenced.apply(widget('one', { size: 2 }), 'git'), 'Unavailable', 503);
    await rejects(fenced.inventory('default/x').replace([]), 'Unavailable', 503);
    assert.deepEqual((await fenced.get(keyed('one')))?.spec, { size: 1, colour: 'grey' });
  });
});
