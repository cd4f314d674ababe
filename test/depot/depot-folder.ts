import { readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Scope } from '../world/temp.ts';

/** An empty folder for the time of a test. */
export async function folder(test: Scope): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'cairn-depot-'));
  test.after(() => rm(path, { recursive: true, force: true }));
  return path;
}

/** Files that are being written, or were left behind by somebody who wrote them. */
export function draftsIn(root: string): string[] {
  const found = readdirSync(join(root, 'tmp'), { withFileTypes: true, recursive: true });
  return found.filter((entry) => entry.isFile()).map(({ name }) => name);
}

export function markersIn(root: string): string[] {
  return readdirSync(root).filter((name) => name.startsWith('unsynced-'));
}
