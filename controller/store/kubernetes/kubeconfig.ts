import { access } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { KubeConfig } from '@kubernetes/client-node';
import type { Cluster, Credentials } from './cluster.ts';
import { filed, inCluster } from './in-cluster.ts';
import { isElaborate, plainCredentials, readContext } from './kubeconfig-file.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Parts of kubeconfigs, each with a name. */
type Named = { readonly name: string };

/**
 * The cluster that `KUBECONFIG` names, else the one that this process is a Pod of, else the one of
 * `~/.kube/config`. Throws with a sentence for people when there is none.
 */
export async function findCluster(env: Environment): Promise<Cluster> {
  const named = kubeconfigFiles(env);
  if (named.length > 0) return ofKubeconfig(named);
  const own = await inCluster(env);
  if (own) return own;
  const usual = join(env['HOME'] ?? homedir(), '.kube', 'config');
  if (await isThere(usual)) return ofKubeconfig(usual);
  throw new Error('found no cluster: this is no Pod, and KUBECONFIG is not set');
}

/** The files that `KUBECONFIG` lists. */
export function kubeconfigFiles(env: Environment): readonly string[] {
  return (env['KUBECONFIG'] ?? '').split(delimiter).filter((file) => file !== '');
}

/**
 * A context, the current one by default, of a kubeconfig file, or of several that are read as one:
 * of what two of them name, the first one counts, and those that are not there are left out, as
 * kubectl does it. Throws with a sentence for people when it can't be used.
 */
export async function ofKubeconfig(
  files: string | readonly string[],
  { context: wanted }: { readonly context?: string | undefined } = {},
): Promise<Cluster> {
  const list = [files].flat();
  const told = list.join(delimiter);
  const { isThere: isKnown, cluster, namespace } = await readContext(list, wanted);
  if (wanted !== undefined && !isKnown) throw new Error(`${told}: there is no context ${wanted}`);
  const given = cluster.fields['server'];
  const server = typeof given === 'string' ? URL.parse(given) : null;
  if (!server || !/^https?:$/.test(server.protocol)) {
    const which = wanted === undefined ? 'its current context' : `the context ${wanted}`;
    throw new Error(`${told}: ${which} names no API server`);
  }
  const proxyUrl = cluster.fields['proxy-url'];
  const proxy = proxyOf(typeof proxyUrl === 'string' ? proxyUrl : undefined, told);
  return { server, namespace, ...(proxy && { proxy }), ...filed(() => read(list, wanted)) };
}

function proxyOf(text: string | undefined, file: string): URL | undefined {
  if (text === undefined || text === '') return undefined;
  const proxy = URL.parse(text);
  if (proxy && /^https?:$/.test(proxy.protocol)) return proxy;
  throw new Error(`${file}: its proxy-url is not that of an http or https proxy`);
}

/** As kubectl, this shows nobody anything over plain http, unless the kubeconfig waives TLS. */
async function read(files: readonly string[], context: string | undefined): Promise<Credentials> {
  const found = await readContext(files, context);
  const { fields } = found.cluster;
  const isPlain = String(fields['server']).startsWith('http:');
  if (isPlain && fields['insecure-skip-tls-verify'] !== true) return { headers: {}, tls: {} };
  return isElaborate(found) ? elaborateCredentials(files, context) : plainCredentials(found);
}

/** Of users who sign in by a program (`exec`) or an identity provider. */
async function elaborateCredentials(
  files: readonly string[],
  context: string | undefined,
): Promise<Credentials> {
  const config = await load(files, context);
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
 * The library is loaded only here, where it is needed: it brings dozens of megabytes of generated
 * classes along. Its own way of merging files refuses names that are in two of them.
 */
async function load(files: readonly string[], context: string | undefined): Promise<KubeConfig> {
  const { KubeConfig: Config } = await import('@kubernetes/client-node');
  const found = files.length === 1 ? files : await those(files);
  const configs = found.map((file) => {
    const one = new Config();
    one.loadFromFile(file);
    return one;
  });
  const config = new Config();
  config.loadFromOptions({
    clusters: firstOfEach(configs.map(({ clusters }) => clusters)),
    users: firstOfEach(configs.map(({ users }) => users)),
    contexts: firstOfEach(configs.map(({ contexts }) => contexts)),
    currentContext: context ?? configs.map((one) => one.currentContext).find(Boolean) ?? '',
  });
  return config;
}

async function those(files: readonly string[]): Promise<readonly string[]> {
  const isHere = await Promise.all(files.map(isThere));
  const found = files.filter((_, index) => isHere[index]);
  if (found.length > 0) return found;
  throw new Error(`there is no kubeconfig ${files.join(' or ')}`);
}

function firstOfEach<T extends Named>(lists: readonly (readonly T[] | undefined)[]): T[] {
  const all = lists.flatMap((list) => list ?? []);
  return all.filter(({ name }, index) => all.findIndex((one) => one.name === name) === index);
}

async function isThere(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
