import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { mustRun } from './process.ts';

export type Compression = '' | '.gz' | '.xz' | '.bz2' | '.zst';

const tools = {
  '.xz': ['xz', '-1', '--threads=1'],
  '.bz2': ['bzip2', '-1'],
  '.zst': ['zstd', '-3', '-q', '--rm'],
} as const;

/** Compresses many contents, with one run of the command line tool. The order is kept. */
export async function compressAll(
  contents: readonly Uint8Array[],
  compression: Compression,
): Promise<Uint8Array[]> {
  if (compression === '' || contents.length === 0) return [...contents];
  if (compression === '.gz') return contents.map((content) => gzipSync(content, { level: 6 }));
  const folder = await mkdtemp(path.join(tmpdir(), 'cairn-compress-'));
  try {
    const files = contents.map((_, index) => path.join(folder, String(index)));
    for (const [index, file] of files.entries()) {
      await writeFile(file, contents[index] ?? new Uint8Array());
    }
    const [tool, ...flags] = tools[compression];
    await mustRun(tool, [...flags, ...files], { timeoutMs: 600_000 });
    return await Promise.all(files.map((file) => readFile(`${file}${compression}`)));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
