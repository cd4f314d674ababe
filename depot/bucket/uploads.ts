import { open } from 'node:fs/promises';
import { CairnError } from '../../crds/reasons.ts';
import { isCode } from '../failures.ts';
import { Budget } from './budget.ts';
import { keyOf } from './keys.ts';
import type { KnownBlobs } from './known.ts';
import type { Outbox } from './outbox.ts';
import type { S3Bucket } from './s3-bucket.ts';

const mostAtOnce = 32;
const mostBytes = 64 * 1024 * 1024;
/** A request spares larger ones the way when the bucket has them already. */
const worthALook = 256 * 1024;
/** So much may wait before downloads wait as well. */
const mostWaitingBytes = 2 * 1024 * 1024 * 1024;
const retryMs = { first: 5_000, most: 300_000 };

/**
 * Brings blobs from the outbox into the bucket, in the background and at once when somebody needs
 * to be sure. What fails stays in the outbox and is tried again, later and later.
 */
export class Uploads {
  readonly #bucket: S3Bucket;
  readonly #outbox: Outbox;
  readonly #known: KnownBlobs;
  readonly #budget = new Budget(mostAtOnce, mostBytes);
  readonly #running = new Map<string, Promise<void>>();
  readonly #failed = new Map<string, unknown>();
  /** Somebody may rely on what turned out to be damaged; the next to sync is told. */
  readonly #damaged: unknown[] = [];
  #waitingBytes = 0;
  #retry: NodeJS.Timeout | undefined;
  #delayMs = retryMs.first;
  #isClosed = false;

  constructor(parts: { bucket: S3Bucket; outbox: Outbox; known: KnownBlobs }) {
    this.#bucket = parts.bucket;
    this.#outbox = parts.outbox;
    this.#known = parts.known;
  }

  /** Has a blob of the outbox uploaded. */
  add(sha256: string): void {
    if (!this.#running.has(sha256)) this.#start(sha256);
  }

  /** Resolves when everything that was added before is in the bucket; else throws why it isn't. */
  async sync(): Promise<void> {
    for (const sha256 of this.#failed.keys()) this.add(sha256);
    const results = await Promise.allSettled(this.#running.values());
    const [damaged] = this.#damaged.splice(0);
    if (damaged) throw damaged;
    const failed = results.find((one) => one.status === 'rejected');
    if (failed) throw failed.reason;
  }

  /** Resolves when there is room for more to wait; throws when nothing gets through. */
  async room(): Promise<void> {
    while (this.#waitingBytes > mostWaitingBytes) await Promise.race(this.#running.values());
  }

  /** Why something waits that should be in the bucket by now. */
  problem(): string | undefined {
    const [first] = this.#failed.values();
    if (first === undefined) return undefined;
    const why = first instanceof Error ? first.message : String(first);
    return `${this.#failed.size} blobs wait to be stored in the bucket: ${why}`;
  }

  /** Starts nothing any more, and gives what runs so long. */
  async close(graceMs: number): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#retry);
    const grace = Promise.withResolvers<void>();
    const timer = setTimeout(grace.resolve, graceMs);
    await Promise.race([Promise.allSettled(this.#running.values()), grace.promise]);
    clearTimeout(timer);
  }

  #start(sha256: string): void {
    const size = this.#outbox.size(sha256);
    if (size === undefined || this.#isClosed) return;
    this.#waitingBytes += size;
    const running = this.#budget
      .use(Math.min(size, mostBytes), () => this.#send(sha256, size))
      .then(
        () => this.#succeeded(sha256),
        (error: unknown) => this.#noteFailure(sha256, error),
      )
      .finally(() => {
        this.#waitingBytes -= size;
        this.#running.delete(sha256);
      });
    running.catch(() => undefined); // `sync` and `problem` tell
    this.#running.set(sha256, running);
  }

  async #send(sha256: string, size: number): Promise<void> {
    const key = keyOf(sha256);
    if (size > worthALook && (await this.#bucket.size(key)) === size) return;
    const file = await open(this.#outbox.file(sha256)).catch(asUploaded);
    if (file === undefined) return;
    try {
      const isNew = await this.#bucket.createFrom(key, file, { sha256, size });
      if (isNew || (await this.#bucket.size(key)) === size) return;
      // Not by us: an object that was made is checked by the server. So it can't be right.
      await this.#bucket.remove(key);
      await this.#bucket.createFrom(key, file, { sha256, size });
    } finally {
      await file.close();
    }
  }

  #succeeded(sha256: string): void {
    const size = this.#outbox.size(sha256);
    if (size !== undefined) this.#known.add(sha256, size);
    this.#outbox.remove(sha256);
    this.#failed.delete(sha256);
    this.#delayMs = retryMs.first;
  }

  #noteFailure(sha256: string, error: unknown): never {
    if (error instanceof CairnError && error.reason === 'HashMismatch') {
      // A power cut: nothing names it yet, and whoever needs it stores it again.
      this.#damaged.push(error);
      this.#outbox.remove(sha256);
      this.#failed.delete(sha256);
      throw error;
    }
    this.#failed.set(sha256, error);
    if (!this.#isClosed) this.#retry ??= setTimeout(() => this.#retryAll(), this.#delayMs).unref();
    throw error;
  }

  #retryAll(): void {
    this.#retry = undefined;
    this.#delayMs = Math.min(this.#delayMs * 2, retryMs.most);
    for (const sha256 of this.#failed.keys()) {
      if (this.#outbox.size(sha256) === undefined) this.#failed.delete(sha256);
      else this.add(sha256);
    }
  }
}

/** Another thread has had it uploaded meanwhile, and taken it out. */
function asUploaded(error: unknown): undefined {
  if (!isCode(error, 'ENOENT')) throw error;
}
