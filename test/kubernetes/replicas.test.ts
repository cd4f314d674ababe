/** Replicas of the product on one cluster and one data directory: all serve, one works. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
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
import type { Cairn } from '../world/cairn.ts';
import { startKubernetes, type Kubernetes } from '../world/kubernetes.ts';
import { needsKubernetes } from '../world/kubernetes-programs.ts';
import { suiteScope } from '../world/temp.ts';

const crds = path.resolve(import.meta.dirname, '../../crds');

describe('replicas', needsKubernetes, () => {
  const scope = suiteScope();
  let kubernetes: Kubernetes;
  let world: Product;
  const running: Cairn[] = [];

  before(async () => {
    kubernetes = await startKubernetes(scope);
    for (const kind of ['mirrors', 'mirrorsets', 'snapshots', 'environments', 'configsources']) {
      await kubectl(['apply', '-f', path.join(crds, `${kind}.yaml`)]);
    }
    await kubectl(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=30s']);
    world = await product(scope);
    world.archive.add({ name: 'hello', version: '1.0' });
    await world.archive.publish();
  });

  async function kubectl(args: readonly string[], input?: string): Promise<string> {
    const done = await kubernetes.kubectl(args, input === undefined ? {} : { input });
    const logs = running.map((one) => one.logs).join('\n---\n');
    assert.equal(done.code, 0, `kubectl ${args.join(' ')}: ${done.output}\n${logs}`);
    return done.stdout;
  }

  async function start(): Promise<Cairn> {
    const env = { KUBECONFIG: kubernetes.kubeconfig };
    const cairn = await world.start({ args: ['--kubernetes', '--elect'], env, config: undefined });
    running.push(cairn);
    return cairn;
  }

  const leads = (cairn: Cairn) => cairn.logs.includes('this replica leads');
  const apply = (text: string) => kubectl(['apply', '-f', '-'], text);

  async function promote(name: string): Promise<void> {
    await apply(snapshot(name));
    await apply(environment(name));
    const serves = `--for=jsonpath={.status.published.snapshot}=${name}`;
    await kubectl(['wait', serves, 'environment/production', '--timeout=30s']);
  }

  it('all serve what one of them has made', async () => {
    const [one, other] = [await start(), await start()];
    await eventually(() => leads(one), 'the first one leads');
    const inline = readFileSync(path.join(world.config, 'keys/archive.asc'), 'utf8');
    await apply(mirror(world, { signedBy: { inline } }));
    await apply(mirrorSet);
    await kubectl(['wait', '--for=condition=Ready', 'mirror/demo', '--timeout=30s']);
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

  it('take over at once from a leader that is stopped', async () => {
    const [one, other] = running;
    assert.ok(one && other);
    assert.equal(await one.kill('SIGTERM'), 0);

    await eventually(() => leads(other), 'the other one leads');
    await promote('base-2');
  });

  it('take over from a leader that is killed, when its lease has run out', async () => {
    const [, other] = running;
    assert.ok(other);
    const third = await start();
    await other.kill('SIGKILL');

    await eventually(() => leads(third), 'the third one leads', 20_000);
    await promote('base-3');
  });

  it('end when they wake up and another one leads by now', async () => {
    const [, , third] = running;
    assert.ok(third);
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
