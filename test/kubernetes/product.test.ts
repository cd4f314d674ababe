/** The product on a real API server: declared and promoted with kubectl, followed by apt. */
import assert from 'node:assert/strict';
import { kinds } from '../../crds/index.ts';
import { readFileSync, rmSync } from 'node:fs';
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

describe('cairn run --kubernetes', needsKubernetes, () => {
  const scope = suiteScope();
  let kubernetes: Kubernetes;
  let world: Product;
  let cairn: Cairn;

  before(async () => {
    kubernetes = await startKubernetes(scope);
    for (const { plural } of kinds) {
      await kubectl(['apply', '-f', path.join(crds, `${plural}.yaml`)]);
    }
    await kubectl(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=120s']);
    world = await product(scope);
    world.archive.add({ name: 'hello', version: '1.0' });
    await world.archive.publish();
  });

  async function kubectl(args: readonly string[], input?: string): Promise<string> {
    const done = await kubernetes.kubectl(args, input === undefined ? {} : { input });
    assert.equal(done.code, 0, `kubectl ${args.join(' ')}: ${done.output}\n${cairn?.logs ?? ''}`);
    return done.stdout;
  }

  const apply = (text: string) => kubectl(['apply', '-f', '-'], text);
  const ready = (what: string) =>
    kubectl(['wait', '--for=condition=Ready', what, '--timeout=120s']);

  function start({ config }: { config?: string } = {}): Promise<Cairn> {
    const env = { KUBECONFIG: kubernetes.kubeconfig };
    return world.start({ config, args: ['--kubernetes'], env });
  }

  it('makes true what kubectl applies', async () => {
    cairn = await start();
    const key = readFileSync(path.join(world.config, 'keys/archive.asc'), 'utf8');

    await apply(mirror(world, { signedBy: { inline: key } }));
    await apply(mirrorSet);
    await ready('mirror/demo');
    await apply(snapshot('base-1'));
    await apply(environment('base-1'));

    await ready('environment/production');
    const apt = await world.apt(cairn, '/environments/production');
    good(await apt.update());
    assert.equal(await apt.policy('hello'), '1.0');
  });

  it('promotes by kubectl patch, and apt follows', async () => {
    world.archive.add({ name: 'hello', version: '2.0' });
    await world.archive.publish();
    const now = `reconcile.cairn.build/requestedAt=${new Date().toISOString()}`;
    await kubectl(['annotate', 'mirror/demo', now]);
    const handled = now.slice(now.indexOf('=') + 1);
    const echoed = `--for=jsonpath={.status.lastHandledReconcileAt}=${handled}`;
    await kubectl(['wait', echoed, 'mirror/demo', '--timeout=120s']);
    await apply(snapshot('base-2'));
    await ready('snapshot/base-2');

    const apt = await world.apt(cairn, '/environments/production');
    good(await apt.update());
    for (const [name, version] of [
      ['base-2', '2.0'],
      ['base-1', '1.0'],
    ] as const) {
      const patch = JSON.stringify({ spec: { snapshotRef: { name } } });
      await kubectl(['patch', 'environment', 'production', '--type=merge', '-p', patch]);
      const serves = `--for=jsonpath={.status.published.snapshot}=${name}`;
      await kubectl(['wait', serves, 'environment/production', '--timeout=120s']);
      await eventually(async () => {
        good(await apt.update());
        return (await apt.policy('hello')) === version;
      }, `apt sees ${version}`);
    }
  });

  it('writes nothing when nothing happens, and tells kubectl what did', async () => {
    const kinds = 'environments,snapshots,mirrorsets,mirrors';
    const versions = () =>
      kubectl(['get', kinds, '-o', 'jsonpath={.items[*].metadata.resourceVersion}']);
    const before = await versions();
    const looks = () => world.upstream.requestsFor(/InRelease/).length;
    const looked = looks();
    await cairn.kill();
    cairn = await start();
    await eventually(async () => (await fetch(`${cairn.url}/readyz`)).ok, 'is ready again');
    await eventually(() => looks() > looked, 'the Mirror looks at its upstream');

    assert.equal(await versions(), before);
    assert.match(await kubectl(['describe', 'mirror', 'demo']), /Events:.*Refreshed/s);
    assert.match(await kubectl(['get', 'cenv']), /production +base-1 +base-1 .*True/);
  });

  it('serves while the API server is away, and goes on when it is back', async () => {
    const apt = await world.apt(cairn, '/environments/production');
    await kubernetes.kill();
    good(await apt.update());
    await kubernetes.restart();
    const patch = JSON.stringify({ spec: { snapshotRef: { name: 'base-2' } } });
    await kubectl(['patch', 'environment', 'production', '--type=merge', '-p', patch]);
    const serves = '--for=jsonpath={.status.published.snapshot}=base-2';
    await kubectl(['wait', serves, 'environment/production', '--timeout=120s']);
    await eventually(async () => {
      good(await apt.update());
      return (await apt.policy('hello')) === '2.0';
    }, 'apt sees 2.0');
  });

  it('lets go of what kubectl deletes, in whatever order', async () => {
    await kubectl(['delete', 'snapshot', 'base-2', '--wait=false']);
    await kubectl([
      'wait',
      '--for=jsonpath={.status.conditions[0].reason}=SnapshotInUse',
      'snapshot/base-2',
      '--timeout=120s',
    ]);
    await kubectl(['delete', 'environment', 'production', '--timeout=120s']);
    await kubectl(['wait', '--for=delete', 'snapshot/base-2', '--timeout=120s']);
    await kubectl(['delete', 'mirrors,mirrorsets,snapshots', '--all', '--timeout=120s']);
  });

  it('applies a directory of manifests, and prunes by the inventory that the cluster keeps', async () => {
    await cairn.kill();
    world.write('set.yaml', mirrorSet);
    world.write('mirror.yaml', mirror(world));
    cairn = await start({ config: world.config });
    await kubectl(['wait', '--for=create', 'mirrorset/base', '--timeout=120s']);
    await ready('mirrorset/base');
    const inventory = await kubectl(['get', 'configmap', 'cairn-inventory-config', '-o', 'yaml']);
    assert.match(inventory, /"kind":"Mirror","namespace":"default","name":"demo"/);

    await cairn.kill('SIGKILL');
    rmSync(path.join(world.config, 'set.yaml'));
    cairn = await start({ config: world.config });

    await kubectl(['wait', '--for=delete', 'mirrorset/base', '--timeout=120s']);
    await ready('mirror/demo');
  });

  it('puts back what kubectl changes in a declared object, or reports it', async () => {
    const edit = () => patch('mirror', 'demo', { public: false, components: ['main'] });
    const given = '{.spec.public} {.spec.components}';
    await edit();
    const restored = '--for=jsonpath={.spec.public}=true';
    await kubectl(['wait', restored, 'mirror/demo', '--timeout=120s']);
    const spec = await kubectl(['get', 'mirror', 'demo', '-o', `jsonpath=${given}`]);
    assert.equal(spec, 'true ["main"]', 'components are in no manifest');
    await eventually(async () => {
      const told = await kubectl(['describe', 'mirror', 'demo']);
      return /DriftCorrected .*spec\.public by "kubectl-patch"; put back/.test(told);
    }, 'an event tells of it');

    await patch('configsource', 'config', { drift: 'Report' });
    await edit();
    const drifted = '--for=condition=Drifted';
    await kubectl(['wait', drifted, 'configsource/config', '--timeout=120s']);

    const objects = await kubectl([
      'get',
      'cfg',
      '-o',
      'jsonpath={.items[0].status.drift.objects}',
    ]);
    assert.deepEqual(JSON.parse(objects), [
      {
        kind: 'Mirror',
        namespace: 'default',
        name: 'demo',
        change: 'Edited',
        fields: [{ path: 'spec.public', manager: 'kubectl-patch' }],
      },
    ]);
    assert.match(await kubectl(['get', 'cfg', '-o', 'wide']), /Report +1 +True/);
    await patch('mirror', 'demo', { public: true });
    await eventually(async () => {
      const types = 'jsonpath={.status.conditions[*].type}';
      return (await kubectl(['get', 'cfg', 'config', '-o', types])) === 'Ready';
    }, `nothing is drifted`);
  });

  async function patch(kind: string, name: string, spec: object): Promise<void> {
    const merge = JSON.stringify({ spec });
    await kubectl(['patch', kind, name, '--type=merge', '-p', merge]);
  }
});
