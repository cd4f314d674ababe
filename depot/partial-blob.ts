import { readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Blob } from './depot.ts';
import { Draft } from './draft.ts';
import { checkExpected, isCode, namedFailure } from './failures.ts';
import type { Layout } from './layout.ts';

/**
 * A download that may have been begun before. Ask the upstream for the bytes from `offset` on, and
 * `reset` when it sends them from the start. End with `commit` or `close`, exactly once.
 */
export class PartialBlob {
  readonly #expected: Blob;
  readonly #draft: Draft;
  readonly #layout: Layout;
  readonly #publish: (file: string, blob: Blob) => void;

  constructor(
    expected: Blob,
    draft: Draft,
    to: { layout: Layout; publish: (file: string, blob: Blob) => void },
  ) {
    this.#expected = expected;
    this.#draft = draft;
    this.#layout = to.layout;
    this.#publish = to.publish;
  }

  /** How many bytes are there, those of earlier attempts included. */
  get offset(): number {
    return this.#draft.size;
  }

  /** The file that grows, for those who read along; it may be renamed while it is open. */
  get file(): string {
    return this.#draft.file;
  }

  /** How many bytes of that file can be read. */
  get written(): number {
    return this.#draft.written;
  }

  /**
   * Adds bytes; await what it gives before the next call. Throws `TooLarge` beyond the expected
   * size and `DepotFull`; after either, `close` keeps nothing.
   */
  write(chunk: Uint8Array): void | Promise<void> {
    return this.#draft.write(chunk);
  }

  /** Forgets all bytes and starts over at offset 0. */
  reset(): Promise<void> {
    return this.#draft.reset();
  }

  /** Makes the blob visible. Throws `HashMismatch` when it isn't the expected one; nothing is kept. */
  async commit(): Promise<Blob> {
    try {
      const blob = await this.#draft.finish();
      checkExpected(blob, this.#expected);
      this.#publish(this.#draft.file, blob);
      forgetPartial(this.#layout, blob.sha256);
      return blob;
    } catch (error) {
      await this.#draft.discard();
      throw namedFailure(error);
    }
  }

  /**
   * Keeps the bytes for the next attempt, those of a write that nobody has awaited included; not
   * when they find no room. Whoever closes has another failure to tell.
   */
  async close(): Promise<void> {
    await this.#draft.settled();
    try {
      if (!this.#draft.broken) await this.#draft.close();
    } catch {
      // It is broken now.
    }
    if (this.#draft.broken) return this.#draft.discard();
    keepPartial(this.#layout, this.#expected.sha256, this.#draft.file);
  }
}

/**
 * A draft that goes on where the last attempt ended. The rename makes it ours alone: another
 * writer of the same blob, in whichever thread or process, finds nothing there and starts afresh.
 * There is no lock that a `kill -9` could leave behind.
 */
export async function takePartial(layout: Layout, { sha256, size }: Blob): Promise<Draft> {
  const file = layout.adopted(sha256);
  try {
    renameSync(layout.partial(sha256), file);
  } catch (error) {
    if (!isCode(error, 'ENOENT')) throw namedFailure(error);
  }
  return Draft.open(file, size);
}

/**
 * Puts a file back under the name where the next attempt looks, unless a longer one is there, or
 * somebody else has had the whole.
 */
export function keepPartial(layout: Layout, sha256: string, file: string): void {
  if (statSync(layout.blob(sha256), { throwIfNoEntry: false }))
    return rmSync(file, { force: true });
  const ours = statSync(file).size;
  const theirs = statSync(layout.partial(sha256), { throwIfNoEntry: false })?.size ?? 0;
  if (ours > theirs) renameSync(file, layout.partial(sha256));
  else rmSync(file, { force: true });
}

/** What another attempt left is of no use once the blob is there. */
function forgetPartial(layout: Layout, sha256: string): void {
  rmSync(layout.partial(sha256), { force: true });
}

/** Nobody goes on with a download of an archive that has moved on. */
const keepUnusedMs = 7 * 24 * 3_600_000;

/** Removes what nobody has gone on with for a week. */
export function prunePartials(layout: Layout, now: number): void {
  for (const name of readdirSync(layout.partials)) {
    const file = join(layout.partials, name);
    const used = statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? now;
    if (now - used > keepUnusedMs) rmSync(file, { force: true });
  }
}
