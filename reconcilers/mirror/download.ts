import { open, type FileHandle } from 'node:fs/promises';
import type { Growing } from '../fetch/upstream.ts';

const sliceBytes = 256 * 1024;
/** Held back until the whole file is verified, so that a wrong one never looks complete. */
const heldBackBytes = 1;

/** One download that several may read along with. It stops when the last of them has left. */
export class Download {
  /** Resolves when the file is verified and kept. */
  readonly done: Promise<void>;
  /** Resolves when the first bytes can be read. */
  readonly begun: Promise<void>;
  readonly #stop = new AbortController();
  readonly #waiting = new Set<() => void>();
  #growing: Growing | undefined;
  #readers = 0;
  readonly #finalPath: () => string;
  #finished = false;

  /** `finalPath` gives the place of the file once it is complete. */
  constructor(
    finalPath: () => string,
    work: (signal: AbortSignal, onGrowth: (growing: Growing) => void) => Promise<void>,
  ) {
    this.#finalPath = finalPath;
    const begun = Promise.withResolvers<void>();
    this.begun = begun.promise;
    this.done = work(this.#stop.signal, (growing) => {
      this.#growing = growing;
      if (growing.written > 0) begun.resolve();
      this.#wake();
    }).finally(() => {
      this.#finished = true;
      this.#wake();
    });
    this.done.catch(() => {}); // each of those who wait is told
  }

  /** Counts one more reader in; call what it returns, once or more, when he leaves. */
  join(): () => void {
    this.#readers += 1;
    let joined = true;
    return () => {
      if (!joined) return;
      joined = false;
      this.#readers -= 1;
      if (this.#readers === 0 && !this.#finished) {
        this.#stop.abort(new Error('nobody waits for it any more'));
      }
    };
  }

  /** The bytes from `start` to `end` (inclusive), as they arrive. Throws when the download fails. */
  async *follow(start: number, end: number): AsyncGenerator<Buffer> {
    const handle = await this.#open();
    try {
      let at = start;
      while (at <= end) {
        const slice = await this.#slice(handle, at, end);
        at += slice.length;
        if (slice.length > 0) yield slice;
      }
    } finally {
      await handle.close();
    }
  }

  /** While it is open it may be renamed; before, it may have been. */
  async #open(): Promise<FileHandle> {
    if (!this.#growing) await this.done;
    try {
      return await open(this.#growing?.file ?? this.#finalPath(), 'r');
    } catch {
      await this.done;
      return open(this.#finalPath(), 'r');
    }
  }

  async #slice(handle: FileHandle, at: number, end: number): Promise<Buffer> {
    if (this.#finished) await this.done;
    const readable = this.#finished ? end + 1 : (this.#growing?.written ?? 0) - heldBackBytes;
    const length = Math.min(readable, end + 1) - at;
    if (length <= 0) {
      await new Promise<void>((wake) => this.#waiting.add(wake));
      return Buffer.alloc(0);
    }
    const buffer = Buffer.allocUnsafe(Math.min(length, sliceBytes));
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, at);
    if (bytesRead === 0) throw new Error('the download started over');
    return buffer.subarray(0, bytesRead);
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }
}
