import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Credentials } from '../store/kubernetes/cluster.ts';
import { kubeconfigFiles, ofKubeconfig } from '../store/kubernetes/kubeconfig.ts';
import { ApiClient, type Access } from './api-client.ts';
import { CliError, exit, UsageError, type Io, type Options } from './command.ts';

const defaultServer = 'http://127.0.0.1:8080';

/** The options that name a server by its address. */
export const namedServerOptions = {
  server: {
    type: 'string',
    value: 'URL',
    description: `where Cairn runs; else CAIRN_SERVER, else ${defaultServer}`,
  },
  'token-file': {
    type: 'string',
    value: 'FILE',
    description: 'a file with the access token; else CAIRN_TOKEN',
  },
  'certificate-authority': {
    type: 'string',
    value: 'FILE',
    description: 'what signs the certificate of the server, if the system does not know it',
  },
} as const satisfies Options;

/** The options of every command that talks to a server. */
export const serverOptions = {
  ...namedServerOptions,
  kubeconfig: {
    type: 'string',
    value: 'FILE',
    description: 'the server of a kubeconfig, a cluster or Cairn itself; else KUBECONFIG',
  },
  context: {
    type: 'string',
    value: 'NAME',
    description: 'a context of the kubeconfig; else its current one',
  },
} as const satisfies Options;

/** Where an object is looked for. */
export const namespaceOptions = {
  namespace: {
    type: 'string',
    short: 'n',
    value: 'NAME',
    description: 'the namespace; else that of the context of a kubeconfig, else default',
  },
} as const satisfies Options;

/** The options of every command that names an object of a server. */
export const objectOptions = { ...namespaceOptions, ...serverOptions } as const;

interface ServerValues {
  readonly server?: string | undefined;
  readonly 'token-file'?: string | undefined;
  readonly 'certificate-authority'?: string | undefined;
  readonly kubeconfig?: string | undefined;
  readonly context?: string | undefined;
  readonly namespace?: string | undefined;
}

/**
 * A client for the server that the options name, or the environment: `CAIRN_SERVER` before
 * `KUBECONFIG`. Throws `CliError`.
 */
export async function connect(values: ServerValues, io: Io): Promise<ApiClient> {
  const files = kubeconfigOf(values, io);
  if (files) return new ApiClient(await accessByKubeconfig(files, values, io));
  const server = serverNamed(values.server, io);
  const token = await readToken(values['token-file'], io);
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const tls = await trustOf(values['certificate-authority'], io);
  const credentials = async () => ({ headers, tls });
  const { namespace = 'default' } = values;
  return new ApiClient({ server, namespace, credentials, signal: io.signal });
}

/** The kubeconfigs to go by, unless a server is named in another way. Throws `UsageError`. */
function kubeconfigOf(
  { server, kubeconfig, context }: ServerValues,
  io: Io,
): readonly string[] | undefined {
  const isMeant = kubeconfig !== undefined || context !== undefined;
  if (isMeant && server !== undefined) {
    throw new UsageError('--server names another server than --kubeconfig and --context');
  }
  if (kubeconfig !== undefined) return [path.resolve(io.cwd, kubeconfig)];
  if (!isMeant && (server !== undefined || io.env['CAIRN_SERVER'])) return undefined;
  const listed = kubeconfigFiles(io.env).map((file) => path.resolve(io.cwd, file));
  if (listed.length > 0) return listed;
  return isMeant ? [path.join(io.env['HOME'] ?? io.cwd, '.kube', 'config')] : undefined;
}

/** `CAIRN_TOKEN` is for another server. */
async function accessByKubeconfig(
  files: readonly string[],
  values: ServerValues,
  io: Io,
): Promise<Access> {
  const cluster = await ofKubeconfig(files, { context: values.context }).catch(explain);
  const { server, proxy } = cluster;
  const namespace = values.namespace ?? cluster.namespace ?? 'default';
  const file = values['token-file'];
  const token = file === undefined ? undefined : await readToken(file, io);
  const trust = await trustOf(values['certificate-authority'], io);
  async function credentials(): Promise<Credentials> {
    const { headers, tls } = await cluster.credentials().catch(explain);
    const shown = token === undefined ? {} : { authorization: `Bearer ${token}` };
    return { headers: { ...headers, ...shown }, tls: { ...tls, ...trust } };
  }
  return { server, namespace, proxy, credentials, signal: io.signal };
}

function explain(thrown: unknown): never {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  throw new CliError(`can't use the kubeconfig: ${message}`, exit.failed, { cause: thrown });
}

async function trustOf(file: string | undefined, io: Io): Promise<Credentials['tls']> {
  return file === undefined ? {} : { ca: await contentOf(path.resolve(io.cwd, file)) };
}

/** The text of a file that an option names. Throws `CliError`. */
export async function contentOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (thrown) {
    const code =
      thrown instanceof Error && 'code' in thrown ? String(thrown.code) : 'unknown error';
    throw new CliError(`can't read ${file}: ${code}`, exit.failed, { cause: thrown });
  }
}

/** The server that an option or the environment names. Throws `UsageError`. */
export function serverNamed(option: string | undefined, io: Io): URL {
  return serverUrl(option ?? (io.env['CAIRN_SERVER'] || defaultServer));
}

function serverUrl(text: string): URL {
  const url = URL.parse(/^[a-z]+:\/\//i.test(text) ? text : `http://${text}`);
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw new UsageError(`expected a URL such as ${defaultServer} for the server`);
  }
  if (url.username || url.password) {
    throw new UsageError(
      'the server URL must not hold a password: use CAIRN_TOKEN or --token-file',
    );
  }
  return url;
}

/** The token in a file, or in the environment. Throws `CliError`. */
export async function readToken(file: string | undefined, io: Io): Promise<string | undefined> {
  const token =
    file === undefined ? io.env['CAIRN_TOKEN'] : await tokenIn(path.resolve(io.cwd, file));
  const trimmed = token?.trim();
  if (!trimmed) {
    if (file !== undefined) throw new CliError(`the token file ${file} is empty`);
    return undefined;
  }
  if (!/^[\x21-\x7e]+$/.test(trimmed))
    throw new CliError('the access token is not one word of ASCII');
  return trimmed;
}

async function tokenIn(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (thrown) {
    const code =
      thrown instanceof Error && 'code' in thrown ? String(thrown.code) : 'unknown error';
    throw new CliError(`can't read the token file ${file}: ${code}`, 1, { cause: thrown });
  }
}
