import { open, type FileHandle } from 'node:fs/promises';

/**
 * A file that is read now and then, by several at once. Kept open between reads until `release`;
 * from then on, opened when somebody reads and closed when nobody does. So nothing that still
 * reads is ever cut off, and nobody needs to know who else reads.
 */
export class SharedFile {
  readonly #path: () => Promise<string>;
  #keepOpen: boolean;
  #handle: Promise<FileHandle> | undefined;
  #readers = 0;

  constructor(path: () => Promise<string>, keepOpen: boolean) {
    this.#path = path;
    this.#keepOpen = keepOpen;
  }

  async use<T>(read: (handle: FileHandle) => Promise<T>): Promise<T> {
    this.#readers++;
    try {
      this.#handle ??= this.#open();
      return await read(await this.#handle);
    } finally {
      this.#readers--;
      await this.#closeIfIdle();
    }
  }

  async release(): Promise<void> {
    this.#keepOpen = false;
    await this.#closeIfIdle();
  }

  async #open(): Promise<FileHandle> {
    try {
      return await open(await this.#path(), 'r');
    } catch (error) {
      this.#handle = undefined;
      throw error;
    }
  }

  async #closeIfIdle(): Promise<void> {
    if (this.#keepOpen || this.#readers > 0 || this.#handle === undefined) return;
    const handle = this.#handle;
    this.#handle = undefined;
    await (await handle).close();
  }
}
