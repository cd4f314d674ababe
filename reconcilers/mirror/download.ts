import { statSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import type { Growing } from '../fetch/upstream.ts';

const sliceBytes = 256 * 1024;
/** Held back until the whole file is verified, so that a wrong one never looks complete. */
const heldBackBytes = 1;

/** Which bytes somebody reads along: those of another file, or of a fresh start, are others. */
interface Edition {
  readonly inode: number;
  readonly starts: number;
}

/**
 * One download that several may read along with. It stops when the last of them has left. When it
 * has to start over, those who have read of the bytes before are broken off, for they may have been
 * wrong; then it goes on to its end without them, so that they find the right ones when they ask again.
 */
export class Download {
  /** Resolves when the file is verified and kept. */
  readonly done: Promise<void>;
  /** Resolves when the first bytes can be read. */
  readonly begun: Promise<void>;
  readonly #stop = new AbortController();
  readonly #waiting = new Set<() => void>();
  #growing: Growing | undefined;
  #seen = 0;
  #edition: Edition = { inode: 0, starts: 0 };
  #readers = 0;
  readonly #finalPath: () => Promise<string>;
  #finished = false;

  /** `finalPath` gives the place of the file once it is complete. */
  constructor(
    finalPath: () => Promise<string>,
    work: (signal: AbortSignal, onGrowth: (growing: Growing) => void) => Promise<void>,
  ) {
    this.#finalPath = finalPath;
    const begun = Promise.withResolvers<void>();
    this.begun = begun.promise;
    this.done = work(this.#stop.signal, (growing) => {
      this.#note(growing);
      if (growing.written > 0) begun.resolve();
      this.#wake();
    })
      .then(async () => {
        const inode = inodeOf(await finalPath());
        // The file that was verified is the one to have read.
        this.#edition = { ...this.#edition, inode };
      })
      .finally(() => {
        this.#finished = true;
        this.#wake();
      });
    this.done.catch(() => {}); // each of those who wait is told
  }

  /** Nobody may join any more: the last reader has left before the end. */
  get isStopped(): boolean {
    return this.#stop.signal.aborted;
  }

  /** Counts one more reader in; call what it returns, once or more, when he leaves. */
  join(): () => void {
    this.#readers += 1;
    let joined = true;
    return () => {
      if (!joined) return;
      joined = false;
      this.#readers -= 1;
      if (this.#readers === 0 && !this.#finished && this.#edition.starts === 0) {
        this.#stop.abort(new Error('nobody waits for it any more'));
      }
    };
  }

  /** The bytes from `start` to `end` (inclusive), as they arrive. Throws when the download fails. */
  async *follow(start: number, end: number): AsyncGenerator<Buffer> {
    const { starts } = this.#edition;
    const handle = await this.#open();
    try {
      const { ino: inode } = await handle.stat();
      let at = start;
      while (at <= end) {
        const slice = await this.#slice(handle, { inode, starts }, at, end);
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
      return await open(this.#growing?.file ?? (await this.#finalPath()), 'r');
    } catch {
      await this.done;
      return open(await this.#finalPath(), 'r');
    }
  }

  async #slice(handle: FileHandle, read: Edition, at: number, end: number): Promise<Buffer> {
    if (this.#finished) await this.done;
    const { inode, starts } = this.#edition;
    if (read.inode !== inode || read.starts !== starts) throw startedOver();
    const readable = this.#finished ? end + 1 : (this.#growing?.written ?? 0) - heldBackBytes;
    const length = Math.min(readable, end + 1) - at;
    if (length <= 0) {
      await new Promise<void>((wake) => this.#waiting.add(wake));
      return Buffer.alloc(0);
    }
    const buffer = Buffer.allocUnsafe(Math.min(length, sliceBytes));
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, at);
    if (bytesRead === 0) throw startedOver();
    return buffer.subarray(0, bytesRead);
  }

  /** A try after a broken one goes on with its bytes, or begins with the first again. */
  #note(growing: Growing): void {
    const { inode, starts } = this.#edition;
    this.#edition = {
      inode: growing === this.#growing ? inode : inodeOf(growing.file),
      starts: growing.written < this.#seen ? starts + 1 : starts,
    };
    this.#growing = growing;
    this.#seen = growing.written;
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }
}

function inodeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.ino ?? 0;
}

function startedOver(): Error {
  return new Error('the download started over');
}
