import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { EnvironmentKind } from '../../crds/environment.ts';
import { conditionOf, isReady } from '../../crds/object.ts';
import { MirrorKind, type Mirror } from '../../crds/mirror.ts';
import { startInstance, type Instance } from '../instance.ts';
import { fromHere } from '../leader/address.ts';
import { createLog } from '../log.ts';
import { CliError, exit, type Io } from './command.ts';
import { startDemoArchive } from './demo-archive.ts';
import { proveWithApt } from './demo-proof.ts';
import type { AnyObject } from './objects.ts';
import { formatProgress } from './progress-line.ts';
import { explained, isTaken, type ListenAddress } from './listen-address.ts';
import { stopped } from './stopped.ts';

const environment = 'production';
const readyWithinMs = 15 * 60_000;
const pollMs = 250;

/**
 * The first thing that a newcomer sees: this machine's own APT sources as a config repository,
 * mirrored, frozen, put behind an environment, and used by apt. Everything stays in
 * `.cache/demo`, so that the second run starts where the first one ended.
 */
export async function runDemo(listen: ListenAddress, io: Io): Promise<number> {
  const folder = join(io.cwd, '.cache', 'demo');
  const config = join(folder, 'config');
  await mkdir(folder, { recursive: true });
  await using started = new AsyncDisposableStack();
  const hasApt = isOnPath('apt-get', io);
  const archive = hasApt ? undefined : await startDemoArchive(folder);
  if (archive) started.defer(() => archive.close());
  if (!existsSync(config)) await declare(config, archive, io);
  const instance = await startAnyhow(listen, join(folder, 'data'), config, io);
  started.defer(() => instance.close());
  io.out(`Serving on ${instance.url}; the manifests are in ${config}`);
  await ready(instance, io);
  const url = fromHere(instance.url);
  if (hasApt) await proveWithApt(url, environment, folder, io);
  else
    io.out('There is no apt here to try it with; a machine that has it needs client.sources only');
  io.out(nextSteps(url, config));
  await stopped(io);
  return exit.good;
}

function isOnPath(program: string, { env }: Io): boolean {
  return (env['PATH'] ?? '').split(delimiter).some((folder) => existsSync(join(folder, program)));
}

async function declare(
  config: string,
  archive: Awaited<ReturnType<typeof startDemoArchive>> | undefined,
  io: Io,
): Promise<void> {
  if (archive) {
    io.out('There is no apt here; using a small signed archive that was made on the spot');
    await archive.writeManifests(config);
    return;
  }
  io.out("Writing manifests for this machine's APT sources");
  const { initFromApt } = await import('./init.ts');
  await initFromApt(config, io);
}

/** On the wanted port, or on any other one when that is taken. */
async function startAnyhow(
  { host, port }: ListenAddress,
  data: string,
  config: string,
  io: Io,
): Promise<Instance> {
  const log = createLog({ format: 'text', level: 'warn', write: (line) => io.err(line.trimEnd()) });
  const start = (on: number) =>
    startInstance({ host, port: on, data, config: { location: config }, log });
  try {
    return await start(port);
  } catch (error) {
    if (!isTaken(error)) throw explained(error, { host, port });
    io.err(`port ${port} is taken; using another one`);
    return start(0);
  }
}

/** Waits for the environment, telling what happens meanwhile. */
async function ready({ store }: Instance, io: Io): Promise<void> {
  const deadline = Date.now() + readyWithinMs;
  const told = new Map<string, string>();
  for (;;) {
    io.signal.throwIfAborted();
    const { items } = await store.list(MirrorKind.kind);
    for (const mirror of items as readonly Mirror[]) tell(mirror, told, io);
    const key = { kind: EnvironmentKind.kind, namespace: 'default', name: environment };
    const found = await store.get(key);
    if (found && isReady(found)) {
      io.progress('');
      io.out(`environment/${environment}: ${conditionOf(found, 'Ready')?.message ?? ''}`);
      return;
    }
    if (Date.now() > deadline) {
      const why = found && conditionOf(found, 'Ready')?.message;
      throw new CliError(`environment/${environment} is not ready: ${why ?? 'it is not there'}`);
    }
    await sleep(pollMs);
  }
}

function tell(mirror: Mirror, told: Map<string, string>, io: Io): void {
  const { name } = mirror.metadata;
  const ready = conditionOf(mirror, 'Ready');
  if (mirror.status.progress && !mirror.status.state) {
    io.progress(formatProgress(`mirror/${name}`, asAny(mirror), io.columns));
  }
  const news = ready ? `mirror/${name}: ${ready.message}` : `mirror/${name}: waiting`;
  if (told.get(name) === news) return;
  told.set(name, news);
  io.progress('');
  io.out(news);
}

/** The form in which the CLI shows objects of all kinds. */
function asAny({ status, ...mirror }: Mirror): AnyObject {
  return { ...mirror, spec: { ...mirror.spec }, status: { ...status } };
}

function nextSteps(url: string, config: string): string {
  const steps: readonly (readonly [command: string, what: string])[] = [
    [`export CAIRN_SERVER=${url}`, ''],
    ['./cairn get all', 'what there is, and how it is'],
    [`./cairn describe environment/${environment}`, 'what it serves, and since when'],
    [`curl ${url}/environments/${environment}/client.sources`, ''],
    ['', 'for /etc/apt/sources.list.d of a client'],
    [`edit ${config}`, ''],
    ['', 'add a Snapshot, point the Environment at it; change it back'],
  ];
  const lines = steps.map(([command, what]) => `  ${command.padEnd(46)}${what}`.trimEnd());
  return `
It works. While this runs, in another terminal:

${lines.join('\n')}

In a browser: ${url}/
Stop with Ctrl-C; the next 'make run' goes on from here.`;
}
