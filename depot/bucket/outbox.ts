import { linkSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Blob } from '../depot.ts';
import { isCode } from '../failures.ts';
import { isSha256 } from '../layout.ts';

/**
 * The blobs that are not in the bucket yet: a folder with a hard link to each. It is linked before
 * the blob becomes visible and unlinked when the bucket has it, so a `kill -9` loses none, and what
 * is linked here is safe from whoever makes room.
 */
export class Outbox {
  readonly #folder: string;

  constructor(root: string) {
    this.#folder = join(root, 'outbox');
    mkdirSync(this.#folder, { recursive: true });
  }

  /** Where the bytes of a blob are while it waits. */
  file(sha256: string): string {
    return `${this.#folder}/${sha256}`;
  }

  /** Links a complete file in, unless one is there. False when the file is gone. */
  add(sha256: string, file: string): boolean {
    try {
      linkSync(file, this.file(sha256));
    } catch (error) {
      if (isCode(error, 'ENOENT')) return false;
      if (!isCode(error, 'EEXIST')) throw error;
    }
    return true;
  }

  size(sha256: string): number | undefined {
    return statSync(this.file(sha256), { throwIfNoEntry: false })?.size;
  }

  remove(sha256: string): void {
    rmSync(this.file(sha256), { force: true });
  }

  /** All that wait, of other threads and dead processes too, with the time they were linked. */
  list(): readonly (Blob & { readonly since: number })[] {
    return readdirSync(this.#folder)
      .filter(isSha256)
      .flatMap((sha256) => {
        const stat = statSync(this.file(sha256), { throwIfNoEntry: false });
        return stat ? [{ sha256, size: stat.size, since: stat.ctimeMs }] : [];
      });
  }
}
