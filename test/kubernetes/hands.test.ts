/** People and Cairn write to the same objects at the same time, in odd ways: what each means holds. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { before, describe, it } from 'node:test';
import { eventually, mirror, mirrorSet, product, type Product } from '../e2e/product.ts';
import type { Cairn } from '../world/cairn.ts';
import type { Finished } from '../world/process.ts';
import { startKubernetes, type Kubernetes } from '../world/kubernetes.ts';
import { needsKubernetes } from '../world/kubernetes-programs.ts';
import { assertGoodStatus } from '../world/status-checks.ts';
import { suiteScope } from '../world/temp.ts';
import type { KubeObject } from '../../crds/object.ts';
import { installCrds } from './product-crds.ts';

interface Owned {
  readonly manager: string;
  readonly fieldsV1: Readonly<Record<string, unknown>>;
}

describe('an object', needsKubernetes, () => {
  const scope = suiteScope();
  let kubernetes: Kubernetes;
  let world: Product;
  let cairn: Cairn;

  before(async () => {
    kubernetes = await startKubernetes(scope);
    await installCrds(kubernetes);
    world = await product(scope);
    world.archive.add({ name: 'hello', version: '1.0' });
    await world.archive.publish();
    const env = { KUBECONFIG: kubernetes.kubeconfig };
    cairn = await world.start({ args: ['--kubernetes'], env, config: undefined });
  });

  const tried = (args: readonly string[], input?: string): Promise<Finished> =>
    kubernetes.kubectl(args, input === undefined ? {} : { input });

  async function kubectl(args: readonly string[], input?: string): Promise<string> {
    const done = await tried(args, input);
    assert.equal(done.code, 0, `kubectl ${args.join(' ')}: ${done.output}\n${cairn.logs}`);
    return done.stdout;
  }

  /** A manifest of the archive's Mirror, its key inside. */
  function manifest(spec: object = {}, name = 'demo'): string {
    const inline = readFileSync(path.join(world.config, 'keys/archive.asc'), 'utf8');
    return mirror(world, { signedBy: { inline }, ...spec }).replace('name: demo', `name: ${name}`);
  }

  const read = async (what: string) =>
    JSON.parse(
      await kubectl(['get', what, '-o', 'json', '--show-managed-fields']),
    ) as KubeObject & {
      readonly metadata: { readonly managedFields: readonly Owned[] };
    };
  const ready = (what: string) =>
    kubectl(['wait', '--for=condition=Ready', what, '--timeout=120s']);

  it('has fields of several managers, and Cairn owns none of them', async () => {
    const as = (manager: string, ...more: readonly string[]) => [
      'apply',
      '--server-side',
      `--field-manager=${manager}`,
      ...more,
      '-f',
      '-',
    ];
    await kubectl(as('team'), manifest({ interval: '1h' }));
    await ready('mirror/demo');
    const key = '{ apiVersion: cairn.build/v1alpha1, kind: Mirror, metadata: { name: demo }, spec:';
    await kubectl(as('on-call'), `${key} { maxShrinkPercent: 7 } }`);

    const refused = await tried(as('on-call'), `${key} { interval: 5m, maxShrinkPercent: 7 } }`);
    assert.notEqual(refused.code, 0);
    assert.match(refused.output, /conflict with "team".*\.spec\.interval/s);

    const { metadata, spec } = await read('mirror/demo');
    assert.equal((spec as { interval: string }).interval, '1h');
    assert.equal((spec as { maxShrinkPercent: number }).maxShrinkPercent, 7);
    for (const { manager, fieldsV1 } of metadata.managedFields) {
      if (manager.startsWith('cairn')) assert.ok(!('f:spec' in fieldsV1), manager);
    }
    // who takes a field back gets its default again: nobody else holds on to it
    await kubectl(as('on-call'), `${key} {} }`);
    await eventually(async () => {
      const now = (await read('mirror/demo')).spec as { maxShrinkPercent: number };
      return now.maxShrinkPercent !== 7;
    }, 'the default is back');
  });

  it('is edited while Cairn writes its status, again and again: both hold', async () => {
    await kubectl(['apply', '-f', '-'], mirrorSet);
    await ready('mirrorset/base');
    for (let turn = 0; turn < 20; turn += 1) {
      const annotations = {
        'reconcile.cairn.build/requestedAt': `turn-${turn}`,
        [`turn/${turn}`]: 'made',
      };
      const patch = JSON.stringify({ metadata: { annotations } });
      const where = '/apis/cairn.build/v1alpha1/namespaces/default/mirrorsets/base';
      const contentType = 'application/merge-patch+json';
      const { status } = await kubernetes.request('PATCH', where, patch, { contentType });
      assert.equal(status, 200);
    }

    const last = '--for=jsonpath={.status.lastHandledReconcileAt}=turn-19';
    await kubectl(['wait', last, 'mirrorset/base', '--timeout=120s']);

    const object = await read('mirrorset/base');
    const turns = Object.keys(object.metadata.annotations ?? {}).filter((key) =>
      key.startsWith('turn/'),
    );
    assert.equal(turns.length, 20);
    assertGoodStatus(object);
    assert.doesNotMatch(cairn.logs, /ERROR|Conflict/);
  });

  it('with a field that nobody knows is refused by its name, or loses it', async () => {
    const odd = manifest({ suitess: ['stable'] }, 'odd');
    const refused = await tried(['apply', '-f', '-'], odd);
    assert.notEqual(refused.code, 0);
    assert.match(refused.output, /unknown field "spec\.suitess"/);

    const warned = await tried(['apply', '--validate=warn', '-f', '-'], odd);
    assert.equal(warned.code, 0, warned.output);
    assert.match(warned.output, /Warning: unknown field "spec\.suitess"/);
    await ready('mirror/odd');
    assert.ok(!('suitess' in ((await read('mirror/odd')).spec as object)));
    await kubectl(['delete', 'mirror/odd', '--timeout=120s']);
  });

  it('that is deleted in the middle of its work goes, and comes anew under its name', async () => {
    world.archive.add({ name: 'slow', version: '1.0', size: 3_000_000 });
    await world.archive.publish();
    world.upstream.fault(/slow_/, { rateBytesPerSecond: 50_000 });
    await kubectl(['apply', '-f', '-'], manifest({}, 'brief'));
    await kubectl([
      'wait',
      '--for=jsonpath={.status.refreshInProgress}=true',
      'mirror/brief',
      '--timeout=120s',
    ]);
    const { uid } = (await read('mirror/brief')).metadata;

    await kubectl(['delete', 'mirror/brief', '--timeout=120s']);
    world.upstream.clearFaults();
    await kubectl(['apply', '-f', '-'], manifest({}, 'brief'));

    await ready('mirror/brief');
    const anew = await read('mirror/brief');
    assert.notEqual(anew.metadata.uid, uid);
    assertGoodStatus(anew);
  });

  it('that loses its finalizer by hand goes, and Cairn goes on', async () => {
    const metadata = { finalizers: null };
    world.upstream.fault(/slow_/, { rateBytesPerSecond: 50_000 });
    await kubectl(['patch', 'mirror/brief', '--type=merge', '-p', JSON.stringify({ metadata })]);
    await kubectl(['delete', 'mirror/brief', '--timeout=120s', '--wait=false']);
    await kubectl([
      'patch',
      'mirror/brief',
      '--type=merge',
      '-p',
      JSON.stringify({ metadata }),
    ]).catch(() => '');
    await kubectl(['wait', '--for=delete', 'mirror/brief', '--timeout=120s']);
    world.upstream.clearFaults();

    await kubectl(['annotate', 'mirror/demo', 'reconcile.cairn.build/requestedAt=still']);
    const echoed = '--for=jsonpath={.status.lastHandledReconcileAt}=still';
    await kubectl(['wait', echoed, 'mirror/demo', '--timeout=120s']);
  });
});
