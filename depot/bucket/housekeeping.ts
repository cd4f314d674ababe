import type { Cache } from './cache.ts';
import type { S3Bucket } from './s3-bucket.ts';

const everyMs = 10_000;
/** Who put it into the outbox is busy with it for so long, or dead. */
const abandonedMs = 5 * 60_000;
/** Uploads in parts take less than this, or nobody is at it any more. */
const staleUploadMs = 24 * 3_600_000;

/** What one instance of each process does now and then: room in the cache, and what others left. */
export class Housekeeping {
  readonly #cache: Cache;
  readonly #bucket: S3Bucket;
  readonly #adopt: (olderThan: number) => void;
  readonly #timer: NodeJS.Timeout;
  #tidied = -Infinity;
  #running: Promise<void> | undefined;
  #problem: string | undefined;

  constructor(parts: {
    readonly cache: Cache;
    readonly bucket: S3Bucket;
    readonly adopt: (olderThan: number) => void;
  }) {
    this.#cache = parts.cache;
    this.#bucket = parts.bucket;
    this.#adopt = parts.adopt;
    this.#adopt(Infinity);
    this.#timer = setInterval(() => this.#tick(), everyMs).unref();
  }

  problems(): readonly string[] {
    return this.#problem === undefined ? [] : [this.#problem];
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#running;
  }

  #tick(): void {
    this.#running ??= this.#keep(Date.now()).then(
      () => this.#note(undefined),
      (error: unknown) => this.#note(error),
    );
  }

  #note(error: unknown): void {
    this.#running = undefined;
    this.#problem = error instanceof Error ? error.message : undefined;
  }

  async #keep(now: number): Promise<void> {
    await this.#cache.keepWithinBounds(now);
    this.#adopt(now - abandonedMs);
    if (now - this.#tidied < staleUploadMs) return;
    await this.#bucket.abortOld(new Date(now - staleUploadMs));
    this.#tidied = now;
  }
}
