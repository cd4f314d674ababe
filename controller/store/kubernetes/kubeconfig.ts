import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { KubeConfig } from '@kubernetes/client-node';
import type { Cluster, Credentials } from './cluster.ts';
import { filed, inCluster } from './in-cluster.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The cluster that `KUBECONFIG` names, else the one that this process is a Pod of, else the one of
 * `~/.kube/config`. Throws with a sentence for people when there is none.
 */
export async function findCluster(env: Environment): Promise<Cluster> {
  const named = env['KUBECONFIG']?.split(delimiter).find((file) => file !== '');
  if (named !== undefined) return ofKubeconfig(named);
  const own = await inCluster(env);
  if (own) return own;
  const usual = join(env['HOME'] ?? homedir(), '.kube', 'config');
  const isThere = await readFile(usual).then(
    () => true,
    () => false,
  );
  if (isThere) return ofKubeconfig(usual);
  throw new Error('found no cluster: this is no Pod, and KUBECONFIG is not set');
}

/** The current context of a kubeconfig file. Throws when it can't be used. */
export async function ofKubeconfig(file: string): Promise<Cluster> {
  const config = await load(file);
  const cluster = config.getCurrentCluster();
  const server = cluster ? URL.parse(cluster.server) : null;
  if (!cluster || !server || !/^https?:$/.test(server.protocol)) {
    throw new Error(`${file}: its current context names no API server`);
  }
  if (cluster.proxyUrl !== undefined) {
    throw new Error(`${file}: proxy-url is not supported`);
  }
  const namespace = config.getContextObject(config.getCurrentContext())?.namespace;
  return { server, namespace, ...filed(() => read(file)) };
}

async function read(file: string): Promise<Credentials> {
  const config = await load(file);
  const options: Parameters<KubeConfig['applyToHTTPSOptions']>[0] = { headers: {} };
  await config.applyToHTTPSOptions(options);
  const { ca, cert, key, servername, rejectUnauthorized, auth } = options;
  const headers = asHeaders(options.headers);
  if (typeof auth === 'string') {
    headers['authorization'] = `Basic ${Buffer.from(auth).toString('base64')}`;
  }
  const given = { ca, cert, key, servername, rejectUnauthorized };
  const tls = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  return { headers, tls };
}

function asHeaders(headers: unknown): Record<string, string> {
  const entries = Object.entries(headers ?? {});
  return Object.fromEntries(entries.map(([name, value]) => [name.toLowerCase(), String(value)]));
}

/**
 * Loaded only here, and not in a Pod, which reads two files instead: the library brings 80 MB of
 * generated classes along.
 */
async function load(file: string): Promise<KubeConfig> {
  const { KubeConfig: Config } = await import('@kubernetes/client-node');
  const config = new Config();
  config.loadFromFile(file);
  return config;
}
