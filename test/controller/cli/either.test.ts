/** The commands that are clients of the API, on the API server of a cluster. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import path from 'node:path';
import { before, describe, it } from 'node:test';
import { cairnCli } from '../../world/cairn.ts';
import type { Kubernetes } from '../../world/kubernetes.ts';
import { needsKubernetes } from '../../world/kubernetes-programs.ts';
import { suiteScope, tempDir, type Scope } from '../../world/temp.ts';
import { pathOf, startWithCrds } from '../../kubernetes/with-crds.ts';
import { EnvironmentKind } from '../../../crds/environment.ts';
import { MirrorSetKind } from '../../../crds/mirror-set.ts';
import { SnapshotKind } from '../../../crds/snapshot.ts';

describe('on a Kubernetes API server, cairn', needsKubernetes, () => {
  const scope = suiteScope();
  let kubernetes: Kubernetes;

  before(async () => {
    kubernetes = await startWithCrds(scope);
    const mirrorSet = {
      apiVersion: 'cairn.build/v1alpha1',
      kind: 'MirrorSet',
      metadata: { name: 'base' },
      spec: { mirrors: [{ name: 'debian' }] },
    };
    const { body } = await kubernetes.request('POST', pathOf(MirrorSetKind), mirrorSet);
    const { metadata } = body as { metadata: { uid: string } };
    const event = {
      metadata: { name: 'base.1' },
      involvedObject: { kind: 'MirrorSet', namespace: 'default', name: 'base', uid: metadata.uid },
      ...{ type: 'Warning', reason: 'DependencyNotReady', message: 'debian is not there' },
      ...{ count: 3, lastTimestamp: '2026-08-01T00:00:00Z' },
    };
    await kubernetes.request('POST', '/api/v1/namespaces/default/events', event);
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'other' } };
    await kubernetes.request('POST', '/api/v1/namespaces', namespace);
    const ready = {
      type: 'Ready',
      status: 'True',
      reason: 'Succeeded',
      message: 'all are ready',
      observedGeneration: 1,
      lastTransitionTime: '2026-08-01T00:00:00Z',
    };
    const status = { status: { observedGeneration: 1, conditions: [ready] } };
    const contentType = 'application/merge-patch+json';
    const at = `${pathOf(MirrorSetKind, 'base')}/status`;
    await kubernetes.request('PATCH', at, status, { contentType });
  });

  const cairn = (...args: readonly string[]) =>
    cairnCli(args, { KUBECONFIG: kubernetes.kubeconfig });

  /** A kubeconfig of parts, in JSON. */
  function kubeconfig(t: Scope, parts: object): string {
    const file = path.join(tempDir(t), 'kubeconfig');
    writeFileSync(file, JSON.stringify({ apiVersion: 'v1', kind: 'Config', ...parts }));
    return file;
  }

  const user = () => ({ name: 'me', user: { token: kubernetes.token } });
  const cluster = (name: string, more: object = {}) => {
    const authority = Buffer.from(kubernetes.ca).toString('base64');
    const known = { server: kubernetes.url, 'certificate-authority-data': authority };
    return { name, cluster: { ...known, ...more } };
  };

  it('gets', async () => {
    const { stdout, output } = await cairn('get', 'mirrorsets');
    assert.match(stdout, /^base .* True +all are ready/m, output);
    const yaml = await cairn('get', 'mset', 'base', '-o', 'yaml');
    assert.match(yaml.stdout, /^ {2}name: base$/m);
    assert.doesNotMatch(yaml.stdout, /managedFields/);
  });

  it('describes, with what has happened', async () => {
    const { stdout, output } = await cairn('describe', 'mirrorset/base');
    assert.match(stdout, / 3 +Warning +DependencyNotReady +debian is not there/, output);
  });

  it('waits', async () => {
    const { code, output } = await cairn('wait', 'mirrorset/base', '--for=condition=Ready');
    assert.equal(code, 0, output);
  });

  it('applies, annotates, suspends and deletes', async (t) => {
    const file = path.join(tempDir(t), 'set.yaml');
    const manifest = (spec: object) => ({
      ...{ apiVersion: 'cairn.build/v1alpha1', kind: 'MirrorSet', metadata: { name: 'more' } },
      spec,
    });
    writeFileSync(file, JSON.stringify(manifest({ mirrors: [{ name: 'a' }] })));

    const applied = await cairn('apply', '-f', file);
    const again = await cairn('apply', '-f', file);
    const annotated = await cairn('annotate', 'mset/more', 'example.com/a=b');
    const suspended = await cairn('suspend', 'mset/more');
    const { body } = await kubernetes.request('GET', pathOf(MirrorSetKind, 'more'));
    const deleted = await cairn('delete', 'mset/more');

    assert.match(applied.stdout, /^mirrorset\/more created$/m, applied.output);
    assert.match(again.stdout, /^mirrorset\/more unchanged$/m, again.output);
    const codes = [annotated, suspended, deleted].map(({ code }) => code);
    assert.deepEqual(codes, [0, 0, 0], annotated.output + suspended.output + deleted.output);
    const { metadata, spec } = body as { metadata: { annotations: object }; spec: object };
    assert.deepEqual(metadata.annotations, { 'example.com/a': 'b' });
    assert.deepEqual(spec, { mirrors: [{ name: 'a' }], repositories: [], suspend: true });
  });

  it('promotes, and waits for what comes of it', async () => {
    const environment = {
      ...{ apiVersion: 'cairn.build/v1alpha1', kind: 'Environment' },
      ...{ metadata: { name: 'production' }, spec: { snapshotRef: { name: 'base-1' } } },
    };
    await kubernetes.request('POST', pathOf(EnvironmentKind), environment);
    const snapshot = {
      ...{ apiVersion: 'cairn.build/v1alpha1', kind: 'Snapshot', metadata: { name: 'base-2' } },
      spec: { mirrorSetRef: { name: 'base' } },
    };
    await kubernetes.request('POST', pathOf(SnapshotKind), snapshot);

    const promoted = await cairn('promote', 'production', 'base-2');
    const waited = await cairn('wait', 'cenv/production', '--for=condition=Ready', '--timeout=1s');

    assert.equal(promoted.code, 0, promoted.output);
    const { body } = await kubernetes.request('GET', pathOf(EnvironmentKind, 'production'));
    const { spec } = body as { spec: { snapshotRef: object } };
    assert.deepEqual(spec.snapshotRef, { name: 'base-2' });
    assert.equal(waited.code, 3, waited.output);
  });

  it('goes by the context that is named, and its namespace', async (t) => {
    const file = kubeconfig(t, {
      clusters: [cluster('good'), { name: 'bad', cluster: { server: 'https://127.0.0.1:1' } }],
      users: [user()],
      contexts: [
        { name: 'bad', context: { cluster: 'bad', user: 'me' } },
        { name: 'good', context: { cluster: 'good', user: 'me', namespace: 'other' } },
      ],
      'current-context': 'bad',
    });
    const manifest = path.join(tempDir(t), 'set.yaml');
    const header = 'apiVersion: cairn.build/v1alpha1\nkind: MirrorSet\n';
    writeFileSync(manifest, `${header}metadata: {name: there}\nspec: {mirrors: [{name: a}]}\n`);
    const named = ['--kubeconfig', file, '--context', 'good'];

    const applied = await cairnCli(['apply', '-f', manifest, ...named]);
    const got = await cairnCli(['get', 'mset', ...named]);
    const elsewhere = await cairnCli(['get', 'mset', '-n', 'default', ...named]);
    const current = await cairnCli(['get', 'mset', '--kubeconfig', file]);
    const unknown = await cairnCli(['get', 'mset', '--kubeconfig', file, '--context', 'none']);
    const both = await cairnCli(['get', 'mset', '--server', kubernetes.url, ...named]);

    assert.equal(applied.code, 0, applied.output);
    assert.match(got.stdout, /^there /m);
    assert.doesNotMatch(got.stdout, /^base /m);
    assert.match(elsewhere.stdout, /^base /m);
    assert.match(current.stderr, /can't reach Cairn at https:\/\/127\.0\.0\.1:1: /);
    assert.match(unknown.stderr, /can't use the kubeconfig: .*there is no context none/);
    assert.equal(both.code, 2);
    assert.match(both.stderr, /--server names another server than --kubeconfig and --context/);
  });

  it('reads the files that KUBECONFIG lists as one', async (t) => {
    const users = kubeconfig(t, { users: [user()] });
    const contexts = kubeconfig(t, {
      clusters: [cluster('one')],
      contexts: [{ name: 'c', context: { cluster: 'one', user: 'me' } }],
      'current-context': 'c',
    });
    const later = kubeconfig(t, {
      clusters: [{ name: 'one', cluster: { server: 'https://127.0.0.1:1' } }],
      'current-context': 'none',
    });
    const missing = path.join(tempDir(t), 'none');
    const files = [missing, users, contexts, later].join(path.delimiter);

    const { stdout, output } = await cairnCli(['get', 'mset'], { KUBECONFIG: files });

    assert.match(stdout, /^base /m, output);
    const none = await cairnCli(['get', 'mset'], { KUBECONFIG: `${missing}:${missing}` });
    assert.match(none.stderr, /can't use the kubeconfig: there is no kubeconfig/);
  });

  it('shows its token to nobody over http, and CAIRN_TOKEN to no server of a kubeconfig', async (t) => {
    const seen: (string | undefined)[] = [];
    const server = createServer((req, res) => {
      seen.push(req.headers.authorization);
      res.end('{}');
    });
    t.after(() => server.close());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const plain = { name: 'plain', cluster: { server: `http://127.0.0.1:${port}` } };
    const contexts = [{ name: 'plain', context: { cluster: 'plain', user: 'me' } }];
    const parts = { clusters: [plain], users: [user()], contexts, 'current-context': 'plain' };
    const file = kubeconfig(t, parts);

    await cairnCli(['get', 'mset', '--kubeconfig', file], { CAIRN_TOKEN: 'secret' });

    assert.deepEqual(seen, [undefined]);
  });

  it('goes through the proxy that a kubeconfig names', async (t) => {
    const asked: (string | undefined)[] = [];
    const proxy = createServer();
    proxy.on('connect', (req, socket) => {
      asked.push(req.url);
      const { hostname, port } = new URL(`http://${req.url}`);
      const upstream = connect(Number(port), hostname, () => {
        socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
        upstream.pipe(socket).pipe(upstream);
      });
      for (const end of [socket, upstream]) end.on('error', () => end.destroy());
    });
    t.after(() => proxy.close());
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const { port } = proxy.address() as AddressInfo;
    const via = (url: string) =>
      kubeconfig(t, {
        clusters: [cluster('far', { 'proxy-url': url })],
        users: [user()],
        contexts: [{ name: 'far', context: { cluster: 'far', user: 'me' } }],
        'current-context': 'far',
      });

    const near = `http://127.0.0.1:${port}`;
    const { stdout, output } = await cairnCli(['get', 'mset', '--kubeconfig', via(near)]);
    const socks = await cairnCli(['get', 'mset', '--kubeconfig', via('socks5://127.0.0.1:1')]);

    assert.match(stdout, /^base /m, output);
    assert.deepEqual(asked, [new URL(kubernetes.url).host]);
    assert.match(socks.stderr, /its proxy-url is not that of an http or https proxy/);
  });

  it('trusts the server by --certificate-authority alone', async (t) => {
    const authority = path.join(tempDir(t), 'ca.crt');
    const token = path.join(tempDir(t), 'token');
    writeFileSync(authority, kubernetes.ca);
    writeFileSync(token, kubernetes.token);
    const named = ['get', 'mset', '--server', kubernetes.url, '--token-file', token];

    const good = await cairnCli([...named, '--certificate-authority', authority]);
    const bad = await cairnCli(named);

    assert.match(good.stdout, /^base /m, good.output);
    assert.match(bad.stderr, /nobody whom this machine trusts .* --certificate-authority/);
  });
});
