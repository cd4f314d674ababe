import { createHash } from 'node:crypto';
import { linkSync, statSync, utimesSync } from 'node:fs';
import type { Readable } from 'node:stream';
import type { Blob, Blobs, StoredBlob } from '../depot.ts';
import { isCode, largerThan } from '../failures.ts';
import { eachOnce, FileBlobs, maxBytesInMemory } from '../file-blobs.ts';
import { Journal } from '../journal.ts';
import type { Layout } from '../layout.ts';
import type { PartialBlob } from '../partial-blob.ts';
import { checkAttachment } from './attach.ts';
import { Cache } from './cache.ts';
import { Downloads } from './downloads.ts';
import { Housekeeping } from './housekeeping.ts';
import { blobPrefix, keyOf, nameOf } from './keys.ts';
import { KnownBlobs } from './known.ts';
import { lackingOf } from './lacking.ts';
import { BucketLedger } from './ledger.ts';
import type { Outbox } from './outbox.ts';
import type { S3Bucket } from './s3-bucket.ts';
import { Uploads } from './uploads.ts';

/** A look at the time of last use is as good as hourly: the cache counts in days. */
const touchMs = 3_600_000;
/** What still runs when this closes gets so long; what doesn't end is uploaded at the next start. */
const closeGraceMs = 5_000;

/**
 * Blobs in a bucket, with a folder as a cache of them: what is stored lands in the folder and in
 * its outbox, and is in the bucket when `sync` resolves. What is read comes from the folder, or into
 * it from the bucket first, verified.
 */
export class BucketBlobs implements Blobs {
  readonly #layout: Layout;
  readonly #bucket: S3Bucket;
  readonly #outbox: Outbox;
  readonly #known = new KnownBlobs();
  readonly #uploads: Uploads;
  readonly #downloads: Downloads;
  /** For what is stored here: it goes into the outbox. */
  readonly #files: FileBlobs;
  /** For what comes from the bucket. */
  readonly #cache: FileBlobs;
  #checked: Promise<void> | undefined;
  #housekeeping: Housekeeping | undefined;

  constructor(layout: Layout, parts: { bucket: S3Bucket; outbox: Outbox; syncCommand: string }) {
    const { bucket, outbox, syncCommand } = parts;
    const known = this.#known;
    this.#layout = layout;
    this.#bucket = bucket;
    this.#outbox = outbox;
    this.#uploads = new Uploads({ bucket, outbox, known });
    const uploads = this.#uploads;
    const journal = new Journal(layout, syncCommand);
    const ledger = new BucketLedger(layout, journal, { outbox, uploads, known });
    this.#files = new FileBlobs(layout, ledger);
    this.#cache = new FileBlobs(layout, new Journal(layout, syncCommand));
    this.#downloads = new Downloads({ bucket, cache: this.#cache, known });
  }

  /** Has uploaded what dead processes and threads have left in the outbox. */
  adopt(olderThan: number): void {
    for (const { sha256, since } of this.#outbox.list()) {
      if (since < olderThan) this.#uploads.add(sha256);
    }
  }

