import { hash } from 'node:crypto';
import { createReadStream, openSync, renameSync, rmSync, statSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { blobNames, hashFile, listBlobs, writeNewFile } from './blob-files.ts';
import type { Blob, Blobs, StoredBlob } from './depot.ts';
import { Draft } from './draft.ts';
import {
  blobMissing,
  checkExpected,
  isCode,
  largerThan,
  namedFailure,
  tooLarge,
} from './failures.ts';
import { Journal } from './journal.ts';
import { Layout } from './layout.ts';
import type { Ledger } from './ledger.ts';
import { PartialBlob, prunePartials, takePartial } from './partial-blob.ts';
import { recover, type Recovery } from './recovery.ts';

export type { Recovery } from './recovery.ts';

export interface BlobsOptions {
  /**
   * Heal what a dead process left behind. For the main process alone, before anyone else opens; or
   * beside guests, for the one of several processes that may work.
   */
  readonly recover?: boolean | 'beside guests';
  /** A process that serves, and goes on when another one recovers the depot. */
  readonly guest?: boolean;
  /** The program that knows `-f DIRECTORY`: coreutils' `sync` unless told otherwise. */
  readonly syncCommand?: string;
}

/** What `bytes` reads at most when its caller doesn't say. */
export const maxBytesInMemory = 256 * 1024 * 1024;
/** More looks than this at single files take longer than reading the directories of most depots. */
const manyLooks = 10_000;
const readBuffer = { min: 4 * 1024, max: 1024 * 1024 };

/**
 * Opens a depot on the file system, making its directories. Any number of instances may be open at
 * once, in threads and processes; each syncs what it stored itself. Throws `DepotFull`.
 */
export async function openBlobs(root: string, options: BlobsOptions = {}): Promise<FileBlobs> {
  const { syncCommand = 'sync', recover: recovers = false, guest = false } = options;
  const layout = new Layout(root, { guest });
  try {
    layout.make();
    const guests = recovers === 'beside guests';
    const recovery = recovers ? await recover(layout, syncCommand, { guests }) : undefined;
    return new FileBlobs(layout, new Journal(layout, syncCommand), recovery);
  } catch (error) {
    throw namedFailure(error);
  }
}

/** Blobs as files. A visible file is complete and matches its name: it gets there by a rename. */
export class FileBlobs implements Blobs {
  /** What was found when this was opened with `recover`. */
  readonly recovery: Recovery | undefined;
  readonly #layout: Layout;
  readonly #ledger: Ledger;

  constructor(layout: Layout, ledger: Ledger, recovery?: Recovery) {
    this.#layout = layout;
    this.#ledger = ledger;
    this.recovery = recovery;
  }

  async size(sha256: string): Promise<number | undefined> {
    return this.#look(sha256);
  }

  async lacking<B extends Blob>(wanted: Iterable<B>): Promise<readonly B[]> {
    const all = eachOnce(wanted);
    // Where hardly any is here, reading the directories is quicker than a look at each.
    const known = all.length > manyLooks ? blobNames(this.#layout) : undefined;
    const isHere = ({ sha256, size }: B) =>
      known?.has(sha256) !== false && this.#look(sha256) === size;
    return all.filter((blob) => !isHere(blob));
  }

  async path(sha256: string): Promise<string> {
    if (this.#look(sha256) === undefined) throw blobMissing(sha256);
    return this.#layout.blob(sha256);
  }

  async read(sha256: string, range: { start?: number; end?: number } = {}): Promise<Readable> {
    const file = this.#layout.blob(sha256);
    const size = this.#look(sha256) ?? 0;
    const length = Math.min(range.end ?? size, size) - (range.start ?? 0);
    const highWaterMark = Math.min(Math.max(length + 1, readBuffer.min), readBuffer.max);
    // Opened here and now, so that a blob that is missing is a failure and not a broken stream.
    return createReadStream(file, { ...range, highWaterMark, fd: openBlob(file, sha256) });
  }

  async bytes(sha256: string, maxBytes = maxBytesInMemory): Promise<Buffer> {
    const size = this.#look(sha256);
    if (size === undefined) throw blobMissing(sha256);
    if (size > maxBytes) throw largerThan(maxBytes, { sha256, size });
    try {
      return await readFile(this.#layout.blob(sha256));
    } catch (error) {
      throw missingOr(error, sha256);
    }
  }

  put(content: Uint8Array, expected?: Blob, { isNew = false } = {}): Blob {
    if (expected !== undefined && content.length > expected.size) throw tooLarge(expected.size);
    const blob = { sha256: hash('sha256', content), size: content.length };
    checkExpected(blob, expected);
    if (!isNew && this.#has(blob)) return blob;
    const draft = this.#layout.draft();
    try {
      writeNewFile(draft, content);
      this.#publish(draft, blob);
      return blob;
    } catch (error) {
      rmSync(draft, { force: true });
      throw namedFailure(error);
    }
  }

  async write(content: AsyncIterable<Uint8Array>, expected?: Blob): Promise<Blob> {
    const draft = await Draft.open(this.#layout.draft(), expected?.size ?? Infinity);
    try {
      for await (const chunk of content) {
        const busy = draft.write(chunk);
        if (busy !== undefined) await busy;
      }
      const blob = await draft.finish();
      checkExpected(blob, expected);
      this.#publish(draft.file, blob);
      return blob;
    } catch (error) {
      await draft.discard();
      throw namedFailure(error);
    }
  }

  async resume(sha256: string, size: number): Promise<PartialBlob> {
    const draft = await takePartial(this.#layout, { sha256, size });
    const publish = (file: string, blob: Blob) => this.#publish(file, blob);
    return new PartialBlob({ sha256, size }, draft, { layout: this.#layout, publish });
  }

  prunePartials(now: number): void {
    prunePartials(this.#layout, now);
  }

  sync(): Promise<void> {
    return this.#ledger.sync();
  }

  list(): AsyncIterable<StoredBlob> {
    return listBlobs(this.#layout);
  }

  async remove(sha256: string): Promise<void> {
    await rm(this.#layout.blob(sha256), { force: true });
  }

  async verify(sha256: string): Promise<boolean> {
    return (await hashFile(await this.path(sha256))) === sha256;
  }

  problems(): readonly string[] {
    return [];
  }

  close(): Promise<void> {
    return this.sync();
  }

  #look(sha256: string): number | undefined {
    const stat = statSync(this.#layout.blob(sha256), { throwIfNoEntry: false });
    if (stat !== undefined) this.#ledger.seen(stat.ctimeMs);
    return stat?.size;
  }

  /** Whether a blob is here, in its full size. One that isn't was damaged, and is replaced. */
  #has({ sha256, size }: Blob): boolean {
    const stat = statSync(this.#layout.blob(sha256), { throwIfNoEntry: false });
    if (stat?.size !== size) return false;
    return this.#ledger.relyingOn(sha256, stat.ctimeMs);
  }

  /** Synchronous, so that no sync can come between the note and the rename. */
  #publish(draft: string, blob: Blob): void {
    this.#ledger.storing(blob.sha256, draft);
    renameSync(draft, this.#layout.blob(blob.sha256));
  }
}

/** Each blob once, but with each size that somebody says it has: not all of them can be right. */
export function eachOnce<B extends Blob>(blobs: Iterable<B>): readonly B[] {
  const once = new Map<string, B>();
  for (const blob of blobs) once.set(`${blob.sha256} ${blob.size}`, blob);
  return [...once.values()];
}

function openBlob(file: string, sha256: string): number {
  try {
    return openSync(file, 'r');
  } catch (error) {
    throw missingOr(error, sha256);
  }
}

function missingOr(error: unknown, sha256: string): unknown {
  return isCode(error, 'ENOENT') ? blobMissing(sha256, error) : error;
}
