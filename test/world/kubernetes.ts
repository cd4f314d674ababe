/** A real Kubernetes API server, with an etcd of its own: no nodes, no controllers, no Pods. */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ControlPlane } from './control-plane.ts';
import { kubernetesPrograms } from './kubernetes-programs.ts';
import { run, type Finished } from './process.ts';
import type { Scope } from './temp.ts';

export interface KubernetesOptions {
  /** Users beside `admin`, and their groups. They may do nothing until RBAC lets them. */
  readonly users?: Readonly<Record<string, readonly string[]>>;
}

export interface Kubernetes {
  /** Without a slash at the end. */
  readonly url: string;
  /** The certificates that the server's own is signed by, as PEM. */
  readonly ca: string;
  /** The bearer token of `admin`, who may do everything. */
  readonly token: string;
  /** The bearer tokens of all users. */
  readonly tokens: Readonly<Record<string, string>>;
  /** Where everything is that belongs to it. */
  readonly folder: string;
  /** A kubeconfig file of `admin`, in that folder. */
  readonly kubeconfig: string;
  /** Of etcd and of the API server. */
  readonly pids: readonly number[];
  /** Runs kubectl as `admin`, unless the arguments say otherwise. */
  kubectl(args: readonly string[], options?: { readonly input?: string }): Promise<Finished>;
  /** Sends one request as `admin`: an object as JSON, a string as it is. Keeps connections. */
  request(method: string, path: string, body?: unknown, options?: RequestOptions): Promise<Answer>;
  /** Kills the API server, as a crash would. etcd goes on. */
  kill(): Promise<void>;
  /** Starts the API server again, after a crash or out of full swing: same URL, same data. */
  restart(): Promise<void>;
  /** Ends everything; so does the end of the scope. */
  stop(): Promise<void>;
}

export interface RequestOptions {
  readonly token?: string;
  readonly contentType?: string;
}

export interface Answer {
  readonly status: number;
  /** Parsed, if it is JSON; else the text. */
  readonly body: unknown;
}

/** Starts one, in some four seconds, for a `describe` that says `needsKubernetes`. */
export async function startKubernetes(
  scope: Scope,
  { users = {} }: KubernetesOptions = {},
): Promise<Kubernetes> {
  const programs = kubernetesPrograms;
  if (programs === undefined) throw new Error('there is no kube-apiserver here');
  const folder = mkdtempSync(path.join(tmpdir(), 'cairn-kubernetes-'));
  const tokens = writeTokens(folder, { admin: ['system:masters'], ...users });
  const plane = new ControlPlane(programs, folder);
  const stop = async () => {
    await plane.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  scope.after(stop);
  await plane.start();
  const { url, ca } = plane;
  const token = tokens['admin'] ?? '';
  const kubeconfig = path.join(folder, 'kubeconfig');
  writeFileSync(kubeconfig, kubeconfigText({ url, ca, token }), { mode: 0o600 });
  return {
    url,
    ca,
    token,
    tokens,
    folder,
    kubeconfig,
    get pids() {
      return plane.pids;
    },
    kubectl: (args, options) =>
      run(path.join(programs, 'kubectl'), args, {
        ...options,
        env: { HOME: folder, KUBECONFIG: kubeconfig },
      }),
    request: (method, where, body, options) =>
      send(plane, { method, where, body, token, ...options }),
    kill: () => plane.kill(),
    restart: () => plane.restart(),
    stop,
  };
}

/** Writes the file of --token-auth-file; `admin` comes first. */
function writeTokens(
  folder: string,
  users: Readonly<Record<string, readonly string[]>>,
): Readonly<Record<string, string>> {
  const tokens = Object.fromEntries(Object.keys(users).map((name) => [name, randomUUID()]));
  const lines = Object.entries(users).map(
    ([name, groups]) => `${tokens[name]},${name},${name},"${groups.join(',')}"\n`,
  );
  writeFileSync(path.join(folder, 'tokens.csv'), lines.join(''), { mode: 0o600 });
  return tokens;
}

/** JSON is YAML. */
function kubeconfigText({ url, ca, token }: Record<'url' | 'ca' | 'token', string>): string {
  const certificate = Buffer.from(ca).toString('base64');
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      { name: 'test', cluster: { server: url, 'certificate-authority-data': certificate } },
    ],
    users: [{ name: 'admin', user: { token } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'admin' } }],
    'current-context': 'test',
  });
}

interface Sending {
  readonly method: string;
  readonly where: string;
  readonly body: unknown;
  readonly token: string;
  readonly contentType?: string;
}

async function send({ agent, url }: ControlPlane, sending: Sending): Promise<Answer> {
  const { method, where, body, token, contentType = 'application/json' } = sending;
  const answer = await agent.request({
    origin: url,
    path: where,
    method: method as 'GET', // undici names the usual ones only
    headers: { authorization: `Bearer ${token}`, 'content-type': contentType },
    body: body === undefined || typeof body === 'string' ? (body ?? null) : JSON.stringify(body),
  });
  const text = await answer.body.text();
  const isJson = answer.headers['content-type']?.includes('json') ?? false;
  return { status: answer.statusCode, body: isJson ? JSON.parse(text) : text };
}
