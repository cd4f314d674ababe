import type { Readable } from 'node:stream';
import type Docker from 'dockerode';
import { framesOf } from './frames.ts';
import type { RunStreams } from './request.ts';

/** What the engine keeps beside each line; as in supervisor.pl. */
const perLine = 32;

/**
 * The log of one run, on its way to where it is kept. It is counted in bytes from its start, so that it can be gone on with after
 * anything: what was kept already is skipped.
 */
export class RunLog {
  readonly #streams: RunStreams;
  readonly #mostCost: number;
  readonly #onTooMuch: () => void;
  #kept: number;
  /** When something was last heard; milliseconds of `performance.now()`. */
  heardAt = performance.now();

  constructor(streams: RunStreams, kept: number, mostCost: number, onTooMuch: () => void) {
    this.#streams = streams;
    this.#kept = kept;
    this.#mostCost = mostCost;
    this.#onTooMuch = onTooMuch;
  }

  /** Follows a running container until it ends or the engine breaks off. */
  async follow(container: Docker.Container, signal: AbortSignal): Promise<void> {
    const stream = await container.logs({ follow: true, stdout: true, stderr: true });
    const stop = () => (stream as Readable).destroy();
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    try {
      await this.#copy(stream as Readable);
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }

  /** Reads what is missing yet, of a container that has ended, and says at the end why it did so. */
  async complete(container: Docker.Container, trailer: string): Promise<void> {
    const stream = await container.logs({ follow: true, stdout: true, stderr: true });
    const size = await this.#copy(stream as Readable);
    await this.#write(size, Buffer.from(trailer));
  }

  /** Gives how many bytes there were, from the start. */
  async #copy(stream: AsyncIterable<Buffer>): Promise<number> {
    let [at, cost] = [0, 0];
    for await (const { bytes } of framesOf(stream)) {
      await this.#write(at, bytes);
      at += bytes.length;
      cost += bytes.length + perLine * lines(bytes);
      if (cost > this.#mostCost) {
        this.#onTooMuch();
        break;
      }
    }
    return at;
  }

  async #write(at: number, bytes: Buffer): Promise<void> {
    this.heardAt = performance.now();
    const fresh = bytes.subarray(Math.max(0, this.#kept - at));
    if (fresh.length === 0) return;
    await this.#streams.writeLog(fresh);
    this.#kept += fresh.length;
  }
}

function lines(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) count += 1;
  return count;
}
