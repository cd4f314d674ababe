/** The real product, as a child process. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { run, type Finished } from './process.ts';

/** The command as people run it. */
export const launcher = path.resolve(import.meta.dirname, '../../cairn');

export interface CairnOptions {
  /** A folder of manifests; none when left out. */
  readonly config?: string | undefined;
  readonly data: string;
  /** A free port of the loopback interface by default. */
  readonly listen?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** More arguments of `cairn run`. */
  readonly args?: readonly string[];
  /** Until when to wait: until /readyz says yes, by default. */
  readonly awaits?: 'ready' | 'listening';
  /** Give up waiting for it to become ready after so long; two minutes by default. */
  readonly timeoutMs?: number;
}

export interface Cairn {
  /** Without a slash at the end. */
  readonly url: string;
  readonly pid: number;
  /** The server's own tokens, for `Authorization: Bearer …`. */
  readonly tokens: { readonly read: string; readonly admin: string };
  /** Everything it has written so far. */
  readonly logs: string;
  /** Runs `cairn …` against this server, as its admin. */
  cli(...args: readonly string[]): Promise<Finished>;
  /** Sends a signal (SIGTERM by default) and waits for the end. Gives the exit status, if any. */
  kill(signal?: NodeJS.Signals): Promise<number | null>;
}

/** Starts `cairn run` and waits until /readyz says yes, or as it is told. */
export async function startCairn(options: CairnOptions): Promise<Cairn> {
  const { config, data, listen = '127.0.0.1:0', env = {}, args = [] } = options;
  const source = config === undefined ? [] : ['--config', config];
  const all = ['run', ...source, '--data', data, '--listen', listen, ...args];
  const child = spawn(launcher, all, {
    env: { ...cairnEnvironment(), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const orphan = () => child.kill('SIGKILL');
  process.once('exit', orphan);
  const ended = once(child, 'close').finally(() => process.off('exit', orphan));
  let logs = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (logs += text));
  }
  const kill = async (signal: NodeJS.Signals = 'SIGTERM') => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    await ended;
    return child.exitCode;
  };
  const deadline = Date.now() + (options.timeoutMs ?? 120_000);
  const isUp = options.awaits === 'listening' ? async () => true : isReady;
  const begun = async () => {
    const url = await urlOnce(isUp, child, { logs: () => logs, deadline });
    const isOnKubernetes = args.includes('--kubernetes');
    if (!isOnKubernetes) return { url, tokens: fileTokens(data) };
    const unknown = { read: '', admin: '' }; // the API server may be away
    return { url, tokens: await clusterTokens(env).catch(() => unknown) };
  };
  const { url, tokens } = await begun().catch(async (error: unknown) => {
    await kill('SIGKILL');
    throw error;
  });
  return {
    url,
    tokens,
    pid: child.pid ?? 0,
    get logs() {
      return logs;
    },
    cli: (...words) => cairnCli(words, { CAIRN_SERVER: url, CAIRN_TOKEN: tokens.admin, ...env }),
    kill,
  };
}

function fileTokens(data: string): Cairn['tokens'] {
  const token = (name: string) => readFileSync(path.join(data, 'tokens', name), 'utf8').trim();
  return { read: token('read'), admin: token('admin') };
}

/** From the Secret in which they are on Kubernetes, in the namespace of the kubeconfig's context. */
async function clusterTokens(env: NonNullable<CairnOptions['env']>): Promise<Cairn['tokens']> {
  const { clusters, users, contexts } = JSON.parse(readFileSync(env['KUBECONFIG'] ?? '', 'utf8'));
  const { server, 'certificate-authority-data': ca = '' } = clusters[0].cluster;
  const namespace = contexts[0].context.namespace ?? 'default';
  const url = new URL(`/api/v1/namespaces/${namespace}/secrets/cairn-tokens`, server);
  const { get } = url.protocol === 'http:' ? http : https;
  const headers = { authorization: `Bearer ${users[0].user.token}` };
  const trusted = ca === '' ? {} : { ca: Buffer.from(ca, 'base64') };
  const asked = get(url, { ...trusted, headers, agent: false });
  const [answer] = (await once(asked, 'response')) as [IncomingMessage]; // what it is documented to emit
  const { data } = JSON.parse(await text(answer));
  const token = (name: string) => Buffer.from(data[name], 'base64').toString().trim();
  return { read: token('read'), admin: token('admin') };
}

/** Runs a command of the product. */
export function cairnCli(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>> = {},
): Promise<Finished> {
  return run(launcher, args, { env: { ...cairnEnvironment(), ...env } });
}

/** The Node that runs the tests runs the product too. */
function cairnEnvironment(): Record<string, string | undefined> {
  const { PATH = '', ...rest } = process.env;
  return {
    ...rest,
    PATH: `${path.dirname(process.execPath)}:${PATH}`,
    NODE_TEST_CONTEXT: undefined,
  };
}

async function urlOnce(
  isUp: (url: string) => Promise<boolean>,
  child: ChildProcess,
  { logs, deadline }: { readonly logs: () => string; readonly deadline: number },
): Promise<string> {
  while (Date.now() < deadline && child.exitCode === null && child.signalCode === null) {
    const url = /listening on (https?:\/\/[^\s"]+?)\/?(?=[\s"]|$)/m.exec(logs())?.[1];
    if (url !== undefined && (await isUp(url))) return url;
    await sleep(25);
  }
  throw new Error(`cairn did not become ready:\n${logs()}`);
}

async function isReady(url: string): Promise<boolean> {
  const response = await fetch(`${url}/readyz`).catch(() => undefined);
  await response?.body?.cancel();
  return response?.ok ?? false;
}
