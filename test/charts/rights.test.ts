/** What the chart's Roles grant is what Cairn asks a real API server for: no more, no less. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { kinds } from '../../crds/index.ts';
import { apiVersion } from '../../crds/object.ts';
import { waitsForLabel } from '../../crds/upload.ts';
import { GitRepository } from '../controller/sources/git-repository.ts';
import { eventually, product, type Product } from '../e2e/product.ts';
import { startApiProxy, type ApiProxy } from '../world/api-proxy.ts';
import type { Cairn } from '../world/cairn.ts';
import { helmOf, needsHelm } from '../world/helm.ts';
import { startKubernetes, type Kubernetes } from '../world/kubernetes.ts';
import { needsKubernetes } from '../world/kubernetes-programs.ts';
import { argsOf, namespace, rendered, rulesOf, type Rule } from './chart.ts';
import type { Values } from './matrix.ts';
import { compared } from './rights.ts';

const hookToken = 'a token of the test';
const isMissing = needsHelm.skip === false ? needsKubernetes : needsHelm;

interface World {
  readonly product: Product;
  readonly cairn: Cairn;
  readonly proxy: ApiProxy;
  readonly rules: readonly Rule[];
  kubectl(args: readonly string[], input?: string): Promise<string>;
  readonly git: GitRepository;
}

describe('the rights that the chart grants', isMissing, () => {
  it('are those that declared objects need, if kubectl alone declares them', async (t) => {
    const world = await start(t, { rbac: { declare: false } });
    await liveALife(world);
    await compare(world);
  });

  it('are those that replicas with a config source and a writable API need', async (t) => {
    const world = await start(t, {
      replicas: 2,
      secrets: ['login'],
      persistence: { accessModes: ['ReadWriteMany'] },
    });
    await liveALife(world);
    await declareByItself(world);
    await compare(world);
  });
});

/** Cairn as the chart starts it, with the rights of the chart's service account. */
async function start(t: TestContext, values: Values): Promise<World> {
  const kubernetes = await startKubernetes(t);
  const kubectl = async (args: readonly string[], input?: string) => {
    const all = ['--namespace', namespace, ...args];
    const done = await kubernetes.kubectl(all, input === undefined ? {} : { input });
    assert.equal(done.code, 0, `kubectl ${args.join(' ')}: ${done.output}\n${world?.cairn.logs}`);
    return done.stdout;
  };
  let world: World | undefined;
  await kubectl(['create', 'namespace', namespace]);
  const objects = await rendered(helmOf(t), values);
  for (const object of objects) await kubectl(['apply', '-f', '-'], JSON.stringify(object));
  await kubectl(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=120s']);
  await makeSecrets(kubectl);
  const made = await product(t);
  made.archive.add({ name: 'hello', version: '1.0' });
  await made.archive.publish();
  const proxy = await startApiProxy(t, kubernetes);
  const env = { KUBECONFIG: await kubeconfigOf(kubernetes, proxy, kubectl) };
  const git = await GitRepository.create(t, { README: 'one\n' });
  const chosen = argsOf(objects).filter((arg) => /^--(kubernetes|namespace|elect)/.test(arg));
  const args = [...chosen, '--docker', path.join(kubernetes.folder, 'no-engine')];
  const config = args.includes('--elect') ? made.config : undefined;
  const cairn = await made.start({ config, args, env });
  world = { product: made, cairn, proxy, rules: rulesOf(objects), kubectl, git };
  return world;
}

/** What manifests refer to, and a Secret with some of Cairn's own tokens, as one of long ago has. */
async function makeSecrets(kubectl: World['kubectl']): Promise<void> {
  const login = [
    '--from-literal=username=me',
    '--from-literal=password=canary',
    `--from-literal=hook=${hookToken}`,
  ];
  await kubectl(['create', 'secret', 'generic', 'login', ...login]);
  await kubectl(['create', 'secret', 'generic', 'cairn-tokens', '--from-literal=admin=canary']);
}

/** A token of the service account, as a Pod gets one, and the proxy in place of the server. */
async function kubeconfigOf(
  { folder }: Kubernetes,
  { url }: ApiProxy,
  kubectl: World['kubectl'],
): Promise<string> {
  const token = (await kubectl(['create', 'token', 'cairn'])).trim();
  const file = path.join(folder, 'cairn-kubeconfig');
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    // without TLS to the proxy the library wants to be told that this is meant
    clusters: [{ name: 'test', cluster: { server: url, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'cairn', user: { token } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'cairn', namespace } }],
    'current-context': 'test',
  };
  writeFileSync(file, JSON.stringify(config), { mode: 0o600 });
  return file;
}

