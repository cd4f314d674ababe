/** The real kubectl, with a home of its own. */
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { kubernetesPrograms } from './kubernetes-programs.ts';
import { run, type Finished } from './process.ts';
import { tempDir, type Scope } from './temp.ts';

export interface Kubectl {
  /** Runs it to its end, whatever its exit status. */
  (...args: readonly string[]): Promise<Finished>;
  /** The same with something to read. */
  reading(input: string, ...args: readonly string[]): Promise<Finished>;
  /** Starts one that goes on until it is stopped, with the test at the latest. */
  start(...args: readonly string[]): ChildProcessByStdio<null, Readable, Readable>;
  /** Where it is, and with which environment, for those who run it themselves. */
  readonly program: string;
  readonly env: Readonly<Record<string, string>>;
}

export interface KubectlOptions {
  readonly url: string;
  readonly token?: string;
  /** A kubeconfig, instead of one for the URL and the token. */
  readonly kubeconfig?: string;
}

/** A kubectl that talks to one server and keeps what it caches in a folder of the test's. */
export function kubectlFor(t: Scope, options: KubectlOptions): Kubectl {
  const home = tempDir(t);
  const config = path.join(home, 'config');
  writeFileSync(config, options.kubeconfig ?? kubeconfig(options));
  const env = { KUBECONFIG: config, HOME: home, KUBECACHEDIR: path.join(home, 'cache') };
  const reading = (input: string, ...args: readonly string[]) =>
    run(program(), args, { env, input });
  const start = (...args: readonly string[]) => {
    const child = spawn(program(), args, {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    t.after(() => void child.kill('SIGKILL'));
    return child;
  };
  return Object.assign((...args: readonly string[]) => reading('', ...args), {
    reading,
    start,
    program: program(),
    env,
  });
}

/** The kubectl beside a test API server, if there is one, else the one of the system. */
function program(): string {
  return kubernetesPrograms === undefined ? 'kubectl' : path.join(kubernetesPrograms, 'kubectl');
}

function kubeconfig({ url, token }: KubectlOptions): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'cairn', cluster: { server: url } }],
    users: [{ name: 'me', user: token === undefined ? {} : { token } }],
    contexts: [{ name: 'cairn', context: { cluster: 'cairn', user: 'me', namespace: 'default' } }],
    'current-context': 'cairn',
  });
}
