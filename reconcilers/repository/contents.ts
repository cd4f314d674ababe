import { packBlock } from '../../apt/write/blocks.ts';
import { ContentsLines } from '../../apt/write/contents-lines.ts';
import { FileHasher, type FileFacts } from '../../apt/write/file-facts.ts';
import { IndexFile } from '../../apt/write/index-file.ts';
import { fieldOf } from '../../apt/write/stanzas.ts';
import type { Blobs } from '../../depot/depot.ts';
import { listedFiles, type FileLists } from './file-lists.ts';

/** A package, as Contents needs it. */
export interface ListedDeb {
  readonly sha256: string;
  /** `net/curl`, `contrib/net/curl`, or `curl` alone. */
  readonly name: string;
}

export interface ContentsFacts {
  readonly plain: FileFacts;
  readonly gz: FileFacts;
}

/** The packages of an index. */
export function debsOf(gz: Buffer): ListedDeb[] {
  return Array.from(new IndexFile(gz).entries(), ({ package: name, text }) => {
    const section = fieldOf(text, 'Section');
    const sha256 = fieldOf(text, 'SHA256') ?? '';
    return {
      sha256: ownText(sha256),
      name: ownText(section === undefined ? name : `${section}/${name}`),
    };
  });
}

/** A part of a text keeps all of it in memory. */
function ownText(part: string): string {
  return Buffer.from(part).toString();
}

/**
 * Stores a Contents index of packages whose lists are there, as .gz; its bytes depend on the
 * packages alone. Throws `TooLarge` when it would have more than any archive's.
 */
export async function makeContents(
  blobs: Blobs,
  debs: readonly ListedDeb[],
  lists: FileLists,
): Promise<ContentsFacts> {
  const sorted = new ContentsLines();
  for (const { sha256, name } of debs) {
    sorted.add(name, await listedFiles(blobs, lists, sha256));
  }
  const plain = new FileHasher();
  const gz = new FileHasher();
  await blobs.write(packed(sorted.lines(), plain, gz));
  return { plain: plain.facts(), gz: gz.facts() };
}

const perBlock = 1024 * 1024;

/** As members of a gzip file, each of about so many characters. */
async function* packed(
  lines: Iterable<string>,
  plain: FileHasher,
  gz: FileHasher,
): AsyncGenerator<Buffer> {
  for (const text of inPieces(lines)) {
    plain.update(text);
    const block = packBlock('', text).packed;
    gz.update(block);
    yield block;
  }
}

/** At least one, which may be empty. */
function* inPieces(lines: Iterable<string>): Generator<Buffer> {
  let waiting: string[] = [];
  let length = 0;
  let isAny = false;
  for (const line of lines) {
    waiting.push(line);
    length += line.length;
    if (length < perBlock) continue;
    yield Buffer.from(waiting.join(''));
    isAny = true;
    waiting = [];
    length = 0;
  }
  if (waiting.length > 0 || !isAny) yield Buffer.from(waiting.join(''));
}
