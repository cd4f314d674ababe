import {
  closeSync,
  fsyncSync,
  openSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeSync,
} from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fsyncPath } from './durable.ts';
import { namedFailure } from './failures.ts';
import { FileSystemSync } from './file-system-sync.ts';
import { flush } from './flush.ts';
import type { Layout } from './layout.ts';
import type { Ledger } from './ledger.ts';

/** File times come from a coarser clock than `Date.now()`, and may lag behind it. */
export const clockSlackMs = 2000;
/** How often a marker is touched, which shows that whoever made it lives. */
const touchMs = 60_000;

/** What a marker says: since when, and in which run of the machine, there are unsynced blobs. */
export interface Marker {
  readonly file: string;
  readonly bootId: string;
  /** Milliseconds since the epoch. */
  readonly since: number;
}

/**
 * Knows which blobs a power cut might still damage. A sync of each blob would cost 2 ms a file, so
 * many share one; a marker file, itself synced, tells the next start that there was something.
 */
export class Journal implements Ledger {
  readonly #layout: Layout;
  readonly #whole: FileSystemSync;
  #unsynced = new Set<string>();
  #othersUnsynced = false;
  #markers: string[] = [];
  #syncedBefore = -Infinity;
  #turn: Promise<void> = Promise.resolve();
  #touching: NodeJS.Timeout | undefined;

  constructor(layout: Layout, syncCommand: string) {
    this.#layout = layout;
    this.#whole = new FileSystemSync(syncCommand);
  }

  storing(sha256: string): void {
    if (this.#markers.length === 0) {
      this.#markers.push(writeMarker(this.#layout));
      this.#touching ??= setInterval(() => this.#touch(), touchMs).unref();
    }
    this.#unsynced.add(sha256);
  }

  relyingOn(sha256: string, changedMs: number): true {
    // Another instance may have stored it just now.
    if (changedMs >= this.#syncedBefore) this.#unsynced.add(sha256);
    return true;
  }

  seen(changedMs: number): void {
    if (changedMs >= this.#syncedBefore) this.#othersUnsynced = true;
  }

  sync(): Promise<void> {
    const turn = this.#turn.then(() => this.#syncNow());
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  #touch(): void {
    const now = new Date();
    for (const marker of this.#markers) {
      try {
        utimesSync(marker, now, now);
      } catch {
        // it is being removed, or the disk will fail the next sync too
      }
    }
    if (this.#markers.length > 0) return;
    clearInterval(this.#touching);
    this.#touching = undefined;
  }

  async #syncNow(): Promise<void> {
    if (this.#unsynced.size === 0 && !this.#othersUnsynced) return;
    const [blobs, markers, started] = [this.#unsynced, this.#markers, Date.now()];
    // What is stored from here on gets a marker of its own, and waits for the next sync.
    this.#unsynced = new Set();
    this.#othersUnsynced = false;
    this.#markers = [];
    try {
      await flush(this.#layout, blobs, this.#whole);
    } catch (error) {
      for (const sha256 of blobs) this.#unsynced.add(sha256);
      this.#othersUnsynced = true;
      this.#markers.push(...markers);
      throw namedFailure(error);
    }
    this.#syncedBefore = started - clockSlackMs;
    for (const marker of markers) rmSync(marker, { force: true });
  }
}

/** This run of the machine; empty where the system doesn't say (see random(4)). */
export function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return '';
  }
}

/** Reads a marker. One that was cut off while it was written counts from the time of its file. */
export async function readMarker(file: string, fileTimeMs: number): Promise<Marker> {
  const [id = '', since = ''] = (await readFile(file, 'utf8')).split('\n');
  const time = Date.parse(since);
  return Number.isNaN(time)
    ? { file, bootId: '', since: fileTimeMs }
    : { file, bootId: id, since: time };
}

function writeMarker(layout: Layout): string {
  const file = layout.marker();
  try {
    writeDurably(file, `${bootId()}\n${new Date().toISOString()}\n`);
    fsyncPath(layout.root);
    return file;
  } catch (error) {
    rmSync(file, { force: true });
    throw namedFailure(error);
  }
}

function writeDurably(file: string, text: string): void {
  const fd = openSync(file, 'wx');
  try {
    writeSync(fd, text);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
