import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type Docker from 'dockerode';
import { statusOf } from './engine.ts';
import { labels } from './labels.ts';
import { readTar, writeTar } from './tar.ts';

/** Beside what the build may write; root's alone. */
const file = '.cairn-note';
/** A log of what was done before a run is the most of it. */
const mostBytes = 64 * 2 ** 20;

/** For the label that tells a note from what somebody else has put there. */
export function noteDigest(note: Buffer): string {
  return createHash('sha256').update(note).digest('hex');
}

/** Puts a note into a container that has not been started yet. */
export async function putNote(container: Docker.Container, note: Buffer): Promise<void> {
  const tar = writeTar(async (put) => {
    const header = { name: file, mode: 0o400, mtime: new Date(0), uid: 0, gid: 0 };
    await put({ ...header, size: note.length }, Readable.from([note]) as AsyncIterable<Buffer>);
  });
  await container.putArchive(tar, { path: '/' });
}

/** The note that a container was begun with, as it was then; undefined when there is none such. */
export async function readNote(
  container: Docker.Container,
  { Config }: Pick<Docker.ContainerInspectInfo, 'Config'>,
): Promise<Buffer | undefined> {
  const digest = Config.Labels[labels.note];
  if (digest === undefined) return undefined;
  try {
    const archive = await container.getArchive({ path: `/${file}` });
    for await (const { header, content } of readTar(Readable.from(archive))) {
      if (header.type !== 'file' || (header.size ?? 0) > mostBytes) return undefined;
      const pieces = await Array.fromAsync(content);
      const note = Buffer.concat(pieces);
      return noteDigest(note) === digest ? note : undefined;
    }
  } catch (error) {
    if (statusOf(error) !== 404) throw error;
  }
  return undefined;
}