/** Objects are declared, promoted, rolled back, touched, found wanting, and deleted. */
async function liveALife(world: World): Promise<void> {
  const { kubectl, product: made, cairn, proxy } = world;
  // What somebody else has written meanwhile is read again.
  for (const { plural } of kinds) {
    const pattern = new RegExp(`/${plural}/[^?]+\\?`);
    const conflict = { status: 409, body: { kind: 'Status', reason: 'Conflict', code: 409 } };
    proxy.fault(({ method, path }) => method === 'PUT' && pattern.test(path), conflict);
  }
  const key = readFileSync(path.join(made.config, 'keys/archive.asc'), 'utf8');
  for (const object of life(made, key)) await kubectl(['apply', '-f', '-'], JSON.stringify(object));
  const ready = ['wait', '--for=condition=Ready', '--timeout=60s'];
  await kubectl([
    ...ready,
    'mirror/demo',
    'mirrorset/base',
    'snapshot/one',
    'environment/stable',
    'repository/own',
  ]);
  // the second time, the events that tell of it are known already
  for (const snapshot of ['missing', 'one', 'missing', 'one']) {
    const patch = JSON.stringify({ spec: { snapshotRef: { name: snapshot } } });
    await kubectl(['patch', 'environment', 'stable', '--type=merge', '--patch', patch]);
    const is = snapshot === 'missing' ? 'False' : 'True';
    await kubectl(['wait', `--for=condition=Ready=${is}`, 'environment/stable', '--timeout=120s']);
  }
  const declared = ['mirror/demo', 'mirrorset/base', 'snapshot/one', 'environment/stable'];
  for (const one of [...declared, 'repository/own']) {
    const done = await cairn.cli('reconcile', one, '-n', namespace);
    assert.equal(done.code, 0, done.output);
  }
  const rotated = JSON.stringify({ spec: { signing: { epoch: 2 } } });
  await kubectl(['patch', 'environment', 'stable', '--type=merge', '--patch', rotated]);
  const signs = '--for=jsonpath={.status.keys[0].epoch}=2';
  await kubectl(['wait', signs, 'environment/stable', '--timeout=120s']);
  await publishIn(world);
  await buildIn(world);
  const described = await cairn.cli('describe', 'mirror/demo', '-n', namespace);
  assert.match(described.output, /Succeeded/);
  const all = 'environments,snapshots,mirrorsets,mirrors,repositories';
  await kubectl(['delete', all, '--all', '--timeout=120s']);
}

/** A package is published, and the Upload of one of long ago goes. */
async function publishIn({ kubectl, product: made, cairn }: World): Promise<void> {
  const file = path.join(made.archive.root, 'pool/main/h/hello/hello_1.0_amd64.deb');
  const published = await cairn.cli('publish', 'own', file, '-n', namespace);
  assert.equal(published.code, 0, published.output);
  const [upload = ''] = (await kubectl(['get', 'uploads', '-o', 'name'])).trim().split('\n');
  // Nobody waits for it any more: that is written down before it may go.
  const labels = ['get', upload, '-o', 'jsonpath={.metadata.labels}'];
  const waits = async () => (await kubectl(labels)).includes(waitsForLabel);
  await eventually(async () => !(await waits()), 'its Repository is done with it');
  const patch = JSON.stringify({ status: { finishedAt: '2020-01-01T00:00:00Z' } });
  await kubectl(['patch', upload, '--subresource=status', '--type=merge', '--patch', patch]);
  const reconciled = await cairn.cli(
    'reconcile',
    `upload/${path.basename(upload)}`,
    '-n',
    namespace,
  );
  // It may have gone by itself already.
  if (reconciled.code !== 0) assert.match(reconciled.stderr, /not found/);
  await kubectl(['wait', '--for=delete', upload, '--timeout=120s']);
}

/** A commit is built, which the next one supersedes, as its git host tells, and its Build goes. */
async function buildIn({ kubectl, git, cairn }: World): Promise<void> {
  const webhook = { secretRef: { name: 'login', key: 'hook' } };
  const own = { interval: '1h', historyLimit: 1, deletionPolicy: 'Remove', webhook };
  const spec = { ...own, ...sourceSpec(git.bare) };
  await kubectl(['apply', '-f', '-'], JSON.stringify(object('Source', 'hello', spec)));
  const named = '--for=jsonpath={.status.build}';
  await kubectl(['wait', named, 'source/hello', '--timeout=120s']);
  const first = await kubectl(['get', 'source', 'hello', '-o', 'jsonpath={.status.build}']);
  await git.commit({ README: 'two\n' });
  const headers = { 'x-gitlab-token': hookToken };
  const told = await fetch(`${cairn.url}/hooks/${namespace}/hello`, { method: 'POST', headers });
  assert.equal(told.status, 202, await told.text());
  await kubectl(['wait', '--for=delete', `build/${first}`, '--timeout=60s']);
  const asked = await cairn.cli('build', 'hello', '-n', namespace);
  assert.equal(asked.code, 0, asked.output);
  await kubectl(['delete', 'sources,builds', '--all', '--timeout=120s']);
}