  /** For one instance of each process. */
  keepHouse(cacheBytes: number | undefined): void {
    const cache = new Cache(this.#layout, cacheBytes);
    const bucket = this.#bucket;
    const adopt = (olderThan: number) => this.adopt(olderThan);
    this.#housekeeping = new Housekeeping({ cache, bucket, adopt });
  }

  async size(sha256: string): Promise<number | undefined> {
    this.#layout.blob(sha256);
    const waiting = this.#outbox.size(sha256);
    if (waiting !== undefined) {
      this.#uploads.add(sha256); // a reference may come to name it
      return waiting;
    }
    const known = this.#known.size(sha256);
    if (known !== undefined) return known;
    const size = await this.#bucket.size(keyOf(sha256));
    if (size !== undefined) this.#known.add(sha256, size);
    return size;
  }

  lacking<B extends Blob>(wanted: Iterable<B>): Promise<readonly B[]> {
    const size = (sha256: string) => this.size(sha256);
    return lackingOf(eachOnce(wanted), { bucket: this.#bucket, outbox: this.#outbox, size });
  }

  async path(sha256: string): Promise<string> {
    await this.#bringHere(sha256, Infinity);
    return this.#layout.blob(sha256);
  }

  async read(sha256: string, range?: { start?: number; end?: number }): Promise<Readable> {
    await this.#bringHere(sha256, Infinity);
    return this.#cache.read(sha256, range);
  }

  async bytes(sha256: string, maxBytes = maxBytesInMemory): Promise<Buffer> {
    await this.#bringHere(sha256, maxBytes);
    return this.#cache.bytes(sha256, maxBytes);
  }

  put(content: Uint8Array, expected?: Blob, options?: { readonly isNew?: boolean }): Blob {
    return this.#files.put(content, expected, options);
  }

  async write(content: AsyncIterable<Uint8Array>, expected?: Blob): Promise<Blob> {
    await this.#uploads.room();
    return this.#files.write(content, expected);
  }

  async resume(sha256: string, size: number): Promise<PartialBlob> {
    await this.#uploads.room();
    return this.#files.resume(sha256, size);
  }

  prunePartials(now: number): void {
    this.#files.prunePartials(now);
  }

  async sync(): Promise<void> {
    this.#checked ??= checkAttachment(this.#layout.root, this.#bucket);
    this.#checked.catch(() => (this.#checked = undefined));
    await this.#checked;
    await this.#files.sync();
    await this.#cache.sync();
  }

  async *list(): AsyncGenerator<StoredBlob> {
    const waiting = new Set<string>();
    for (const { sha256, size, since } of this.#outbox.list()) {
      waiting.add(sha256);
      yield { sha256, size, storedAt: since };
    }
    for await (const { key, size, modified } of this.#bucket.list(blobPrefix)) {
      const sha256 = nameOf(key);
      if (sha256 !== undefined && !waiting.has(sha256)) yield { sha256, size, storedAt: modified };
    }
  }

  async remove(sha256: string): Promise<void> {
    await this.#files.remove(sha256);
    this.#outbox.remove(sha256);
    this.#known.forget(sha256);
    await this.#bucket.remove(keyOf(sha256));
  }

  async verify(sha256: string): Promise<boolean> {
    this.#layout.blob(sha256);
    if (this.#outbox.size(sha256) !== undefined) return this.#files.verify(sha256);
    const { content } = await this.#bucket.read(keyOf(sha256));
    const hash = createHash('sha256');
    for await (const chunk of content) hash.update(chunk);
    return hash.digest('hex') === sha256;
  }

  /**
   * A URL from which anyone can read a blob for so many seconds, or undefined while the bucket
   * doesn't have it. It is a secret of who may read the blob: never log it.
   */
  async redirect(
    sha256: string,
    contentType: string,
    seconds: number,
  ): Promise<string | undefined> {
    if (this.#outbox.size(sha256) !== undefined) return undefined;
    if ((await this.size(sha256)) === undefined) return undefined;
    return this.#bucket.presigned(keyOf(sha256), contentType, seconds);
  }

  problems(): readonly string[] {
    const problem = this.#uploads.problem();
    const others = this.#housekeeping?.problems() ?? [];
    return problem === undefined ? others : [problem, ...others];
  }

  async close(): Promise<void> {
    await this.#housekeeping?.close();
    await this.#uploads.close(closeGraceMs);
    this.#bucket.close();
    await this.#cache.close();
  }

  /** Has the blob's file be there, for who opens it soon. */
  async #bringHere(sha256: string, maxBytes: number): Promise<void> {
    const file = this.#layout.blob(sha256);
    const stat = statSync(file, { throwIfNoEntry: false });
    if (stat) {
      if (stat.size > maxBytes) throw largerThan(maxBytes, { sha256, size: stat.size });
      if (Date.now() - stat.atimeMs > touchMs) touch(file, stat.mtime);
      return;
    }
    if (!this.#linkBack(sha256, file)) await this.#downloads.fetch(sha256, maxBytes);
  }

  /** It may be gone from the cache between a look at it and its way into the outbox. */
  #linkBack(sha256: string, file: string): boolean {
    if (this.#outbox.size(sha256) === undefined) return false;
    try {
      linkSync(this.#outbox.file(sha256), file);
      return true;
    } catch (error) {
      return isCode(error, 'EEXIST');
    }
  }
}

/** It has been asked for; it may be gone this moment. */
function touch(file: string, modified: Date): void {
  try {
    utimesSync(file, new Date(), modified);
  } catch (error) {
    if (!isCode(error, 'ENOENT')) throw error;
  }
}
