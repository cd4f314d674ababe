/** A real Docker engine, one for all test files at a time; images are kept from one time to the next. */
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Docker from 'dockerode';
import { startDaemon, type Daemon } from './daemon.ts';
import { lock } from './lock.ts';
import { mustRun } from './process.ts';
import { tempDir, type Scope } from './temp.ts';
import { debianMirror } from './trixie.ts';

const data = path.resolve(import.meta.dirname, '../../.cache/test/docker');
const keeper = path.join(import.meta.dirname, 'docker-keeper.sh');
const withinMs = 60_000;

/** `tcp://HOST:PORT` of another engine that the tests are to share, such as a newer one in a virtual machine. */
const elsewhere = process.env.CAIRN_TEST_DOCKER;

/** Options of a `describe` that needs an engine: only root can start one. With CI=true a skip is a failure. */
export const needsDocker: { readonly skip: string | false } = {
  skip:
    (process.getuid?.() !== 0 || !isInstalled('dockerd')) && 'only root can start a Docker engine',
};

export interface TestDocker {
  /** The path of the socket, or what CAIRN_TEST_DOCKER says. */
  readonly address: string;
  readonly docker: Docker;
}

/** The engine that test files share: be careful with what is not yours. */
export async function startDocker(scope: Scope): Promise<TestDocker> {
  if (elsewhere !== undefined) return { address: elsewhere, docker: clientAt(elsewhere) };
  const folder = sharedFolder();
  mkdirSync(data, { recursive: true });
  await holdLock(scope, path.join(folder, 'users'));
  const docker = clientOf(folder);
  // with its lock held, only one of those who come at the same time starts the engine
  const script = `docker --host unix://${folder}/socket info >/dev/null 2>&1 || {
    setsid sh ${keeper} ${folder} ${data} </dev/null >/dev/null 2>&1 &
    tries=0
    until docker --host unix://${folder}/socket info >/dev/null 2>&1; do
      tries=$((tries + 1)); [ $tries -lt 600 ] || exit 1; sleep 0.1
    done
    docker --host unix://${folder}/socket container prune --force >/dev/null
    docker --host unix://${folder}/socket image prune --all --force --filter until=720h >/dev/null
  }`;
  await mustRun('flock', ['--close', path.join(folder, 'start'), 'sh', '-c', script]).catch(
    (error: unknown) => {
      throw new Error(`Docker did not start:\n${readFileSync(path.join(folder, 'log'), 'utf8')}`, {
        cause: error,
      });
    },
  );
  return { address: path.join(folder, 'socket'), docker };
}

/** Has only one test process at a time do something with the shared engine, such as making images for all. */
export async function oneAtATime<T>(work: () => Promise<T>): Promise<T> {
  const release = await lock('--exclusive', path.join(sharedFolder(), 'work'));
  try {
    return await work();
  } finally {
    await release();
  }
}

