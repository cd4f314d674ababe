import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { DockerBuilder } from '../builders/docker/index.ts';
import { BuildKind, type Build } from '../crds/build.ts';
import type { StoreReader } from '../crds/store.ts';
import type { OwnSecrets } from '../reconcilers/signing/key-store.ts';
import { replaceDurably } from '../depot/durable.ts';
import { engineCertificates } from './docker-tls.ts';
import type { Log } from './log.ts';

/** The Docker engine that builds run on. */
export interface DockerOptions {
  /** The path of its socket, `unix:///path` or `tcp://host:port`. */
  readonly address: string;
  /** Of certificates, see `engineCertificates`; without, `tcp://` is plain. */
  readonly tlsFolder?: string | undefined;
  /** An image of it that has mmdebstrap, which root file systems are made with; one is made when left out. */
  readonly toolbox?: string | undefined;
  /** How many builds at once. */
  readonly concurrency: number;
}

/** Where Builds that are not through have their folders. */
export function buildsFolder(data: string): string {
  return join(data, 'builds');
}

/**
 * Opens a builder whose containers are told from those of every other Cairn on that engine: by `owner`, or else by a name that
 * this data directory has.
 */
export async function openBuilder(
  data: string,
  docker: DockerOptions,
  owner: string | undefined,
): Promise<DockerBuilder> {
  // Loaded only where something is built: its client of the engine brings gRPC along.
  const { openDockerBuilder } = await import('../builders/docker/index.ts');
  const folder = join(data, 'builder');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { address, tlsFolder } = docker;
  const tls = tlsFolder === undefined ? undefined : () => engineCertificates(tlsFolder);
  tls?.(); // what is wrong with them is said at the start
  return openDockerBuilder({
    engine: { address, tls },
    owner: owner ?? ownerIn(folder),
    folder: join(folder, 'runs'),
    toolbox: docker.toolbox,
    concurrency: docker.concurrency,
  });
}

/**
 * The name by which an engine knows all that work on the Builds of a namespace, or of all of them: one after the other, each
 * perhaps with a data directory of its own.
 */
export async function sharedOwner(secrets: OwnSecrets, namespace: string | undefined) {
  const text = `${await secrets.ownSecret('builder')}\n${namespace ?? ''}`;
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}

/** What a data directory of one's own has of Builds is from when this replica led last: others have gone on since. */
export async function forgetBuilds(data: string): Promise<void> {
  await rm(buildsFolder(data), { recursive: true, force: true });
}

/** A name that this data directory keeps for ever. */
function ownerIn(folder: string): string {
  const file = join(folder, 'owner');
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
  const owner = randomBytes(6).toString('hex');
  replaceDurably(file, `${owner}\n`);
  return owner;
}

/** Says whether the engine does what builds need; when it doesn't, each Build says so, too. */
export async function tellEngine(builder: Pick<DockerBuilder, 'health'>, log: Log): Promise<void> {
  const health = await builder.health();
  if (health.ok) log.info('Docker is there for builds', { version: health.version });
  else log.warn('no builds for now', { because: health.message });
}

const sweepEveryMs = 3_600_000;

/** Removes what is left of Builds that nobody knows any more: now, and every hour. Gives what ends it. */
export function sweepBuilds(
  builder: DockerBuilder,
  store: Pick<StoreReader, 'list'>,
  { isLeading, log }: { readonly isLeading: () => boolean; readonly log: Log },
): () => void {
  const sweep = async () => {
    // Who wakes up after a while may not know of what others have begun since.
    if (!isLeading()) return;
    const { items } = await store.list(BuildKind.kind);
    const builds = items as readonly Build[];
    const open = builds.filter(({ status }) => status.finishedAt === undefined);
    const swept = await builder.sweep(new Set(open.map(({ metadata }) => metadata.uid)));
    if (swept.containers > 0 || swept.images > 0) log.info('builds swept', { ...swept });
  };
  const attempt = () =>
    void sweep().catch((error: unknown) =>
      log.warn('builds not swept', { because: String(error) }),
    );
  attempt();
  const timer = setInterval(attempt, sweepEveryMs).unref();
  return () => clearInterval(timer);
}
