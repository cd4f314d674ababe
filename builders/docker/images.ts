import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type Docker from 'dockerode';
import type { Context } from './context.ts';
import { statusOf } from './engine.ts';
import { labels } from './labels.ts';

export type ImageKind = 'toolbox' | 'base' | 'layer';

/** What an image is, and the digest of everything that it was made of. */
export interface ImageName {
  readonly kind: ImageKind;
  readonly key: string;
}

const tagLength = 40;

/** `repository:tag`: images without one are what `docker image prune` removes. */
export function tagOf({ owner }: Context, { kind, key }: ImageName): string {
  return `${repositoryOf(owner, kind)}:${key.slice(0, tagLength)}`;
}

function repositoryOf(owner: string, kind: ImageKind): string {
  return `cairn-${owner}/${kind}`;
}

/** The id of the image that was made of the same, and notes that it was used. */
export async function findImage(context: Context, name: ImageName): Promise<string | undefined> {
  const found = await inspectImage(context, tagOf(context, name));
  if (found?.Config.Labels?.[labels.key] !== name.key) return undefined;
  noteUse(context, name);
  return found.Id;
}

/** The image that was made of the same, else one that is made now: once, however many ask for it meanwhile. */
export async function ensureImage(
  context: Context,
  name: ImageName,
  make: () => Promise<string>,
): Promise<string> {
  const { making } = context;
  const tag = tagOf(context, name);
  const found = making.get(tag) ?? (await findImage(context, name));
  if (found !== undefined) return await found;
  const made = making.get(tag) ?? make();
  making.set(tag, made);
  try {
    return await made;
  } finally {
    making.delete(tag);
  }
}

/** What the engine knows of an image; undefined when it doesn't have it. */
export async function inspectImage(
  { docker }: Context,
  name: string,
): Promise<Docker.ImageInspectInfo | undefined> {
  try {
    return await docker.getImage(name).inspect();
  } catch (error) {
    if (statusOf(error) === 404) return undefined;
    throw error;
  }
}

/** Whether an image was made here. */
export function isOwn(
  { owner }: Context,
  { Config: { Labels } }: Pick<Docker.ImageInspectInfo, 'Config'>,
): boolean {
  return Labels?.[labels.owner] === owner && Labels[labels.image] !== undefined;
}

/** Makes an image of a root file system. A stream that ends with an error leaves none. Gives its id. */
export async function importImage(
  context: Context,
  name: ImageName,
  tar: Readable,
): Promise<string> {
  const { docker, owner } = context;
  const [repo, tag] = [repositoryOf(owner, name.kind), name.key.slice(0, tagLength)];
  // Nothing is sent before the first bytes, and an engine hangs up after five minutes of nothing.
  await once(tar, 'readable');
  const answer = await docker.importImage(tar, { repo, tag, changes: changesFor(context, name) });
  await followToEnd(docker, answer);
  return await mustFind(context, name);
}

/** Makes an image of what a container has become. Gives its id. */
export async function commitImage(
  context: Context,
  name: ImageName,
  container: Docker.Container,
): Promise<string> {
  const [repo, tag] = [repositoryOf(context.owner, name.kind), name.key.slice(0, tagLength)];
  await container.commit({ repo, tag, changes: changesFor(context, name), pause: false });
  return await mustFind(context, name);
}

function changesFor({ owner }: Context, { kind, key }: ImageName): string {
  const words = {
    [labels.owner]: owner,
    [labels.image]: kind,
    [labels.key]: key,
    [labels.role]: '',
  };
  const pairs = Object.entries(words).map(([label, value]) => `${label}="${value}"`);
  return [`LABEL ${pairs.join(' ')}`, 'ENTRYPOINT []', 'CMD ["/bin/sh"]'].join('\n');
}

async function mustFind(context: Context, name: ImageName): Promise<string> {
  const id = await findImage(context, name);
  if (id === undefined) throw new Error(`Docker has not kept the image ${tagOf(context, name)}`);
  return id;
}

/** Reads the engine's account of a long operation, whose failure is only told in there. */
export async function followToEnd(docker: Docker, answer: NodeJS.ReadableStream): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    docker.modem.followProgress(answer, (error: Error | null, events: unknown[] = []) => {
      const failures = events.flatMap(failureIn);
      if (error) reject(error);
      else if (failures.length > 0) reject(new Error(failures[0]));
      else resolve();
    });
  });
}

/** As `errorDetail`; `error`, which repeats it, goes away ("Engine API version history", v1.48). */
function failureIn(event: unknown): readonly string[] {
  const { error, errorDetail } = Object(event);
  const message = Object(errorDetail).message ?? error;
  return message === undefined ? [] : [String(message)];
}

/** The engine doesn't say when an image was used. */
function noteUse(context: Context, { kind, key }: ImageName): void {
  const file = useFile(context, kind, key);
  const now = new Date();
  try {
    utimesSync(file, now, now);
  } catch {
    mkdirSync(join(context.folder, 'used'), { recursive: true });
    writeFileSync(file, '');
  }
}

/** Touched when the image is used. */
export function useFile({ folder }: Context, kind: string, key: string): string {
  const safe = createHash('sha256').update(`${kind} ${key}`).digest('hex');
  return join(folder, 'used', safe);
}
