/** What processes have in hand that keep Secrets on a real API server. */
import assert from 'node:assert/strict';
import { createLog } from '../../controller/log.ts';
import type { Cluster } from '../../controller/store/kubernetes/cluster.ts';
import { Connection } from '../../controller/store/kubernetes/connection.ts';
import { KeyBook } from '../../controller/vault/key-book.ts';
import { SecretBook } from '../../controller/vault/secret-book.ts';
import type { KeyFolder } from '../../reconcilers/signing/key-store.ts';
import { startKubernetes } from '../world/kubernetes.ts';
import type { Scope } from '../world/temp.ts';
import { clusterOf } from './widgets.ts';

export interface StoredSecret {
  readonly metadata: { readonly labels?: Readonly<Record<string, string>> };
  readonly type: string;
  readonly data: Readonly<Record<string, string>>;
}

/** The paths of Secrets. */
export const secretsOf = (namespace: string) => `/api/v1/namespaces/${namespace}/secrets`;

/** A cluster with a namespace `other`, and a user `cairn` who may do nothing. */
export async function vaultWorld(scope: Scope) {
  const kubernetes = await startKubernetes(scope, { users: { cairn: [] } });
  await kubernetes.request('POST', '/api/v1/namespaces', { metadata: { name: 'other' } });
  const logs: string[] = [];
  const log = createLog({ format: 'text', level: 'debug', write: (line) => logs.push(line) });

  async function connect(t: Scope, cluster?: Cluster): Promise<Connection> {
    const connection = new Connection({ cluster: cluster ?? (await clusterOf(kubernetes)), log });
    t.after(() => connection.close());
    return connection;
  }

  /** A book as one more process has it. */
  async function book(t: Scope, name = 'cairn-keys', cluster?: Cluster): Promise<SecretBook> {
    const connection = await connect(t, cluster);
    return new SecretBook({ connection, namespace: 'default', name, type: 'cairn.build/test' });
  }

  async function read(name: string): Promise<StoredSecret> {
    const { status, body } = await kubernetes.request('GET', `${secretsOf('default')}/${name}`);
    assert.equal(status, 200);
    return body as StoredSecret; // it was asked for by its path
  }

  /** Writes a Secret, whatever was there. */
  async function write(namespace: string, name: string, texts: Record<string, string>) {
    const data = Object.fromEntries(
      Object.entries(texts).map(([key, text]) => [key, Buffer.from(text).toString('base64')]),
    );
    await kubernetes.request('DELETE', `${secretsOf(namespace)}/${name}`);
    const secret = { metadata: { name }, data };
    const { status } = await kubernetes.request('POST', secretsOf(namespace), secret);
    assert.equal(status, 201);
  }

  /** The cluster as the user `cairn` sees it. */
  async function asCairn(): Promise<Cluster> {
    const cluster = await clusterOf(kubernetes);
    const headers = { authorization: `Bearer ${kubernetes.tokens['cairn']}` };
    const credentials = async () => ({ ...(await cluster.credentials()), headers });
    return { ...cluster, credentials };
  }

  /** Takes Cairn's own Secrets away, and what was logged. */
  async function clear(): Promise<void> {
    logs.length = 0;
    for (const name of ['cairn-keys', 'cairn-tokens']) {
      await kubernetes.request('DELETE', `${secretsOf('default')}/${name}`);
    }
  }

  const keyBook = async (t: Scope, folder?: KeyFolder) =>
    new KeyBook([await book(t)], folder && { folder, log });
  return { kubernetes, logs, log, connect, book, keyBook, read, write, asCairn, clear };
}

export type VaultWorld = Awaited<ReturnType<typeof vaultWorld>>;
