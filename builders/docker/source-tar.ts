import type { Readable } from 'node:stream';
import type { Header } from 'tar-stream';
import { builderGroup, builderId } from './build-user.ts';
import { readTar, writeTar, type PutEntry, type TarHeader } from './tar.ts';

export interface SourceOptions {
  /** Seconds since 1970; the time of every file. */
  readonly epoch: number;
  readonly mostBytes: number;
}

/** A source tree that is not put into a container. */
export class SourceInvalid extends Error {
  override readonly name = 'SourceInvalid';
}

const mostEntries = 500_000;
const mostName = 1024;

/**
 * The same tree as a tar stream for `/build`: below `source/`, all of the builder's, all of one time, with modes of 755 and 644.
 * So what is built doesn't depend on who made the stream. Only files, folders and symbolic links pass, each at a place that
 * no link leads away from.
 */
export function sourceTar(tree: Readable, options: SourceOptions): Readable {
  return writeTar(async (put) => await copyAll(tree, put, options));
}

async function copyAll(
  tree: Readable,
  put: PutEntry,
  { epoch, mostBytes }: SourceOptions,
): Promise<void> {
  const links = new Set<string>();
  const mtime = new Date(epoch * 1000);
  let [entries, bytes] = [0, 0];
  for await (const { header, content } of readTar(tree)) {
    const name = cleanName(header.name);
    entries += 1;
    bytes += header.size;
    if (entries > mostEntries) {
      throw new SourceInvalid(`the source has more than ${mostEntries} files`);
    }
    if (bytes > mostBytes) throw new SourceInvalid(`the source has more than ${mostBytes} bytes`);
    checkPlace(name, links);
    if (header.type === 'symlink') links.add(name);
    const copied = headerOf(header, name, mtime);
    if (copied.type === 'file') await put(copied, content);
    else await put(copied);
  }
}

function headerOf(header: Header, name: string, mtime: Date): TarHeader {
  const common = {
    mtime,
    uid: builderId,
    gid: builderGroup,
    name: name === '' ? 'source' : `source/${name}`,
  };
  switch (header.type) {
    case 'directory':
      return { ...common, type: 'directory', mode: 0o755 };
    case 'symlink':
      return { ...common, type: 'symlink', mode: 0o777, linkname: linkOf(header, name) };
    case 'file':
    case 'contiguous-file': {
      const runs = (header.mode & 0o111) !== 0;
      return { ...common, type: 'file', mode: runs ? 0o755 : 0o644, size: header.size };
    }
    default:
      throw new SourceInvalid(`the source has ${JSON.stringify(name)}, which is a ${header.type}`);
  }
}

function linkOf({ linkname }: Header, name: string): string {
  if (linkname && linkname.length <= mostName && !linkname.includes('\0')) return linkname;
  throw new SourceInvalid(`the link ${JSON.stringify(name)} leads nowhere`);
}

/** '' for the root of the tree. */
function cleanName(name: string): string {
  const parts = name.split('/').filter((part) => part !== '' && part !== '.');
  if (name.startsWith('/') || parts.includes('..') || name.length > mostName || /\0/.test(name)) {
    throw new SourceInvalid(
      `the source has a file with the name ${JSON.stringify(name.slice(0, 200))}`,
    );
  }
  return parts.join('/');
}

function checkPlace(name: string, links: ReadonlySet<string>): void {
  if (links.has('')) throw new SourceInvalid('the source is a link');
  for (let at = name.indexOf('/'); at >= 0; at = name.indexOf('/', at + 1)) {
    if (links.has(name.slice(0, at))) {
      throw new SourceInvalid(`${JSON.stringify(name)} is in a folder that is a link`);
    }
  }
  if (links.has(name)) throw new SourceInvalid(`the source has ${JSON.stringify(name)} twice`);
}