/** Of the shared engine's socket and of the locks. */
function sharedFolder(): string {
  // the path of a socket has to be short
  const name = `cairn-docker-${createHash('sha256').update(data).digest('hex').slice(0, 8)}`;
  const folder = path.join(tmpdir(), name);
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** Held until the scope ends. */
async function holdLock(scope: Scope, file: string): Promise<void> {
  scope.after(await lock('--shared', file));
}

/** An engine for one test, empty, that may be ended and started again. */
export class OwnDocker implements TestDocker {
  readonly docker: Docker;
  readonly #folder: string;
  readonly #options: readonly string[];
  #engine: Daemon | undefined;

  constructor(folder: string, options: readonly string[] = []) {
    this.#folder = folder;
    this.#options = options;
    this.docker = clientOf(folder);
  }

  get address(): string {
    return path.join(this.#folder, 'socket');
  }

  async start(): Promise<void> {
    const at = (name: string) => path.join(this.#folder, name);
    const engine = startDaemon(
      'dockerd',
      [
        ...[
          '--host',
          `unix://${this.address}`,
          '--data-root',
          at('data'),
          '--exec-root',
          at('exec'),
        ],
        ...['--pidfile', at('pid'), '--iptables=false', '--ip6tables=false', '--bridge=none'],
        ...this.#options,
      ],
      this.#folder,
    );
    this.#engine = engine;
    const deadline = Date.now() + withinMs;
    while (
      !(await this.docker.ping().then(
        () => true,
        () => false,
      ))
    ) {
      if (engine.hasEnded || Date.now() > deadline) throw new Error(`no Docker:\n${engine.output}`);
      await sleep(50);
    }
  }

  /** Ends it in an orderly way; containers end along. */
  async stop(): Promise<void> {
    await this.#engine?.end('SIGTERM');
    this.#engine = undefined;
  }

  /** Ends it as a crash would: containers go on until it is started again. */
  async kill(): Promise<void> {
    const engine = this.#engine;
    this.#engine = undefined;
    if (!engine) return;
    // What it has started holds its output open, and its containerd ends a moment later.
    process.kill(engine.pid, 'SIGKILL');
    const file = path.join(this.#folder, 'exec/containerd/containerd.pid');
    const containerd = readFileSync(file, 'utf8').trim();
    while (!engine.hasEnded || isRunning(containerd)) await sleep(10);
    rmSync(file);
  }

  /** Has it answer nobody while `work` goes on. */
  async frozen<T>(work: () => Promise<T>): Promise<T> {
    const { pid } = this.#engine ?? {};
    if (pid === undefined) throw new Error('the engine does not run');
    process.kill(pid, 'SIGSTOP');
    try {
      return await work();
    } finally {
      process.kill(pid, 'SIGCONT');
    }
  }

  async remove(): Promise<void> {
    await this.stop();
    // an engine that was killed has left some of its own
    for (const mount of mountsBelow(this.#folder)) await mustRun('umount', [mount]);
    await mustRun('umount', [this.#folder]);
    rmdirSync(this.#folder);
  }
}

function names(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** Gives an engine the root file system of an image of another one, under a name. */
export async function moveImage(
  from: Docker,
  image: string,
  to: Docker,
  name: string,
): Promise<void> {
  const container = await from.createContainer({ Image: image, Cmd: ['true'] });
  try {
    const answer = await to.importImage(await container.export(), { repo: name });
    await new Promise<void>((resolve, reject) => {
      to.modem.followProgress(answer, (error: Error | null) => (error ? reject(error) : resolve()));
    });
  } finally {
    await container.remove();
  }
}

/**
 * All that it keeps is in memory: to remove an image from a disk takes as long as to unpack it. `options` are added to
 * those of dockerd.
 */
export async function startOwnDocker(
  scope: Scope,
  options: readonly string[] = [],
): Promise<OwnDocker> {
  const folder = mkdtempSync(path.join(tmpdir(), 'cairn-docker-'));
  await mustRun('mount', ['-t', 'tmpfs', '-o', 'size=3g,mode=700', 'cairn-test', folder]);
  const own = new OwnDocker(folder, options);
  scope.after(() => own.remove());
  await own.start();
  return own;
}

/** What builds are made of in tests: the Debian that this machine gets its own packages from. */
export async function debianArchive(scope: Scope, suite: string) {
  const { url, keyring } = await debianMirror();
  const home = tempDir(scope);
  const words = keyring === undefined ? [] : ['--no-default-keyring', '--keyring', keyring];
  const key = keyring?.endsWith('.asc')
    ? readFileSync(keyring, 'utf8')
    : await mustRun('gpg', ['--homedir', home, ...words, '--armor', '--export']);
  return {
    archive: { uri: url, suites: [suite], components: ['main'], key },
  };
}

function clientOf(folder: string): Docker {
  return clientWith({ socketPath: path.join(folder, 'socket') });
}

function clientAt(address: string): Docker {
  const { hostname, port } = new URL(address);
  return clientWith({ socketPath: undefined, host: hostname, port });
}

/** What is not undefined here is taken from the environment. */
function clientWith(place: object): Docker {
  const none = { host: undefined, port: undefined, ca: undefined, cert: undefined, key: undefined };
  return new Docker({ ...none, protocol: 'http', ...place });
}

/** The last one first. */
function mountsBelow(folder: string): readonly string[] {
  const mounts = readFileSync('/proc/self/mounts', 'utf8').split('\n');
  return mounts
    .map((line) => line.split(' ')[1] ?? '')
    .filter((mount) => mount.startsWith(`${folder}/`))
    .reverse();
}

/** One that has ended may still be listed, until somebody asks how. */
function isRunning(pid: string): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

function isInstalled(program: string): boolean {
  return ['/usr/sbin', '/usr/bin', '/usr/local/bin', '/usr/local/sbin'].some((folder) =>
    names(folder).includes(program),
  );
}
