/** A builder on the shared engine, and small source trees for it. */
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { openDockerBuilder, type DockerBuilder } from '../../../builders/docker/index.ts';
import {
  defaultLimits,
  type RunLimits,
  type RunRequest,
  type RunStreams,
} from '../../../builders/docker/request.ts';
import { writeTar } from '../../../builders/docker/tar.ts';
import type { DeclaredArchive } from '../../../builders/docker/archives.ts';
import { debianArchive, oneAtATime, startDocker, type TestDocker } from '../../world/docker.ts';
import { tempDir, type Scope } from '../../world/temp.ts';

export interface World extends TestDocker {
  /** Makes images, and keeps them for the next time; it never runs anything. */
  readonly maker: DockerBuilder;
  readonly archive: DeclaredArchive;
  /** A root file system to run packages in. */
  readonly image: string;
  readonly base: string;
}

export const never = new AbortController().signal;

/**
 * Starts it all: some seconds, or a minute when Debian has changed since the last time. One root file system is enough for
 * all: to make another takes as long again.
 */
export async function startWorld(
  scope: Scope,
  relations = ['debhelper-compat (= 13)'],
): Promise<World> {
  const engine = await startDocker(scope);
  const { archive } = await debianArchive(scope, 'trixie');
  const maker = openDockerBuilder({
    engine: { address: engine.address },
    owner: 'cairn-test',
    folder: tempDir(scope),
    concurrency: 2,
  });
  const prepared = await oneAtATime(() =>
    maker.prepare(
      {
        key: 'test',
        base: { kind: 'archives' },
        archives: [archive],
        dependencies: { relations },
        architecture: 'amd64',
      },
      never,
    ),
  );
  if (prepared.result !== 'Prepared') throw new Error(JSON.stringify(prepared));
  return { ...engine, maker, archive, image: prepared.image, base: prepared.base };
}

/** A builder of its own owner, whose containers go with the scope. */
export function openBuilder(
  scope: Scope,
  { address }: TestDocker,
  owner: string,
  options: {
    readonly concurrency?: number;
    readonly folder?: string;
    readonly engineGraceMs?: number;
  } = {},
): DockerBuilder {
  const builder = openDockerBuilder({
    engine: { address },
    owner,
    folder: options.folder ?? tempDir(scope),
    concurrency: options.concurrency ?? 2,
    engineGraceMs: options.engineGraceMs,
  });
  scope.after(async () => void (await builder.sweep(new Set()).catch(() => {})));
  return builder;
}

export const limits: RunLimits = {
  ...defaultLimits,
  memoryBytes: 256 * 2 ** 20,
  processes: 200,
  diskBytes: 256 * 2 ** 20,
  seconds: 120,
  silenceSeconds: 60,
  logBytes: 2 ** 20,
};

let runs = 0;

/** A request for a shell script. */
export function scriptRequest(
  image: string,
  script: string,
  more: Partial<RunRequest> = {},
): RunRequest {
  return {
    id: `test-${(runs += 1)}`,
    key: 'test',
    image,
    command: ['sh', '-euc', script],
    sourceDateEpoch: 1_700_000_000,
    network: 'None',
    limits,
    ...more,
  };
}

export interface Kept extends RunStreams {
  readonly log: string;
  readonly bytes: Buffer;
  readonly files: Readonly<Record<string, Buffer>>;
}

/** Keeps everything in memory. */
export function keep(source: () => Readable = () => treeOf({ README: 'nothing\n' })): Kept {
  const log: Buffer[] = [];
  const files: Record<string, Buffer> = {};
  return {
    source,
    keptLog: () => Buffer.concat(log).length,
    writeLog: (bytes) => void log.push(bytes),
    artifact: async (name, _size, content) => {
      files[name] = await buffer(content);
    },
    get bytes() {
      return Buffer.concat(log);
    },
    get log() {
      return Buffer.concat(log).toString();
    },
    files,
  };
}

/** A tree of files, as a tar stream; those that begin with #! can be run. */
export function treeOf(files: Readonly<Record<string, string>>): Readable {
  return writeTar(async (put) => {
    for (const [name, content] of Object.entries(files)) {
      await put({ name, mode: content.startsWith('#!') ? 0o755 : 0o644 }, content);
    }
  });
}
