/** The product lacks one right: it says which, goes on with all else, and is well once it has it. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { before, describe, it } from 'node:test';
import { kinds } from '../../crds/index.ts';
import {
  environment,
  eventually,
  mirror,
  mirrorSet,
  product,
  snapshot,
  type Product,
} from '../e2e/product.ts';
import type { Cairn } from '../world/cairn.ts';
import { startKubernetes, type Kubernetes } from '../world/kubernetes.ts';
import { needsKubernetes } from '../world/kubernetes-programs.ts';
import { suiteScope, tempDir } from '../world/temp.ts';
import { installCrds } from './product-crds.ts';

const rbac = '/apis/rbac.authorization.k8s.io/v1';

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

const own = kinds.map(({ plural }) => plural);
const all: readonly Rule[] = [
  { apiGroups: ['cairn.build'], resources: own, verbs: ['get', 'list', 'watch', 'update'] },
  ...own.map((one) => ({
    apiGroups: ['cairn.build'],
    resources: [`${one}/status`],
    verbs: ['update'],
  })),
  { apiGroups: [''], resources: ['events'], verbs: ['get', 'create', 'patch'] },
  { apiGroups: [''], resources: ['secrets'], verbs: ['get', 'create', 'patch'] },
  { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['get', 'create', 'update'] },
];
const without = (resource: string) => all.filter(({ resources }) => !resources.includes(resource));

describe('a right that is not granted', needsKubernetes, () => {
  const scope = suiteScope();
  let kubernetes: Kubernetes;
  let world: Product;
  let cairn: Cairn;

  before(async () => {
    kubernetes = await startKubernetes(scope, { users: { cairn: [] } });
    await installCrds(kubernetes);
    await grant(without('leases'));
    const metadata = { name: 'cairn' };
    const apiGroup = 'rbac.authorization.k8s.io';
    const subjects = [{ kind: 'User', name: 'cairn', apiGroup }];
    const roleRef = { kind: 'ClusterRole', name: 'cairn', apiGroup };
    await ask('POST', 'clusterrolebindings', { metadata, subjects, roleRef });
    world = await product(scope);
    world.archive.add({ name: 'hello', version: '1.0' });
    await world.archive.publish();
    const kubeconfig = path.join(tempDir(scope), 'kubeconfig');
    const { token, tokens } = kubernetes;
    const ofAdmin = readFileSync(kubernetes.kubeconfig, 'utf8');
    writeFileSync(kubeconfig, ofAdmin.replace(token, tokens['cairn'] ?? ''), { mode: 0o600 });
    const env = { KUBECONFIG: kubeconfig };
    cairn = await world.start({ args: ['--kubernetes', '--elect'], env, config: undefined });
  });

  async function ask(method: string, what: string, body?: object): Promise<number> {
    const { status } = await kubernetes.request(method, `${rbac}/${what}`, body);
    return status;
  }

  async function grant(rules: readonly Rule[]): Promise<void> {
    const role = { metadata: { name: 'cairn' }, rules };
    const replaced = await ask('PUT', 'clusterroles/cairn', role);
    if (replaced === 404) assert.equal(await ask('POST', 'clusterroles', role), 201);
  }

  async function kubectl(args: readonly string[], input?: string): Promise<string> {
    const done = await kubernetes.kubectl(args, input === undefined ? {} : { input });
    assert.equal(done.code, 0, `kubectl ${args.join(' ')}: ${done.output}\n${cairn.logs}`);
    return done.stdout;
  }

  async function probes(): Promise<string> {
    const answers = ['livez', 'readyz'].map((what) => fetch(`${cairn.url}/${what}`));
    const [live, ready] = await Promise.all(answers);
    return `${live?.status} ${ready?.status} ${await ready?.text()}`;
  }

  it('to leases is named by the probe, and waited for', async () => {
    const told = /^200 200 ok\n\[!\]leader: .*cannot get resource "leases"/;
    await eventually(async () => told.test(await probes()), 'it is said');

    await grant(all);

    await eventually(async () => /^200 200 ok\n$/.test(await probes()), 'all is well');
    assert.match(cairn.logs, /this replica leads/);
  });

  it('to write a status is named by an event and by the probe, and all else goes on', async () => {
    await grant(without('mirrorsets/status'));
    await kubectl(['apply', '-f', '-'], mirrorSet);

    const told = /^200 200 ok\n\[!\]store: .*cannot update resource "mirrorsets\/status"/;
    await eventually(async () => told.test(await probes()), 'the probe says so');
    await eventually(
      async () =>
        /cannot update resource "mirrorsets\/status"/.test(await kubectl(['get', 'events'])),
      'an event says so',
    );
    const inline = readFileSync(path.join(world.config, 'keys/archive.asc'), 'utf8');
    await kubectl(['apply', '-f', '-'], mirror(world, { signedBy: { inline } }));
    await kubectl(['wait', '--for=condition=Ready', 'mirror/demo', '--timeout=120s']);

    await grant(all);

    await kubectl(['annotate', 'mirrorset/base', 'reconcile.cairn.build/requestedAt=now']);
    await kubectl(['wait', '--for=condition=Ready', 'mirrorset/base', '--timeout=120s']);
    await eventually(async () => /^200 200 ok\n$/.test(await probes()), 'all is well');
  });

  it('to add a finalizer is told by the condition, and by the probe', async () => {
    await kubectl(['apply', '-f', '-'], snapshot('one'));
    await kubectl(['wait', '--for=condition=Ready', 'snapshot/one', '--timeout=120s']);
    await grant([
      { apiGroups: ['cairn.build'], resources: own, verbs: ['get', 'list', 'watch'] },
      ...all.slice(1),
    ]);
    await kubectl(['apply', '-f', '-'], environment('one'));

    const message = "jsonpath={.status.conditions[?(@.type=='Ready')].message}";
    await eventually(
      async () =>
        /cannot update resource "snapshots"/.test(
          await kubectl(['get', 'environment/production', '-o', message]),
        ),
      'the condition says so',
    );
    assert.match(await probes(), /\[!\]store: .*cannot update resource "snapshots"/);

    await grant(all);

    await kubectl(['annotate', 'environment/production', 'reconcile.cairn.build/requestedAt=now']);
    await kubectl(['wait', '--for=condition=Ready', 'environment/production', '--timeout=120s']);
  });
});
