import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Cluster, Credentials } from './cluster.ts';

/** Where Kubernetes mounts a Pod's identity. */
export const serviceAccountFolder = '/var/run/secrets/kubernetes.io/serviceaccount';

/** Tokens are rotated long before they expire: reading the files this often is enough. */
const freshMs = 10_000;

/** The cluster that this process is a Pod of; undefined when it is none. */
export async function inCluster(
  env: Readonly<Record<string, string | undefined>>,
  folder = serviceAccountFolder,
): Promise<Cluster | undefined> {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port = '443' } = env;
  if (!host) return undefined;
  const namespace = await readFile(join(folder, 'namespace'), 'utf8').catch(() => undefined);
  const server = new URL(`https://${host.includes(':') ? `[${host}]` : host}:${port}`);
  return { server, namespace: namespace?.trim(), ...filed(() => read(folder)) };
}

/** Credentials that are read again when they are old, or were refused. */
export function filed(read: () => Promise<Credentials>): Pick<Cluster, 'credentials' | 'refused'> {
  let known: { readonly value: Promise<Credentials>; readonly at: number } | undefined;
  return {
    credentials() {
      const now = performance.now();
      if (!known || now - known.at > freshMs) {
        const value = read();
        known = { value, at: now };
        value.catch(() => (known = undefined));
      }
      return known.value;
    },
    refused() {
      known = undefined;
    },
  };
}

async function read(folder: string): Promise<Credentials> {
  const token = (await readFile(join(folder, 'token'), 'utf8')).trim();
  const ca = await readFile(join(folder, 'ca.crt'));
  return { headers: { authorization: `Bearer ${token}` }, tls: { ca } };
}
