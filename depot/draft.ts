import { createHash } from 'node:crypto';
import { constants, rmSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import type { Blob } from './depot.ts';
import { namedFailure, tooLarge } from './failures.ts';

/** Small chunks are gathered to this many bytes: one trip to a thread then moves a lot. */
const stagingBytes = 256 * 1024;
const rereadBytes = 1024 * 1024;

/**
 * A file that is being written and hashed, not yet a blob. One caller at a time: await what `write`
 * gives before the next call. After a failure it can only be discarded.
 */
export class Draft {
  readonly file: string;
  readonly #limit: number;
  readonly #handle: FileHandle;
  #hash = createHash('sha256');
  #written = 0;
  #staging: Buffer | undefined;
  #staged = 0;
  #state: 'ready' | 'busy' | 'broken' | 'closed' = 'ready';
  #step: Promise<void> = Promise.resolve();

  private constructor(file: string, limit: number, handle: FileHandle) {
    this.file = file;
    this.#limit = limit;
    this.#handle = handle;
  }

  /** Opens a file, new or with a beginning in it that is read again, for at most `limit` bytes. */
  static async open(file: string, limit: number): Promise<Draft> {
    const draft = new Draft(file, limit, await openNamed(file));
    try {
      await draft.#reread();
      return draft;
    } catch (error) {
      await draft.discard();
      throw error;
    }
  }

  /** Bytes taken so far, those found at the beginning included. */
  get size(): number {
    return this.#written + this.#staged;
  }

  /** How many of them are in the file. */
  get written(): number {
    return this.#written;
  }

  get broken(): boolean {
    return this.#state === 'broken';
  }

  /** Resolves when no write is under way: a transfer that breaks off may leave one behind. */
  settled(): Promise<void> {
    return this.#step;
  }

  /** The chunk may be reused when this returns or its promise resolves. Throws `TooLarge`. */
  write(chunk: Uint8Array): void | Promise<void> {
    this.#mustBeReady();
    if (this.size + chunk.length > this.#limit) {
      this.#state = 'broken';
      throw tooLarge(this.#limit);
    }
    if (this.#staged + chunk.length > stagingBytes) {
      return this.#exclusively(() => this.#overflow(chunk));
    }
    this.#stage(chunk);
  }

  /** Throws everything away and starts over. */
  async reset(): Promise<void> {
    this.#mustBeReady();
    await this.#exclusively(() => this.#truncate());
  }

  /** Writes out what is staged and closes the file. It still has its temporary name. */
  async finish(): Promise<Blob> {
    await this.close();
    return { sha256: this.#hash.digest('hex'), size: this.#written };
  }

  /** Writes out what is staged and closes the file, to go on with it another time. */
  async close(): Promise<void> {
    this.#mustBeReady();
    await this.#exclusively(() => this.#flush());
    this.#state = 'closed';
    await this.#handle.close();
  }

  /** Closes and removes the file, whatever state it is in. */
  async discard(): Promise<void> {
    try {
      if (this.#state !== 'closed') await this.#handle.close();
    } finally {
      this.#state = 'closed';
      rmSync(this.file, { force: true });
    }
  }

  #mustBeReady(): void {
    if (this.#state !== 'ready') throw new Error(`the draft of a blob is ${this.#state}`);
  }

  #exclusively(step: () => Promise<void>): Promise<void> {
    this.#state = 'busy';
    const running = this.#guarded(step);
    this.#step = running.catch(() => {}); // whoever began it is told
    return running;
  }

  async #guarded(step: () => Promise<void>): Promise<void> {
    try {
      await step();
      this.#state = 'ready';
    } catch (error) {
      this.#state = 'broken';
      throw namedFailure(error);
    }
  }

  #stage(chunk: Uint8Array): void {
    this.#staging ??= Buffer.allocUnsafeSlow(Math.min(stagingBytes, this.#limit));
    this.#staging.set(chunk, this.#staged);
    this.#staged += chunk.length;
  }

  async #overflow(chunk: Uint8Array): Promise<void> {
    await this.#flush();
    if (chunk.length < stagingBytes) this.#stage(chunk);
    else await this.#append(chunk);
  }

  async #flush(): Promise<void> {
    if (this.#staging === undefined || this.#staged === 0) return;
    const bytes = this.#staging.subarray(0, this.#staged);
    await this.#append(bytes);
    this.#staged = 0;
  }

  async #append(bytes: Uint8Array): Promise<void> {
    this.#hash.update(bytes);
    let done = 0;
    while (done < bytes.length) {
      const at = this.#written + done;
      const { bytesWritten } = await this.#handle.write(bytes, done, bytes.length - done, at);
      done += bytesWritten;
    }
    this.#written += bytes.length;
  }

  async #reread(): Promise<void> {
    const { size } = await this.#handle.stat();
    if (size === 0) return;
    if (size > this.#limit) return this.#truncate();
    const buffer = Buffer.allocUnsafe(Math.min(size, rereadBytes));
    while (this.#written < size) {
      const { bytesRead } = await this.#handle.read(buffer, 0, buffer.length, this.#written);
      if (bytesRead === 0) return this.#truncate();
      this.#hash.update(buffer.subarray(0, bytesRead));
      this.#written += bytesRead;
    }
  }

  async #truncate(): Promise<void> {
    await this.#handle.truncate(0);
    this.#hash = createHash('sha256');
    this.#written = 0;
    this.#staged = 0;
  }
}

/** For reading and writing at any position: creates what is missing and keeps what is there. */
async function openNamed(file: string): Promise<FileHandle> {
  try {
    return await open(file, constants.O_RDWR | constants.O_CREAT, 0o644);
  } catch (error) {
    throw namedFailure(error);
  }
}
