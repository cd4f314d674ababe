/** CRDs that are missing, or older than Cairn; and rights that Cairn lacks. With the whole product. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { before, describe, it } from 'node:test';
import { toCrd } from '../../crds/crd.ts';
import { MirrorSetKind } from '../../crds/mirror-set.ts';
import type { Kind } from '../../crds/kind.ts';
import { eventually, mirror, mirrorSet, product, type Product } from '../e2e/product.ts';
import type { Cairn } from '../world/cairn.ts';
import { startKubernetes, type Kubernetes } from '../world/kubernetes.ts';
import { needsKubernetes } from '../world/kubernetes-programs.ts';
import { suiteScope } from '../world/temp.ts';
import { installCrds } from './product-crds.ts';

const crds = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const contentType = 'application/merge-patch+json';

describe('a cluster', needsKubernetes, () => {
  const scope = suiteScope();
  let kubernetes: Kubernetes;
  let world: Product;
  let cairn: Cairn;

  before(async () => {
    kubernetes = await startKubernetes(scope);
    world = await product(scope);
    world.archive.add({ name: 'hello', version: '1.0' });
    await world.archive.publish();
  });

  async function kubectl(args: readonly string[], input?: string): Promise<string> {
    const done = await kubernetes.kubectl(args, input === undefined ? {} : { input });
    assert.equal(done.code, 0, `kubectl ${args.join(' ')}: ${done.output}\n${cairn?.logs}`);
    return done.stdout;
  }

  async function probe(what: string): Promise<string> {
    const answer = await fetch(`${cairn.url}/${what}`);
    return `${answer.status} ${await answer.text()}`;
  }

  it('without the CRDs is waited for, and the probe says which to apply', async () => {
    const env = { KUBECONFIG: kubernetes.kubeconfig };
    const args = ['--kubernetes'];
    cairn = await world.start({ args, env, config: undefined, awaits: 'listening' });

    const told = /lacks the CRD mirrors\.cairn\.build: kubectl apply -f crds\/mirrors\.yaml/;
    await eventually(async () => told.test(await probe('readyz')), 'it is said');
    assert.match(await probe('readyz'), /^503 .*\[-\]archives failed.*\[-\]store failed/s);
    assert.match(await probe('livez'), /^200 ok/);
    assert.match(cairn.logs, told);
    assert.match(await probe('environments/production/'), /^503/);

    await installCrds(kubernetes);

    await eventually(async () => /^200 ok\n$/.test(await probe('readyz')), 'it is ready');
    const inline = readFileSync(path.join(world.config, 'keys/archive.asc'), 'utf8');
    await kubectl(['apply', '-f', '-'], mirror(world, { signedBy: { inline } }));
    await kubectl(['wait', '--for=condition=Ready', 'mirror/demo', '--timeout=120s']);
  });

  it('with an older CRD is told of, field by field, until that is upgraded', async () => {
    const crd = toCrd(MirrorSetKind as unknown as Kind);
    const where = `${crds}/${crd.metadata.name}`;
    const older = structuredClone(crd) as unknown as OlderCrd;
    const { spec, status } = older.spec.versions[0].schema.openAPIV3Schema.properties;
    delete spec.properties['suspend'];
    delete status.properties['members'];
    const replaced = { spec: { versions: older.spec.versions } };
    await kubernetes.request('PATCH', where, replaced, { contentType });
    await cairn.kill();
    const env = { KUBECONFIG: kubernetes.kubeconfig };
    cairn = await world.start({ args: ['--kubernetes'], env, config: undefined });

    const told =
      /\[!\]store: the CRD mirrorsets\.cairn\.build is older .* lacks spec\.suspend, status\.members: kubectl apply -f crds\/mirrorsets\.yaml/;
    await eventually(async () => told.test(await probe('readyz')), 'it is said');
    assert.match(await probe('readyz'), /^200/);
    await kubectl(['apply', '-f', '-'], mirrorSet);
    const message = "jsonpath={.status.conditions[?(@.type=='Ready')].message}";
    await eventually(
      async () =>
        /unknown field "status\.members"/.test(
          await kubectl(['get', 'mirrorset/base', '-o', message]),
        ),
      'the object says what could not be written',
    );

    await installCrds(kubernetes);

    await kubectl(['annotate', 'mirrorset/base', 'reconcile.cairn.build/requestedAt=now']);
    await kubectl(['wait', '--for=condition=Ready', 'mirrorset/base', '--timeout=120s']);
    await eventually(async () => /^200 ok\n$/.test(await probe('readyz')), 'all is well');
  });
});

interface Properties {
  readonly properties: Record<string, unknown>;
}

interface OlderCrd {
  readonly spec: {
    readonly versions: readonly [
      {
        readonly schema: {
          readonly openAPIV3Schema: {
            readonly properties: { readonly spec: Properties; readonly status: Properties };
          };
        };
      },
    ];
  };
}
