import { createHash } from 'node:crypto';
import { PassThrough, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type Docker from 'dockerode';
import type { Header } from 'tar-stream';
import type { Artifact } from '../results.ts';
import { buildFolder } from './build-user.ts';
import type { RunLimits, RunStreams } from './request.ts';
import { readTar } from './tar.ts';

/** What a build has left in its results is not what may be taken from there. */
export class ArtifactsRefused extends Error {
  override readonly name = 'ArtifactsRefused';
}

/** Of packages and of what goes with them: no folders, nothing hidden, nothing that a shell or a terminal would mind. */
const nameForm = /^[A-Za-z0-9][\w.+~:%=@,-]{0,254}$/;
const folder = 'results';

/** Hands the files of a stopped container's results folder on, one after the other. */
export async function takeArtifacts(
  container: Docker.Container,
  limits: RunLimits,
  sink: RunStreams['artifact'],
): Promise<readonly Artifact[]> {
  const archive = await container.getArchive({ path: `${buildFolder}/${folder}` });
  const taken: Artifact[] = [];
  let bytes = 0;
  for await (const { header, content } of readTar(Readable.from(archive))) {
    const name = nameOf(header);
    if (name === undefined) continue;
    const { size } = header;
    bytes += size;
    if (taken.length >= limits.artifacts) refuse(`more than ${limits.artifacts} files`);
    if (bytes > limits.artifactBytes) refuse(`more than ${limits.artifactBytes} bytes`);
    taken.push({ name, size, sha256: await handOn(content, name, size, sink) });
  }
  return taken.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** The name of a file; undefined for the folder itself. */
function nameOf(header: Header): string | undefined {
  const [top, name = '', ...further] = header.name.replace(/\/$/, '').split('/');
  const shown = JSON.stringify(header.name.slice(0, 300));
  if (top !== folder) refuse(`something outside of the folder: ${shown}`);
  if (name === '') {
    if (header.type !== 'directory') refuse(`no folder: the results are a ${header.type}`);
    return undefined;
  }
  if (header.type !== 'file') refuse(`${shown}, which is a ${header.type} and no file`);
  if (further.length > 0 || !nameForm.test(name)) refuse(`a file with the name ${shown}`);
  return name;
}

async function handOn(
  content: AsyncIterable<Buffer>,
  name: string,
  size: number,
  sink: RunStreams['artifact'],
): Promise<string> {
  const hash = createHash('sha256');
  const hashed = new PassThrough();
  const copied = pipeline(
    content,
    async function* (pieces: AsyncIterable<Buffer>) {
      for await (const bytes of pieces) {
        hash.update(bytes);
        yield bytes;
      }
    },
    hashed,
  );
  try {
    await Promise.all([copied, sink(name, size, hashed)]);
  } finally {
    hashed.destroy();
  }
  return hash.digest('hex');
}

function refuse(what: string): never {
  throw new ArtifactsRefused(`the build left ${what} in its results`);
}
