/** Packages made to confuse or to exhaust whoever reads them, and that they are refused. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { constants, gzipSync, zstdCompressSync } from 'node:zlib';
import type { DebLimits } from '../../apt/deb.ts';
import { handMade, plainControl, read, type DebParts } from './debs.ts';
import { rawTar, type RawEntry } from './raw-tar.ts';
import { run } from './tools.ts';

export const megabyte = 2 ** 20;

/** The entry that every control.tar has. */
export const control: RawEntry = { name: './control', content: plainControl };

export async function isRefused(
  bytes: Uint8Array,
  message: RegExp,
  limits: Partial<DebLimits> = {},
): Promise<void> {
  await assert.rejects(read(bytes, { contents: true, limits }), {
    name: 'CairnError',
    reason: 'PackageInvalid',
    remedy: 'stall',
    message,
  });
}

/** A test that a package with this part is refused. */
export function refuses(
  title: string,
  parts: DebParts,
  message: RegExp,
  limits?: Partial<DebLimits>,
): void {
  it(title, () => isRefused(handMade(parts), message, limits));
}

export function controlOf(...entries: RawEntry[]): DebParts {
  return { controlArchive: ['control.tar', rawTar(entries)] };
}

export function dataOf(...entries: RawEntry[]): DebParts {
  return { dataArchive: ['data.tar', rawTar(entries)] };
}

/** The same content in each compression, by its extension. */
export function compressed(content: Buffer): [string, Buffer][] {
  const best = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };
  return [
    ['.gz', gzipSync(content, { level: 1 })],
    ['.zst', zstdCompressSync(content, best)],
    ['.xz', run('xz', ['-0c'], { input: content })],
  ];
}
