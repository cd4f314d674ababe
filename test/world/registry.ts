/** A real registry of images, Debian's, on the loopback interface; nobody gets anything without a password. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type Docker from 'dockerode';
import { startDaemon } from './daemon.ts';
import { needsDocker } from './docker.ts';
import { freePort } from './port.ts';
import { mustRun } from './process.ts';
import { tempDir, type Scope } from './temp.ts';

/** Options of a `describe` that needs one, and an engine. */
export const needsRegistry: { readonly skip: string | false } =
  needsDocker.skip === false
    ? { skip: !existsSync('/usr/bin/docker-registry') && 'docker-registry is not installed' }
    : needsDocker;

export interface Login {
  readonly username: string;
  readonly password: string;
}

export interface Registry {
  /** `127.0.0.1:PORT`: engines ask such a one without TLS. */
  readonly host: string;
  /** Everything that it has logged. */
  readonly output: string;
  /** Has this one let in, and nobody else. */
  letIn(login: Login): Promise<void>;
  stop(): Promise<void>;
}

const withinMs = 15_000;

export async function startRegistry(scope: Scope, login: Login): Promise<Registry> {
  const folder = tempDir(scope);
  const passwords = path.join(folder, 'htpasswd');
  mkdirSync(path.join(folder, 'data'));
  const letIn = async (one: Login) => writeFileSync(passwords, await htpasswd(one));
  await letIn(login);
  const host = `127.0.0.1:${await freePort()}`;
  const file = path.join(folder, 'config.yml');
  writeFileSync(file, configuration(folder, host, passwords));
  const daemon = startDaemon('docker-registry', ['serve', file], folder);
  const stop = () => (daemon.hasEnded ? Promise.resolve() : daemon.end());
  scope.after(stop);
  const deadline = Date.now() + withinMs;
  const isUp = () =>
    fetch(`http://${host}/v2/`).then(
      ({ status }) => status === 401,
      () => false,
    );
  while (!(await isUp())) {
    if (daemon.hasEnded || Date.now() > deadline) throw new Error(`no registry:\n${daemon.output}`);
    await sleep(20);
  }
  return {
    host,
    letIn,
    stop,
    get output() {
      return daemon.output;
    },
  };
}

function configuration(folder: string, host: string, passwords: string): string {
  return JSON.stringify({
    version: '0.1',
    storage: { filesystem: { rootdirectory: path.join(folder, 'data') } },
    http: { addr: host },
    auth: { htpasswd: { realm: 'test', path: passwords } },
  });
}

/** It takes bcrypt alone; the shortest work will do. */
async function htpasswd({ username, password }: Login): Promise<string> {
  const program = 'print crypt(<STDIN>, q($2y$04$abcdefghijklmnopqrstuu))';
  return `${username}:${await mustRun('perl', ['-e', program], { input: password })}\n`;
}

/** Hands an image of an engine to a registry, as `repository:tag`, and takes that name away again. */
export async function pushImage(
  docker: Docker,
  image: string,
  { name, tag, login }: { readonly name: string; readonly tag: string; readonly login: Login },
): Promise<void> {
  await docker.getImage(image).tag({ repo: name, tag });
  const named = docker.getImage(`${name}:${tag}`);
  const serveraddress = name.slice(0, name.indexOf('/'));
  const answer = await named.push({ authconfig: { ...login, serveraddress } });
  await new Promise<void>((resolve, reject) => {
    docker.modem.followProgress(answer, (error: Error | null, events: unknown[] = []) => {
      const failed = events.find((event) => Object(event).error !== undefined);
      if (error || failed) reject(error ?? new Error(JSON.stringify(failed)));
      else resolve();
    });
  });
  await named.remove({ noprune: true });
}
