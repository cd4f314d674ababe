import { createHash } from 'node:crypto';
import { closeSync, createReadStream, openSync, readdirSync, statSync, writeSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { StoredBlob } from './depot.ts';
import { fanOut, isSha256, type Layout } from './layout.ts';

/** Every visible blob, by name. Blobs that come or go meanwhile may or may not be among them. */
export async function* listBlobs(layout: Layout): AsyncGenerator<StoredBlob> {
  for (const prefix of fanOut()) {
    const directory = join(layout.blobs, prefix);
    for (const sha256 of (await readdir(directory)).sort()) {
      if (!isSha256(sha256) || !sha256.startsWith(prefix)) continue;
      const stat = statSync(join(directory, sha256), { throwIfNoEntry: false });
      // The inode's change time: a rename sets it, and nobody can set it back.
      if (stat?.isFile()) yield { sha256, size: stat.size, storedAt: stat.ctimeMs };
    }
  }
}

/** The names in all directories of blobs. */
export function blobNames(layout: Layout): ReadonlySet<string> {
  return new Set(fanOut().flatMap((prefix) => readdirSync(join(layout.blobs, prefix))));
}

/** SHA-256 of a file, in hex. */
export async function hashFile(file: string): Promise<string> {
  const hash = createHash('sha256');
  const content: AsyncIterable<Buffer> = createReadStream(file, { highWaterMark: 1024 * 1024 });
  for await (const chunk of content) hash.update(chunk);
  return hash.digest('hex');
}

/** Writes a new file. A full disk shows first as a short write, only then as an error: so loop. */
export function writeNewFile(file: string, content: Uint8Array): void {
  const fd = openSync(file, 'wx', 0o644);
  try {
    let done = 0;
    while (done < content.length) done += writeSync(fd, content, done);
  } finally {
    closeSync(fd);
  }
}
