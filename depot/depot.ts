/**
 * The depot's contracts. A blob is bytes named by their SHA-256 (64 hex digits). A tree is an
 * immutable, sorted list of `path → (sha256, size)`, itself a blob. See README.md for the format.
 */
import type { Readable } from 'node:stream';
import type { PartialBlob } from './partial-blob.ts';

export interface Blob {
  readonly sha256: string;
  readonly size: number;
}

/**
 * All of these throw `BlobMissing` when there is no such blob, but `size`; and `DepotUnavailable`
 * when the blobs are elsewhere, and that can't be reached.
 */
export interface BlobReader {
  /** The size of a blob, or undefined when the depot doesn't have it. */
  size(sha256: string): Promise<number | undefined>;
  /**
   * A local file with the blob's bytes, fetched first where they aren't at hand. Open it at once:
   * what nobody has asked for in a while may make room for something else.
   */
  path(sha256: string): Promise<string>;
  /** The bytes from `start` to `end` (inclusive), all by default. */
  read(sha256: string, range?: { start?: number; end?: number }): Promise<Readable>;
  /** The whole blob, for small ones; throws `TooLarge` above `maxBytes`. */
  bytes(sha256: string, maxBytes?: number): Promise<Buffer>;
}

export interface BlobWriter {
  /**
   * Stores bytes that are in memory. Synchronous: used where thousands of small files arrive.
   * `isNew` spares the look whether the blob is here already; storing it again does no harm.
   */
  put(content: Uint8Array, expected?: Blob, options?: { readonly isNew?: boolean }): Blob;
  /**
   * Stores a stream. When `expected` is given and the content differs, throws `HashMismatch`
   * (`TooLarge` as soon as it is longer) and leaves nothing behind.
   */
  write(content: AsyncIterable<Uint8Array>, expected?: Blob): Promise<Blob>;
  /** Makes every blob stored so far survive a power cut. Call it before a reference is flipped. */
  sync(): Promise<void>;
}

/** Held by the garbage collector and by `fsck` alone. */
export interface BlobSweeper {
  /** Every blob. Those that come or go meanwhile may or may not be among them. */
  list(): AsyncIterable<StoredBlob>;
  /** Removes a blob; no error when it isn't there. */
  remove(sha256: string): Promise<void>;
}

/** A blob with its age, for a garbage collector's grace period. */
export interface StoredBlob extends Blob {
  /**
   * When it became visible, in milliseconds since the epoch. It is not renewed when the same bytes
   * come again.
   */
  readonly storedAt: number;
}

/** Every way to use blobs: what a store of them, local or in a bucket, offers. */
export interface Blobs extends BlobReader, BlobWriter, BlobSweeper {
  /** Those of many blobs that the depot doesn't have in their full size, each once. */
  lacking<B extends Blob>(wanted: Iterable<B>): Promise<readonly B[]>;
  /**
   * Begins a download into the depot, or goes on with one. Two at once for the same blob don't
   * disturb each other: the second starts afresh.
   */
  resume(sha256: string, size: number): Promise<PartialBlob>;
  /** Forgets downloads that nobody has gone on with for a week. */
  prunePartials(now: number): void;
  /** Reads a blob again: does it still match its name? */
  verify(sha256: string): Promise<boolean>;
  /** What goes wrong at the moment without anybody having asked, in words for people. */
  problems(): readonly string[];
  /** Syncs, as far as that can be done now. Files that streams still read stay open until they end. */
  close(): Promise<void>;
}

export interface TreeEntry {
  /** Relative, `/`-separated, no empty, `.` or `..` parts. */
  readonly path: string;
  readonly sha256: string;
  readonly size: number;
}

export interface TreeChild {
  readonly name: string;
  /** Present for files, absent for directories. */
  readonly file?: Blob;
}

export interface Tree {
  readonly digest: string;
  /** One entry by its exact path. */
  get(path: string): Promise<TreeEntry | undefined>;
  /** The names directly below a directory (`''` is the root), sorted; undefined if there is none. */
  children(directory: string): Promise<readonly TreeChild[] | undefined>;
  /** All entries in order, optionally only those below a directory. */
  entries(directory?: string): AsyncIterable<TreeEntry>;
}