interface Declared {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec: object;
}

function object(kind: string, name: string, spec: object): Declared {
  return { apiVersion, kind, metadata: { name, namespace }, spec };
}

function sourceSpec(url: string): object {
  return {
    url,
    repositoryRef: { name: 'own' },
    build: { base: { image: 'none', secretRef: { name: 'login' } } },
  };
}

function life({ upstream }: Product, key: string): readonly Declared[] {
  return [
    object('Mirror', 'demo', {
      url: `${upstream.url}/debian`,
      suites: ['stable'],
      signedBy: { inline: key },
      secretRef: { name: 'login' },
    }),
    object('MirrorSet', 'base', { mirrors: [{ name: 'demo' }] }),
    object('Snapshot', 'one', { mirrorSetRef: { name: 'base' } }),
    object('Environment', 'stable', { snapshotRef: { name: 'one' } }),
    object('Repository', 'own', {}),
  ];
}

/** A config source applies objects of every kind, twice; the API makes and deletes some. */
async function declareByItself(world: World): Promise<void> {
  const { kubectl, product: made, cairn } = world;
  const key = readFileSync(path.join(made.config, 'keys/archive.asc'), 'utf8');
  const objects = [
    ...life(made, key),
    object('ConfigSource', 'other', { location: made.config, path: 'keys', suspend: true }),
    object('Source', 'other', { ...sourceSpec('/nowhere'), suspend: true }),
  ];
  made.write('all.yaml', objects.map((object) => JSON.stringify(object)).join('\n---\n'));
  await kubectl(['wait', '--for=create', 'environment/stable', '--timeout=60s']);
  await kubectl(['wait', '--for=condition=Ready', 'environment/stable', '--timeout=60s']);
  made.write('more.yaml', JSON.stringify({ ...objects[1], metadata: { name: 'more', namespace } }));
  await kubectl(['wait', '--for=create', 'mirrorset/more', '--timeout=60s']);
  for (const object of objects) {
    const plural = kinds.find(({ kind }) => kind === object.kind)?.plural ?? '';
    const collection = `${cairn.url}/apis/${apiVersion}/namespaces/${namespace}/${plural}`;
    const headers = {
      authorization: `Bearer ${cairn.tokens.admin}`,
      'content-type': 'application/json',
    };
    const body = JSON.stringify({ ...object, metadata: { name: 'made', namespace } });
    const created = await fetch(collection, { method: 'POST', headers, body });
    assert.equal(created.status, 201, await created.text());
    const gone = await fetch(`${collection}/made`, { method: 'DELETE', headers });
    assert.equal(gone.status, 200, await gone.text());
  }
}

const keySecrets = [...'0123456789abcdef'].map((digit) => `cairn-keys-${digit}`);

function rightsOfKeys(verb: string): readonly string[] {
  return keySecrets.map((name) => `core/secrets ${verb} ${name}`);
}

/** What Cairn still had to do by itself may come a moment after what was waited for. */
async function compare({ proxy, rules, cairn }: World): Promise<void> {
  const comparison = () => {
    const { idle, missing } = compared(rules, proxy.requests, namespace);
    const unused = new Set(idle);
    // A key is in one of sixteen Secrets, by its name, and only the second of each is patched in.
    const isForKeys = keySecrets.some((name) => !unused.has(`core/secrets get ${name}`));
    const spare = isForKeys ? ['get', 'patch'].flatMap(rightsOfKeys) : [];
    return { idle: idle.filter((right) => !spare.includes(right)), missing };
  };
  const isUsed = () => comparison().idle.length === 0;
  await eventually(isUsed, 'every right is used').catch(() => undefined);
  const denied = proxy.requests.filter(({ status }) => status === 401 || status === 403);
  assert.deepEqual(denied, [], cairn.logs);
  assert.deepEqual(comparison(), { idle: [], missing: [] });
  assert.doesNotMatch(cairn.logs, /canary|PRIVATE KEY/);
}
