/** Replicas of the product on one cluster and one data directory: all serve, one works. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { before, describe, it } from 'node:test';
import {
  environment,
  eventually,
  good,
  mirror,
  mirrorSet,
  product,
  snapshot,
  type Product,
} from '../e2e/product.ts';
import { leaseSeconds } from '../../controller/leader/lease.ts';
import { kubeconfigThrough, startApiProxy, type SeenRequest } from '../world/api-proxy.ts';
import type { Cairn, CairnOptions } from '../world/cairn.ts';
import { startKubernetes, type Kubernetes } from '../world/kubernetes.ts';
import { needsKubernetes } from '../world/kubernetes-programs.ts';
import { suiteScope, tempDir } from '../world/temp.ts';
import { installCrds } from './product-crds.ts';

/** More than kernels buffer for a client that does not read. */
const large = { name: 'large', version: '1.0', size: 40_000_000 };

function pathOf(version: string, what: string): string {
  return `/apis/${version}/namespaces/default/${what}`;
}

describe('replicas', needsKubernetes, () => {
  const scope = suiteScope();
  let kubernetes: Kubernetes;
  let world: Product;
  const running: Cairn[] = [];

  before(async () => {
    kubernetes = await startKubernetes(scope);
    await installCrds(kubernetes);
    world = await product(scope);
    world.archive.add({ name: 'hello', version: '1.0' });
    world.archive.add(large);
    await world.archive.publish();
  });

  async function kubectl(args: readonly string[], input?: string): Promise<string> {
    const done = await kubernetes.kubectl(args, input === undefined ? {} : { input });
    const logs = running.map((one) => one.logs).join('\n---\n');
    assert.equal(done.code, 0, `kubectl ${args.join(' ')}: ${done.output}\n${logs}`);
    return done.stdout;
  }

  async function start(options: Partial<CairnOptions> = {}): Promise<Cairn> {
    const env = { KUBECONFIG: kubernetes.kubeconfig };
    const args = ['--kubernetes', '--elect'];
    const cairn = await world.start({ args, env, config: undefined, ...options });
    running.push(cairn);
    return cairn;
  }

  async function stopAll(): Promise<void> {
    await Promise.all(running.splice(0).map((cairn) => cairn.kill()));
  }

  const leads = (cairn: Cairn) => cairn.logs.includes('this replica leads');
  const apply = (text: string) => kubectl(['apply', '-f', '-'], text);

  async function promote(name: string): Promise<void> {
    await apply(snapshot(name));
    await apply(environment(name));
    const serves = `--for=jsonpath={.status.published.snapshot}=${name}`;
    await kubectl(['wait', serves, 'environment/production', '--timeout=120s']);
  }

  it('all serve what one of them has made', async () => {
    const [one, other] = [await start(), await start()];
    await eventually(() => leads(one), 'the first one leads');
    const inline = readFileSync(path.join(world.config, 'keys/archive.asc'), 'utf8');
    await apply(mirror(world, { signedBy: { inline } }));
    await apply(mirrorSet);
    await kubectl(['wait', '--for=condition=Ready', 'mirror/demo', '--timeout=120s']);
    await promote('base-1');

    for (const cairn of [one, other]) {
      const there = async () => (await fetch(`${cairn.url}/environments/production/`)).ok;
      await eventually(there, 'it is served');
      const apt = await world.apt(cairn, '/environments/production');
      good(await apt.update());
      assert.equal(await apt.policy('hello'), '1.0');
    }
    assert.equal(leads(other), false);
  });

  /**
   * Signals the leader, promotes while nobody leads, and waits until somebody else has the lease and
   * has published the snapshot. Gives the seconds from the signal on.
   */
  async function takeOver(leader: Cairn, signal: 'SIGTERM' | 'SIGKILL', name: string) {
    const holder = async () => read('coordination.k8s.io/v1', 'leases/cairn', 'holderIdentity');
    const published = async () =>
      read('cairn.build/v1alpha1', 'environments/production', 'published');
    await apply(snapshot(name));
    await kubectl(['wait', '--for=condition=Ready', `snapshot/${name}`, '--timeout=120s']);
    const before = await holder();
    const contentType = 'application/merge-patch+json';
    const patch = { spec: { snapshotRef: { name } } };

    const start = performance.now();
    const ended = leader.kill(signal);
    await kubernetes.request(
      'PATCH',
      pathOf('cairn.build/v1alpha1', 'environments/production'),
      patch,
      {
        contentType,
      },
    );
    const isDone = async () =>
      ![before, '""', ''].includes(await holder()) && (await published()).includes(`"${name}"`);
    await eventually(isDone, `somebody else publishes ${name}`, undefined, 20);
    const seconds = (performance.now() - start) / 1000;
    await ended;
    return seconds;
  }

  /** A field of an object's spec or status, as JSON. */
  async function read(version: string, what: string, field: string): Promise<string> {
    const { body } = await kubernetes.request('GET', pathOf(version, what));
    const { spec = {}, status = {} } = body as Record<string, Record<string, unknown>>;
    return JSON.stringify(spec[field] ?? status[field] ?? '');
  }

  it('take over from a leader that is stopped before its lease is over, whoever still reads from it', async () => {
    const [one, other] = running;
    assert.ok(one && other);
    const file = world.archive.packages.find(({ name }) => name === large.name)?.path;
    const slow = await fetch(`${one.url}/${world.mount}/${file}`);
    assert.equal(slow.status, 200); // and nobody reads its body for now

    const seconds = await takeOver(one, 'SIGTERM', 'base-2');

    assert.ok(seconds < leaseSeconds, `it took ${seconds} s`);
    assert.ok(leads(other));
    await slow.body?.cancel().catch(() => undefined);
  });

  it('take over from a leader that is killed, as soon as its lease is over', async () => {
    const [, other] = running;
    assert.ok(other);
    const third = await start();

    const seconds = await takeOver(other, 'SIGKILL', 'base-3');

    assert.ok(seconds < 2 * leaseSeconds, `it took ${seconds} s`);
    assert.ok(leads(third));
  });

  it('go on with what their clients wait for when they take over', async () => {
    await stopAll();
    const one = await start();
    await eventually(() => leads(one), 'the first one leads');
    const other = await start();
    world.archive.add({ ...large, name: 'late', size: 8_000_000 });
    await world.archive.publish();
    const inline = readFileSync(path.join(world.config, 'keys/archive.asc'), 'utf8');
    const lazy = mirror(world, { signedBy: { inline }, download: 'Lazy' });
    await apply(lazy.replace('name: demo', 'name: lazy'));
    await kubectl(['wait', '--for=condition=Ready', 'mirror/lazy', '--timeout=120s']);
    const file = world.archive.packages.find(({ name }) => name === 'late')?.path ?? '';
    const url = `${other.url}/mirrors/lazy/${file}`;
    world.upstream.fault(/late_/, { rateBytesPerSecond: 1_500_000 });
    await eventually(async () => (await fetch(url, { method: 'HEAD' })).ok, 'it is served');

    const downloading = (await fetch(url)).bytes();
    await one.kill('SIGTERM');
    await eventually(() => other.logs.includes('this replica leads'), 'the other one leads');

    const content = await readFile(path.join(world.archive.root, file));
    assert.ok(content.equals(await downloading));
    world.upstream.clearFaults();
    await eventually(() => world.upstream.pending === 0, 'upstream has noted the request');
    world.upstream.forgetRequests();
    assert.ok((await (await fetch(url)).bytes()).length > 0);
    assert.deepEqual(world.upstream.requestsFor(/late_/), []); // it was kept
  });

  it('write nothing when they wake up and another one has led since, on whatever machine', async (t) => {
    await stopAll();
    const proxy = await startApiProxy(t, kubernetes);
    const kubeconfig = kubeconfigThrough(proxy, kubernetes.kubeconfig, tempDir(t));
    // Data directories of their own: no lock is between them, only the lease.
    const asleep = await start({ data: tempDir(t), env: { KUBECONFIG: kubeconfig } });
    await eventually(() => leads(asleep), 'the first one leads');
    await ask('first');
    const awake = await start({ data: tempDir(t) });

    // It falls asleep in the middle of a write that it will want to repeat.
    const isWrite = ({ method, path: where }: SeenRequest) =>
      method === 'PUT' && where.includes('/mirrorsets/base/status');
    proxy.fault(isWrite, { silent: true });
    const known = proxy.requests.filter(isWrite).length;
    const asked = ask('second');
    await eventually(() => proxy.requests.filter(isWrite).length > known, 'it writes');
    process.kill(asleep.pid, 'SIGSTOP');
    await asked;
    assert.ok(leads(awake));
    const before = proxy.requests.length;
    process.kill(asleep.pid, 'SIGCONT');

    assert.equal(await asleep.kill('SIGCONT'), 1);
    const written = proxy.requests.slice(before).filter(({ method }) => method !== 'GET');
    assert.deepEqual(written, []);
    await ask('third');
    await awake.kill();
  });

  /** Has whoever leads look at the set, and waits until it has written that. */
  async function ask(value: string): Promise<void> {
    await kubectl([
      'annotate',
      '--overwrite',
      'mirrorset/base',
      `reconcile.cairn.build/requestedAt=${value}`,
    ]);
    const echoed = `--for=jsonpath={.status.lastHandledReconcileAt}=${value}`;
    await kubectl(['wait', echoed, 'mirrorset/base', '--timeout=120s']);
  }

  it('end when they wake up and another one leads by now', async () => {
    const third = await start();
    await eventually(() => leads(third), 'the third one leads');
    const fourth = await start();
    process.kill(third.pid, 'SIGSTOP');
    // The lock of the data directory is held as long as its process is there: on two machines
    // a file system tells the same. What takes over only has to wait until it has gone.
    const holder = ['get', 'lease', 'cairn', '-o', 'jsonpath={.spec.holderIdentity}'];
    const before = await kubectl(holder);
    await eventually(
      async () => (await kubectl(holder)) !== before,
      'the lease is taken',
      20_000,
      500,
    );

    process.kill(third.pid, 'SIGCONT');

    await eventually(() => third.logs.includes('does not lead any more'), 'the third one ends');
    assert.equal(await third.kill('SIGCONT'), 1);
    await eventually(() => leads(fourth), 'the fourth one leads');
    await promote('base-4');
  });
});
