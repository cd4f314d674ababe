/** Secrets that manifests name, on a real API server. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { before, beforeEach, describe, it } from 'node:test';
import { clusterSecrets } from '../../controller/vault/cluster-secrets.ts';
import { openVault } from '../../controller/vault/vault.ts';
import { registryLogins } from '../../reconcilers/build/registry-logins.ts';
import { eventually } from '../e2e/product.ts';
import { startApiProxy } from '../world/api-proxy.ts';
import { needsKubernetes } from '../world/kubernetes-programs.ts';
import { suiteScope, tempDir } from '../world/temp.ts';
import { vaultWorld, type VaultWorld } from './vault-world.ts';
import { clusterOf } from './widgets.ts';

const now = new Date('2026-08-01T00:00:00Z');
const production = {
  namespace: 'default',
  owner: 'environment',
  name: 'production',
  epoch: 1,
} as const;

describe('Secrets on Kubernetes', needsKubernetes, () => {
  const scope = suiteScope();
  let world: VaultWorld;
  before(async () => {
    world = await vaultWorld(scope);
  });
  beforeEach(() => world.clear());

  it('is at home in the namespace of the context, wherever the objects are', async (t) => {
    const files = tempDir(t);
    mkdirSync(path.join(files, 'git'));
    writeFileSync(path.join(files, 'git/password'), 'filed');
    await world.write('default', 'git', { password: 'of the cluster' });
    const config = JSON.parse(readFileSync(world.kubernetes.kubeconfig, 'utf8'));
    config.contexts[0].context.namespace = 'default';
    const KUBECONFIG = path.join(tempDir(t), 'kubeconfig');
    writeFileSync(KUBECONFIG, JSON.stringify(config));

    const vault = await openVault({
      data: tempDir(t),
      secretsFolder: files,
      kubernetes: { env: { KUBECONFIG }, namespace: 'other' },
      log: world.log,
    });
    t.after(() => vault.close());

    await eventually(() => vault.tokens().admin !== '', 'it has tokens');
    const { data } = await world.read('cairn-tokens');
    assert.equal(Buffer.from(data['admin'] ?? '', 'base64').toString(), vault.tokens().admin);
    const password = async (namespace: string) =>
      (await vault.secrets({ namespace, name: 'git' }))?.['password'];
    assert.equal(await password('other'), 'filed');
    assert.equal(await password('default'), 'of the cluster');
    await assert.rejects(vault.secrets({ namespace: 'default', name: 'cairn-tokens' }), {
      reason: 'AccessDenied',
    });
  });

  it('gets the Secret of a name in the namespace that asks', async (t) => {
    await world.write('default', 'login', { username: 'me', password: 'one\n', other: 'é' });
    await world.write('other', 'login', { password: 'two' });
    const get = clusterSecrets({ connection: await world.connect(t), isOwn: () => false });

    const password = async (namespace: string, name = 'login') => get({ namespace, name });

    assert.deepEqual(await password('default'), { username: 'me', password: 'one', other: 'é' });
    assert.deepEqual(await password('other'), { password: 'two' });
    assert.equal(await password('kube-system'), undefined);
    assert.equal(await password('default', '../login'), undefined);
  });

  it('takes a Secret for imagePullSecrets as it is', async (t) => {
    const { kubectl } = world.kubernetes;
    const login = ['--docker-username=me', '--docker-password=pass:word'];
    const server = '--docker-server=registry.example.com:5000';
    const made = ['create', 'secret', 'docker-registry', 'registry', server, ...login];
    const { code, output } = await kubectl(['--namespace', 'other', ...made]);
    assert.equal(code, 0, output);
    const get = clusterSecrets({ connection: await world.connect(t), isOwn: () => false });

    const secret = await get({ namespace: 'other', name: 'registry' });
    const image = 'registry.example.com:5000/team/base:1';
    assert.deepEqual(registryLogins('registry', secret ?? {}, image), [
      { username: 'me', password: 'pass:word' },
    ]);
  });

  it('says which right is missing', async (t) => {
    const connection = await world.connect(t, await world.asCairn());
    const get = clusterSecrets({ connection, isOwn: () => false });
    await assert.rejects(get({ namespace: 'other', name: 'git' }), {
      reason: 'AccessDenied',
      message: /secrets "git" is forbidden: .*cannot get resource "secrets".*namespace "other"/,
    });
  });

  it('hands out none of its own Secrets, whatever they are called', async (t) => {
    await (await world.keyBook(t)).obtain(production, now);
    await world.write('default', 'cairn-tokens', { admin: 'made by hand' });
    const isOwn = ({ name }: { readonly name: string }) => name === 'cairn-tokens';
    const get = clusterSecrets({ connection: await world.connect(t), isOwn });

    for (const name of ['cairn-keys', 'cairn-tokens']) {
      const refused = { reason: 'AccessDenied', message: /is Cairn's own/ };
      await assert.rejects(get({ namespace: 'default', name }), refused);
    }
  });

  it('asks for a Secret again after some seconds, and knows it while nobody answers', async (t) => {
    const proxy = await startApiProxy(t, world.kubernetes);
    const connection = await world.connect(t, await clusterOf(world.kubernetes, proxy.url));
    let clock = 0;
    const get = clusterSecrets({ connection, isOwn: () => false, clock: () => clock });
    const password = async () => (await get({ namespace: 'default', name: 'rotated' }))?.['p'];
    const name = 'rotated';
    assert.equal(await password(), undefined);
    await world.write('default', name, { p: 'one' });
    clock += 3000; // one that was missing is looked for sooner
    assert.equal(await password(), 'one');
    await world.write('default', name, { p: 'two' });
    clock += 14_000;
    assert.deepEqual([await password(), await password()], ['one', 'one']);
    clock += 1000;
    assert.deepEqual(await Promise.all([password(), password()]), ['two', 'two']);
    assert.equal(proxy.requests.length, 3);

    proxy.fault(() => true, { times: 1000, status: 500, body: {} });
    clock += 60_000;
    assert.equal(await password(), 'two');
    clock += 3_600_000;
    await assert.rejects(password(), { reason: 'StoreUnavailable' });
  });
});
