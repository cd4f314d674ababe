import { CairnError } from '../../crds/reasons.ts';
import { blobMissing, largerThan } from '../failures.ts';
import type { FileBlobs } from '../file-blobs.ts';
import type { PartialBlob } from '../partial-blob.ts';
import { Budget } from './budget.ts';
import { unavailable } from './failures.ts';
import { keyOf } from './keys.ts';
import type { KnownBlobs } from './known.ts';
import type { Reading, S3Bucket } from './s3-bucket.ts';

const mostAtOnce = 32;
/** A transfer that breaks off is gone on with so many times. */
const attempts = 4;

/** Brings blobs from the bucket into the cache, verified, each once however many ask for it. */
export class Downloads {
  readonly #bucket: S3Bucket;
  readonly #cache: FileBlobs;
  readonly #known: KnownBlobs;
  readonly #budget = new Budget(mostAtOnce, Infinity);
  readonly #running = new Map<string, Promise<void>>();

  constructor(parts: { bucket: S3Bucket; cache: FileBlobs; known: KnownBlobs }) {
    this.#bucket = parts.bucket;
    this.#cache = parts.cache;
    this.#known = parts.known;
  }

  /** Throws `BlobMissing`, `TooLarge` above `maxBytes`, and `HashMismatch` for wrong bytes. */
  fetch(sha256: string, maxBytes = Infinity): Promise<void> {
    const running = this.#running.get(sha256);
    if (running) return running;
    const fetching = this.#budget
      .use(0, () => this.#fetch(sha256, maxBytes))
      .finally(() => this.#running.delete(sha256));
    this.#running.set(sha256, fetching);
    return fetching;
  }

  async #fetch(sha256: string, maxBytes: number): Promise<void> {
    const reading = await this.#read(sha256, 0);
    const { size } = reading;
    if (size > maxBytes) {
      await drop(reading);
      throw largerThan(maxBytes, { sha256, size });
    }
    const partial = await this.#cache.resume(sha256, size);
    let isWhole = false;
    try {
      await this.#fill(partial, sha256, reading);
      isWhole = true;
    } finally {
      if (!isWhole) await partial.close();
    }
    await partial.commit().catch((error: unknown) => this.#refuse(sha256, error));
    this.#known.add(sha256, size);
  }

  /** Takes what comes, and asks for the rest when it breaks off. */
  async #fill(partial: PartialBlob, sha256: string, first: Reading): Promise<void> {
    let reading: Reading | undefined = partial.offset === 0 ? first : undefined;
    if (!reading) await drop(first);
    for (let attempt = 1; partial.offset < first.size; attempt += 1) {
      reading ??= await this.#read(sha256, partial.offset);
      try {
        for await (const chunk of reading.content) await partial.write(chunk);
      } catch (error) {
        if (error instanceof CairnError || attempt >= attempts) {
          throw unavailable(this.#bucket.url, `read ${keyOf(sha256)} to its end`, error);
        }
      }
      reading = undefined;
      if (attempt >= attempts && partial.offset < first.size) {
        throw unavailable(this.#bucket.url, `read ${keyOf(sha256)} to its end`, 'it broke off');
      }
    }
  }

  async #read(sha256: string, start: number): Promise<Reading> {
    try {
      return await this.#bucket.read(keyOf(sha256), start);
    } catch (error) {
      const isGone = error instanceof CairnError && error.reason === 'BlobMissing';
      throw isGone ? blobMissing(sha256, error) : error;
    }
  }

  #refuse(sha256: string, error: unknown): never {
    if (!(error instanceof CairnError) || error.reason !== 'HashMismatch') throw error;
    const what = `the object ${keyOf(sha256)} of the bucket ${this.#bucket.url} has other bytes`;
    throw new CairnError('HashMismatch', `${what} than its name says; remove it`, { cause: error });
  }
}

/** Reads no further. */
async function drop({ content }: Reading): Promise<void> {
  await content[Symbol.asyncIterator]().return?.();
}
