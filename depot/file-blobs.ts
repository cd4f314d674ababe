import { hash } from 'node:crypto';
import { createReadStream, openSync, renameSync, rmSync, statSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { CairnError } from '../crds/reasons.ts';
import { blobNames, hashFile, listBlobs, writeNewFile, type StoredBlob } from './blob-files.ts';
import type { Blob, BlobReader, BlobWriter } from './depot.ts';
import { Draft } from './draft.ts';
import { blobMissing, checkExpected, isCode, namedFailure, tooLarge } from './failures.ts';
import { Journal } from './journal.ts';
import { Layout } from './layout.ts';
import { PartialBlob, prunePartials, takePartial } from './partial-blob.ts';
import { recover, type Recovery } from './recovery.ts';

export type { StoredBlob } from './blob-files.ts';
export type { PartialBlob } from './partial-blob.ts';
export type { Recovery } from './recovery.ts';

/** Held by the garbage collector and by `fsck` alone. */
export interface BlobSweeper {
  /** Every blob. Those that come or go meanwhile may or may not be among them. */
  list(): AsyncIterable<StoredBlob>;
  /** Removes a blob; no error when it isn't there. */
  remove(sha256: string): Promise<void>;
}

export interface BlobsOptions {
  /** Heal what a dead process left behind. For the main process alone, before anyone else opens. */
  readonly recover?: boolean;
  /** The program that knows `-f DIRECTORY`: coreutils' `sync` unless told otherwise. */
  readonly syncCommand?: string;
}

/** What `bytes` reads at most when its caller doesn't say. */
const maxBytesInMemory = 256 * 1024 * 1024;
/** More looks than this at single files take longer than reading the directories of most depots. */
const manyLooks = 10_000;
const readBuffer = { min: 4 * 1024, max: 1024 * 1024 };

/**
 * Opens a depot on the file system, making its directories. Any number of instances may be open at
 * once, in threads and processes; each syncs what it stored itself. Throws `DepotFull`.
 */
export async function openBlobs(root: string, options: BlobsOptions = {}): Promise<FileBlobs> {
  const { syncCommand = 'sync' } = options;
  const layout = new Layout(root);
  try {
    layout.make();
    const recovery = options.recover ? await recover(layout, syncCommand) : undefined;
    return new FileBlobs(layout, new Journal(layout, syncCommand), recovery);
  } catch (error) {
    throw namedFailure(error);
  }
}

/** Blobs as files. A visible file is complete and matches its name: it gets there by a rename. */
export class FileBlobs implements BlobReader, BlobWriter, BlobSweeper {
  /** What was found when this was opened with `recover`. */
  readonly recovery: Recovery | undefined;
  readonly #layout: Layout;
  readonly #journal: Journal;

  constructor(layout: Layout, journal: Journal, recovery?: Recovery) {
    this.#layout = layout;
    this.#journal = journal;
    this.recovery = recovery;
  }

  size(sha256: string): number | undefined {
    const stat = statSync(this.#layout.blob(sha256), { throwIfNoEntry: false });
    if (stat !== undefined) this.#journal.seen(stat.ctimeMs);
    return stat?.size;
  }

  /**
   * Those of many blobs that are not here in their full size, each once. Where hardly any is here,
   * reading the directories is quicker than a look at each.
   */
  lacking<B extends Blob>(wanted: Iterable<B>): readonly B[] {
    const all = new Map([...wanted].map((blob) => [blob.sha256, blob])).values().toArray();
    const known = all.length > manyLooks ? blobNames(this.#layout) : undefined;
    const isHere = ({ sha256, size }: B) =>
      known?.has(sha256) !== false && this.size(sha256) === size;
    return all.filter((blob) => !isHere(blob));
  }

  path(sha256: string): string {
    if (this.size(sha256) === undefined) throw blobMissing(sha256);
    return this.#layout.blob(sha256);
  }

  read(sha256: string, range: { start?: number; end?: number } = {}): Readable {
    const file = this.#layout.blob(sha256);
    const size = this.size(sha256) ?? 0;
    const length = Math.min(range.end ?? size, size) - (range.start ?? 0);
    const highWaterMark = Math.min(Math.max(length + 1, readBuffer.min), readBuffer.max);
    // Opened here and now, so that a blob that is missing is an exception and not a broken stream.
    return createReadStream(file, { ...range, highWaterMark, fd: openBlob(file, sha256) });
  }

  async bytes(sha256: string, maxBytes = maxBytesInMemory): Promise<Buffer> {
    const size = this.size(sha256);
    if (size === undefined) throw blobMissing(sha256);
    if (size > maxBytes) {
      throw new CairnError('TooLarge', `blob ${sha256} has ${size} bytes, more than ${maxBytes}`);
    }
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

  /**
   * Begins a download, or goes on with one. Two at once for the same blob don't disturb each
   * other: the second starts afresh.
   */
  async resume(sha256: string, size: number): Promise<PartialBlob> {
    const draft = await takePartial(this.#layout, { sha256, size });
    const publish = (file: string, blob: Blob) => this.#publish(file, blob);
    return new PartialBlob({ sha256, size }, draft, { layout: this.#layout, publish });
  }

  /** Forgets downloads that nobody has gone on with for a week. */
  prunePartials(now: number): void {
    prunePartials(this.#layout, now);
  }

  sync(): Promise<void> {
    return this.#journal.sync();
  }

  list(): AsyncIterable<StoredBlob> {
    return listBlobs(this.#layout);
  }

  async remove(sha256: string): Promise<void> {
    await rm(this.#layout.blob(sha256), { force: true });
  }

  /** Reads a blob again: does it still match its name? Throws `BlobMissing`. */
  async verify(sha256: string): Promise<boolean> {
    return (await hashFile(this.path(sha256))) === sha256;
  }

  /** Syncs. Files that streams still read stay open until they end. */
  close(): Promise<void> {
    return this.sync();
  }

  /** Whether a blob is here, in its full size. One that isn't was damaged, and is replaced. */
  #has({ sha256, size }: Blob): boolean {
    const stat = statSync(this.#layout.blob(sha256), { throwIfNoEntry: false });
    if (stat?.size !== size) return false;
    this.#journal.relyingOn(sha256, stat.ctimeMs);
    return true;
  }

  /** Synchronous, so that no sync can come between the journal's note and the rename. */
  #publish(draft: string, blob: Blob): void {
    this.#journal.storing(blob.sha256);
    renameSync(draft, this.#layout.blob(blob.sha256));
  }
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
