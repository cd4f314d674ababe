/**
 * The depot's contracts. A blob is bytes named by their SHA-256 (64 hex digits). A tree is an
 * immutable, sorted list of `path → (sha256, size)`, itself a blob. See README.md for the format.
 */
import type { Readable } from 'node:stream';

export interface Blob {
  readonly sha256: string;
  readonly size: number;
}

export interface BlobReader {
  /** The size of a blob, or undefined when it isn't here. Synchronous: one stat of a local file. */
  size(sha256: string): number | undefined;
  /** A local file with the blob's bytes; throws `BlobMissing`. For sendfile-like use. */
  path(sha256: string): string;
  /** The bytes from `start` to `end` (inclusive), all by default; throws `BlobMissing`. */
  read(sha256: string, range?: { start?: number; end?: number }): Readable;
  /** The whole blob, for small ones; throws `BlobMissing`, and `TooLarge` above `maxBytes`. */
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
