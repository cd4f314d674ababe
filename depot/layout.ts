/**
 * Where things lie below the root of a depot on the file system:
 *
 *     sha256/ab/<64 hex>             a visible blob: complete, and it matches its name
 *     tmp/<thread>/<random>          being written; removed by recovery
 *     tmp/partial-<64 hex>-<random>  a download that somebody is going on with
 *     partial/<64 hex>               a download to go on with later
 *     unsynced-<random>              there may be blobs that a power cut would damage
 *
 * What guests make has `guest-` before <random>.
 */
import { randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { threadId } from 'node:worker_threads';
import { CairnError } from '../crds/reasons.ts';

export const markerPrefix = 'unsynced-';
const guestPrefix = 'guest-';

/** Threads that create files in one directory wait for each other, so each has its own. */
const draftDirectories = 16;

const sha256Pattern = /^[0-9a-f]{64}$/;
const guestName = /^(unsynced-|partial-[0-9a-f]{64}-)?guest-/;
const adoptedPattern = /^partial-([0-9a-f]{64})-/;

export class Layout {
  readonly root: string;
  readonly blobs: string;
  readonly tmp: string;
  readonly partials: string;
  readonly #own: string;
  readonly #drafts: string;
  #draftsMade = 0;

  /** A guest goes on beside somebody who recovers the depot: see `BlobsOptions`. */
  constructor(root: string, { guest = false } = {}) {
    this.root = root;
    this.#own = guest ? guestPrefix : '';
    this.blobs = join(root, 'sha256');
    this.tmp = join(root, 'tmp');
    this.partials = join(root, 'partial');
    this.#drafts = `${this.tmp}/${threadId % draftDirectories}/${this.#own}${randomUUID()}`;
  }

  /** Makes every directory that is missing, so that storing a blob never has to. */
  make(): void {
    const drafts = Array.from({ length: draftDirectories }, (_, at) => join(this.tmp, `${at}`));
    for (const directory of [this.blobs, ...drafts, this.partials]) {
      mkdirSync(directory, { recursive: true });
    }
    const there = new Set(readdirSync(this.blobs));
    for (const name of fanOut()) {
      if (!there.has(name)) mkdirSync(join(this.blobs, name), { recursive: true });
    }
  }

  /** The one way from a name to a path: throws `BlobMissing` for what cannot be a blob's name. */
  blob(sha256: string): string {
    return `${this.blobs}/${checked(sha256).slice(0, 2)}/${sha256}`;
  }

  partial(sha256: string): string {
    return `${this.partials}/${checked(sha256)}`;
  }

  /** A path in `tmp/` that nobody else uses, in whichever thread or process. */
  draft(): string {
    return `${this.#drafts}-${this.#draftsMade++}`;
  }

  /** As `draft`, for a download: recovery puts such a file back into `partial/`. */
  adopted(sha256: string): string {
    return `${this.tmp}/partial-${checked(sha256)}-${this.#own}${randomUUID()}`;
  }

  /** A new marker. */
  marker(): string {
    return join(this.root, `${markerPrefix}${this.#own}${randomUUID()}`);
  }
}

export function isSha256(text: string): boolean {
  return sha256Pattern.test(text);
}

/** The blob that a file name in `tmp/` is a part of, if it is an adopted download. */
export function adoptedName(name: string): string | undefined {
  return adoptedPattern.exec(name)?.[1];
}

/** Whether a guest has made the file or marker of that name. */
export function isOfGuest(name: string): boolean {
  return guestName.test(name);
}

/** `00` to `ff`. */
export function fanOut(): string[] {
  return Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
}

function checked(sha256: string): string {
  if (isSha256(sha256)) return sha256;
  throw new CairnError('BlobMissing', `not the name of a blob: ${JSON.stringify(sha256)}`);
}
