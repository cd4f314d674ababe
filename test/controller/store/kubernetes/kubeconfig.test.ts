/** Kubeconfig files mean to Cairn what they mean to the library of Kubernetes. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { KubeConfig } from '@kubernetes/client-node';
import { ofKubeconfig } from '../../../../controller/store/kubernetes/kubeconfig.ts';
import { tempDir } from '../../../world/temp.ts';

const base64 = (text: string) => Buffer.from(text).toString('base64');

/** A kubeconfig in a folder of its own, beside the files that it names. */
function written(t: TestContext, cluster: object, user: object, more = {}): string {
  const folder = tempDir(t);
  mkdirSync(path.join(folder, 'pki'));
  for (const name of ['ca.crt', 'me.crt', 'me.key', 'token']) {
    writeFileSync(path.join(folder, 'pki', name), `of ${name}\n`);
  }
  const file = path.join(folder, 'config');
  const server = 'https://kubernetes.example.org:6443/sub';
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      { name: 'other', cluster: { server: 'https://other.example.org' } },
      { name: 'mine', cluster: { server, ...cluster } },
    ],
    users: [
      { name: 'other', user: { token: 'wrong' } },
      { name: 'me', user },
    ],
    contexts: [{ name: 'now', context: { cluster: 'mine', user: 'me', namespace: 'team' } }],
    'current-context': 'now',
    ...more,
  };
  writeFileSync(file, JSON.stringify(config)); // JSON is YAML
  return file;
}

async function byLibrary(file: string) {
  const config = new KubeConfig();
  config.loadFromFile(file);
  const options: Parameters<typeof config.applyToHTTPSOptions>[0] = { headers: {} };
  await config.applyToHTTPSOptions(options);
  const { ca, cert, key, servername, rejectUnauthorized, auth } = options;
  const { Authorization, 'Impersonate-User': as } = options.headers as Record<string, string>;
  const password = typeof auth === 'string' ? `Basic ${base64(auth)}` : undefined;
  const headers = { authorization: Authorization ?? password, 'impersonate-user': as };
  return { headers, tls: { ca, cert, key, servername, rejectUnauthorized } };
}

const comparable = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

const users: readonly [what: string, cluster: object, user: object][] = [
  ['a token', {}, { token: 'secret-word' }],
  ['a password', {}, { username: 'me', password: 'secret:word' }],
  ['nothing', { 'insecure-skip-tls-verify': true, 'tls-server-name': 'inner' }, {}],
  [
    'certificates in the file',
    { 'certificate-authority-data': base64('ca') },
    { 'client-certificate-data': base64('mine'), 'client-key-data': base64('key') },
  ],
  [
    'certificates beside the file',
    { 'certificate-authority': 'pki/ca.crt' },
    { 'client-certificate': 'pki/me.crt', 'client-key': 'pki/me.key', as: 'somebody' },
  ],
  [
    'a program',
    {},
    {
      exec: {
        apiVersion: 'client.authentication.k8s.io/v1',
        command: 'echo',
        interactiveMode: 'Never',
        args: [
          JSON.stringify({
            apiVersion: 'client.authentication.k8s.io/v1',
            kind: 'ExecCredential',
            status: { token: 'made-up' },
          }),
        ],
      },
    },
  ],
];

describe('a kubeconfig', () => {
  for (const [what, cluster, user] of users) {
    it(`of a user with ${what} is read as the library reads it`, async (t) => {
      const file = written(t, cluster, user);

      const found = await ofKubeconfig(file);

      assert.equal(found.server.href, 'https://kubernetes.example.org:6443/sub');
      assert.equal(found.namespace, 'team');
      assert.deepEqual(comparable(await found.credentials()), comparable(await byLibrary(file)));
    });
  }

  it('may name a file with a token, which is read again', async (t) => {
    const file = written(t, {}, { tokenFile: 'pki/token', token: 'old' });
    const found = await ofKubeconfig(file);
    const authorization = async () => (await found.credentials()).headers['authorization'];
    assert.equal(await authorization(), 'Bearer of token');

    writeFileSync(path.join(path.dirname(file), 'pki/token'), 'rotated');
    found.refused();

    assert.equal(await authorization(), 'Bearer rotated');
  });

  it('that leads nowhere says so', async (t) => {
    const lost = written(t, {}, {}, { 'current-context': 'never' });
    await assert.rejects(ofKubeconfig(lost), /config: its current context names no API server/);
    const proxied = written(t, { 'proxy-url': 'socks5://proxy:3128' }, {});
    await assert.rejects(ofKubeconfig(proxied), /proxy-url is not that of an http or https proxy/);
    await assert.rejects(ofKubeconfig('/nowhere/config'), /ENOENT/);
  });
});
