/** What manifests refer to is beside them in the cluster; and what becomes of it without the right. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { environment, eventually, mirrorSet, snapshot } from '../e2e/product.ts';
import type { Cairn } from '../world/cairn.ts';
import { needsKubernetes } from '../world/kubernetes-programs.ts';
import { suiteScope, tempDir } from '../world/temp.ts';
import { startWorld, type ProductWorld } from './product-world.ts';

const all = ['*'];
const ownTokens = { resourceNames: ['cairn-tokens'], verbs: ['get', 'patch'] };
const rolePath = '/apis/rbac.authorization.k8s.io/v1';

describe('what manifests refer to', needsKubernetes, () => {
  const scope = suiteScope();
  let world: ProductWorld;
  let cairn: Cairn;

  before(async () => {
    world = await startWorld(scope, { users: { limited: [] } });
    await world.kubectl(['create', 'namespace', 'other']);
  });

  async function start(
    args: readonly string[] = [],
    token?: string,
    awaits: 'ready' | 'listening' = 'ready',
  ): Promise<Cairn> {
    const { kubernetes, product } = world;
    const KUBECONFIG = token === undefined ? kubernetes.kubeconfig : kubeconfigOf(token);
    const all = ['--kubernetes', ...args];
    const { data } = product;
    cairn = await product.start({
      config: undefined,
      data,
      args: all,
      env: { KUBECONFIG },
      awaits,
    });
    return cairn;
  }

  function kubeconfigOf(token: string): string {
    const { url, ca, folder } = world.kubernetes;
    const authority = { 'certificate-authority-data': Buffer.from(ca).toString('base64') };
    const file = join(folder, `kubeconfig-${token}`);
    const config = {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'test', cluster: { server: url, ...authority } }],
      users: [{ name: 'user', user: { token } }],
      contexts: [{ name: 'test', context: { cluster: 'test', user: 'user' } }],
      'current-context': 'test',
    };
    writeFileSync(file, JSON.stringify(config), { mode: 0o600 });
    return file;
  }

  async function login(namespace: string, password: string): Promise<void> {
    const data = { username: 'me', password };
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'login', namespace } };
    await world.apply(JSON.stringify({ ...secret, stringData: data }));
  }

  const declare = async (namespace: string, spec: object = {}) =>
    world.kubectl(['apply', '-n', namespace, '-f', '-'], world.mirror(spec));
  const withLogin = { secretRef: { name: 'login' } };

  /** Why a Mirror or an Environment is not ready. */
  async function whyNot(what: string, namespace = 'default'): Promise<string> {
    const ready = "-o=jsonpath={.status.conditions[?(@.type=='Ready')]['reason','message']}";
    return world.kubectl(['get', what, '-n', namespace, ready]);
  }

  /** What upstream was shown last. */
  function shown(): string {
    const { authorization = '' } = world.product.upstream.requests.at(-1)?.headers ?? {};
    return Buffer.from(authorization.replace('Basic ', ''), 'base64').toString();
  }

  it('is got in their own namespace, and in no other one', async () => {
    await start();
    await login('other', 'canary-of-other');
    await declare('default', withLogin);
    const missing = /SecretMissing there is no secret login/;
    await eventually(async () => missing.test(await whyNot('mirror/demo')), 'it is missing');
    assert.deepEqual(world.product.upstream.requests, []);

    await declare('other', withLogin);

    await world.kubectl(['wait', '-n', 'other', '--for=condition=Ready', 'mirror/demo']);
    assert.equal(shown(), 'me:canary-of-other');
    await login('default', 'canary-of-default');
    await world.ready('mirror/demo');
    assert.equal(shown(), 'me:canary-of-default');
    const told = await world.kubectl(['get', 'cairn,events', '-A', '-o', 'yaml']);
    assert.doesNotMatch(told + cairn.logs, /canary/);
  });

  it('counts as it is by now, some seconds after it was changed', async () => {
    await login('default', 'rotated');

    await eventually(
      async () => {
        const done = await cairn.cli('reconcile', 'mirror/demo', '--wait');
        assert.equal(done.code, 0, done.output);
        return shown() === 'me:rotated';
      },
      'upstream is shown the new password',
      45_000,
      1000,
    );
  });

  it('is a file of the data directory, if it has one of that name', async () => {
    await cairn.kill();
    const files = tempDir(scope);
    mkdirSync(join(files, 'login'));
    writeFileSync(join(files, 'login/username'), 'me\n');
    writeFileSync(join(files, 'login/password'), 'filed\n');
    await start(['--secrets', files]);

    for (const [namespace, password] of Object.entries({ default: 'filed', other: 'canary' })) {
      await world.kubectl(['delete', 'mirror/demo', '-n', namespace]);
      await declare(namespace, withLogin);
      await world.kubectl(['wait', '-n', namespace, '--for=condition=Ready', 'mirror/demo']);
      assert.match(shown(), new RegExp(`^me:${password}`), namespace);
    }
    await cairn.kill();
  });

  /** What `limited` may do with Secrets, beside all that is needed else. */
  async function allow(secrets: readonly object[]): Promise<void> {
    const { request } = world.kubernetes;
    const rules = [
      { apiGroups: ['cairn.build'], resources: all, verbs: all },
      { apiGroups: [''], resources: ['events', 'configmaps'], verbs: all },
      ...secrets.map((rule) => ({ apiGroups: [''], resources: ['secrets'], ...rule })),
    ];
    const named = { metadata: { name: 'limited' } };
    await request('DELETE', `${rolePath}/clusterroles/limited`);
    await request('POST', `${rolePath}/clusterroles`, { ...named, rules });
    const apiGroup = 'rbac.authorization.k8s.io';
    const subjects = [{ kind: 'User', name: 'limited', apiGroup }];
    const roleRef = { kind: 'ClusterRole', name: 'limited', apiGroup };
    await request('POST', `${rolePath}/clusterrolebindings`, { ...named, subjects, roleRef });
    const may = ['auth', 'can-i', 'get', 'secret/cairn-tokens', '--as', 'limited'];
    const wanted = secrets.length > 0 ? 'yes' : 'no';
    const isIn = async () => (await world.kubernetes.kubectl(may)).stdout.trim() === wanted;
    await eventually(isIn, 'the authorizer knows');
  }

  const limited = () => start([], world.kubernetes.tokens['limited']);

  it('is not read without the right to; nor are its own tokens, which a probe is told', async () => {
    await allow([]);
    await start([], world.kubernetes.tokens['limited'], 'listening');
    const ready = async () => (await fetch(`${cairn.url}/readyz`)).text();
    const denied =
      /-]tokens failed: can not keep the tokens in the Secret default\/cairn-tokens, which needs get, create and patch: .*User "limited" cannot get resource "secrets"/;
    await eventually(async () => denied.test(await ready()), 'it says which right is missing');

    await allow([ownTokens]);

    await eventually(async () => (await ready()).startsWith('ok'), 'it goes on by itself');
    await cairn.kill();
  });

  it('is denied where the right is missing, and objects tell which', async () => {
    await allow([ownTokens]);
    await limited();
    await declare('default', { secretRef: { name: 'another' } });
    const denied = async (what: string, name: string) => {
      const why = await whyNot(what);
      const cannot = 'User "limited" cannot get resource "secrets" in API group ""';
      return why.startsWith(`AccessDenied secrets "${name}" is forbidden: ${cannot}`);
    };
    await eventually(() => denied('mirror/demo', 'another'), 'the mirror tells');
    await declare('default');
    await world.ready('mirror/demo');
    await world.apply(mirrorSet);
    await world.apply(snapshot('base-1'));
    await world.apply(environment('base-1'));
    await eventually(
      () => denied('environment/production', 'cairn-keys-b'),
      'the environment tells',
    );

    await allow([
      ownTokens,
      { verbs: ['create'] },
      { verbs: ['get'], resourceNames: ['cairn-keys-b'] },
    ]);

    await world.ready('environment/production');
  });

  it('is none of the Secrets that Cairn keeps for itself', async () => {
    const key = 'default_production_epoch-1.asc';
    const signing = { keyRef: { name: 'cairn-keys-b', key } };
    await world.apply(environment('base-1', { signing }));

    const own = /AccessDenied the Secret default\/cairn-keys-b is Cairn's own/;
    await eventually(async () => own.test(await whyNot('environment/production')), 'it is refused');
  });
});
