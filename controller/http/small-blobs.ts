import type { BlobReader } from '../../depot/depot.ts';
import { Lru } from './lru.ts';

/** Bytes up to which a blob is kept in memory when somebody asks for it. */
export const smallBlob = 256 * 1024;
const memory = 64 * 1024 * 1024;

/** The small blobs that were asked for last, in memory. */
export class SmallBlobs {
  readonly #blobs: Pick<BlobReader, 'bytes'>;
  readonly #kept = new Lru<Buffer>(memory);
  readonly #loading = new Map<string, Promise<Buffer>>();

  constructor(blobs: Pick<BlobReader, 'bytes'>) {
    this.#blobs = blobs;
  }

  kept(sha256: string): Buffer | undefined {
    return this.#kept.get(sha256);
  }

  /** Reads it, once however many ask at a time. Throws as `BlobReader.bytes`. */
  async load(sha256: string): Promise<Buffer> {
    const running = this.#loading.get(sha256) ?? this.#read(sha256);
    this.#loading.set(sha256, running);
    return running;
  }

  async #read(sha256: string): Promise<Buffer> {
    try {
      const bytes = await this.#blobs.bytes(sha256, smallBlob);
      this.#kept.set(sha256, bytes, bytes.length + 256);
      return bytes;
    } finally {
      this.#loading.delete(sha256);
    }
  }
}
