import type { Journal } from '../journal.ts';
import type { Ledger } from '../ledger.ts';
import type { Layout } from '../layout.ts';
import type { KnownBlobs } from './known.ts';
import type { Outbox } from './outbox.ts';
import type { Uploads } from './uploads.ts';

/** Notes what is stored for the bucket: first in the outbox, and then to be uploaded. */
export class BucketLedger implements Ledger {
  readonly #layout: Layout;
  readonly #journal: Journal;
  readonly #parts: {
    readonly outbox: Outbox;
    readonly uploads: Uploads;
    readonly known: KnownBlobs;
  };

  constructor(
    layout: Layout,
    journal: Journal,
    parts: { outbox: Outbox; uploads: Uploads; known: KnownBlobs },
  ) {
    this.#layout = layout;
    this.#journal = journal;
    this.#parts = parts;
  }

  storing(sha256: string, file: string): void {
    this.#journal.storing(sha256);
    this.#parts.outbox.add(sha256, file);
    this.#parts.uploads.add(sha256);
  }

  /** What is in the cache need not be in the bucket: another instance may have stored it just now. */
  relyingOn(sha256: string, changedMs: number): boolean {
    this.#journal.relyingOn(sha256, changedMs);
    const { outbox, uploads, known } = this.#parts;
    if (known.size(sha256) !== undefined) return true;
    if (!outbox.add(sha256, this.#layout.blob(sha256))) return false; // evicted under our eyes
    uploads.add(sha256);
    return true;
  }

  seen(changedMs: number): void {
    this.#journal.seen(changedMs);
  }

  /** Local files and bucket at once; throws when either can't be had. */
  async sync(): Promise<void> {
    await Promise.all([this.#journal.sync(), this.#parts.uploads.sync()]);
  }
}
