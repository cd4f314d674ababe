import type { Readable } from 'node:stream';

/** A pool file that a lazy mirror lists and the depot does not hold yet. */
export interface LazyRequest {
  readonly mirror: string;
  readonly namespace: string;
  /** The upstream archive. */
  readonly url: string;
  /** The file, relative to it. */
  readonly path: string;
  readonly sha256: string;
  /** Bytes. */
  readonly size: number;
}

export interface LazyFile {
  /** Bytes of the whole file. */
  readonly size: number;
  /**
   * The bytes from `start` to `end` (inclusive). May begin before the download is complete; fails,
   * short of the last byte, when the bytes turn out to be wrong.
   */
  stream(range?: { readonly start: number; readonly end: number }): Promise<Readable>;
}

/** Fetches what somebody asks for first; requests for the same file share one download. */
export interface LazyPool {
  /** Throws `FileMissing` when upstream no longer has it; other `CairnError`s when it can't say. */
  fetch(request: LazyRequest, signal: AbortSignal): Promise<LazyFile>;
}
