import type { Progress } from './request.ts';

/** Counts what a refresh has done, for people who watch it. */
export class Counter {
  #phase = 'Release';
  #files = 0;
  #filesTotal = 0;
  #bytes = 0;
  #bytesTotal = 0;
  fetchedFiles = 0;
  fetchedBytes = 0;
  readonly #window: Array<{ at: number; bytes: number }> = [];

  phase(name: 'Release' | 'Indexes' | 'Pool' | 'Commit'): void {
    this.#phase = name;
  }

  expect(files: number, bytes: number): void {
    this.#filesTotal += files;
    this.#bytesTotal += bytes;
  }

  bytes(count: number): void {
    this.#bytes += count;
    this.fetchedBytes += count;
  }

  file(count = 1): void {
    this.#files += count;
    this.fetchedFiles += count;
  }

  /** A file that was expected and turned out to be here already. */
  skip(bytes: number): void {
    this.#filesTotal -= 1;
    this.#bytesTotal -= bytes;
  }

  /** The rate is that of the last ten readings. */
  read(now: number): Progress {
    this.#window.push({ at: now, bytes: this.fetchedBytes });
    if (this.#window.length > 10) this.#window.shift();
    const [first] = this.#window;
    const seconds = first ? (now - first.at) / 1000 : 0;
    const rate = first && seconds > 0 ? (this.fetchedBytes - first.bytes) / seconds : 0;
    return {
      phase: this.#phase,
      files: this.#files,
      filesTotal: Math.max(this.#files, this.#filesTotal),
      bytes: this.#bytes,
      bytesTotal: Math.max(this.#bytes, this.#bytesTotal),
      bytesPerSecond: Math.round(rate),
    };
  }
}
