import { createHash } from 'node:crypto';
import { CairnError } from '../../crds/reasons.ts';
import { StoreError } from '../../crds/store.ts';
import {
  keyTitle,
  newKey,
  newSecret,
  type KeyFolder,
  type KeyName,
  type KeyStore,
  type OwnSecretName,
  type OwnSecrets,
} from '../../reconcilers/signing/key-store.ts';
import type { Log } from '../log.ts';
import type { SecretBook } from './secret-book.ts';

/** The keys of a data directory; more of them don't fit into the Secrets. */
const mostCarried = 5000;
const longestEntry = 253;
const longestKey = 64 * 1024;

/**
 * Private keys as entries of some Secrets, which every replica reads and none writes twice. Which
 * Secret a key is in follows from its name. As `KeyFolder` says, keys outlive what they sign for.
 */
export class KeyBook implements KeyStore, OwnSecrets {
  readonly #books: readonly SecretBook[];
  readonly #before: { readonly folder: KeyFolder; readonly log: Log } | undefined;
  #carried: Promise<void> | undefined;
  /** Entries of which the data directory has another key: why nobody may use them. */
  readonly #disputed = new Map<string, string>();

  /** The keys of a data directory are taken over before anybody is given one. */
  constructor(
    books: readonly SecretBook[],
    before?: { readonly folder: KeyFolder; readonly log: Log },
  ) {
    this.#books = books;
    this.#before = before;
  }

  async find(key: KeyName): Promise<string | undefined> {
    await this.#carryOverOnce();
    this.#refuseDisputed(key);
    const entry = entryOf(key);
    return this.#bookOf(entry).find(entry);
  }

  async obtain(key: KeyName, now: Date): Promise<string> {
    await this.#carryOverOnce();
    this.#refuseDisputed(key);
    const entry = entryOf(key);
    const known = await this.#bookOf(entry).seen(entry);
    // Should somebody else have made one since, that one counts.
    return known ?? this.#add(entry, await newKey(key, now));
  }

  /** That of a data directory is not taken over: what it was good for has not been either. */
  async ownSecret(name: OwnSecretName): Promise<string> {
    const entry = `_secret_${name}`; // no namespace begins so
    const known = await this.#bookOf(entry).seen(entry);
    return known ?? this.#add(entry, newSecret());
  }

  /** Again, if the API server was away. */
  #carryOverOnce(): Promise<void> {
    this.#carried ??= this.#carryOver().catch((error: unknown) => {
      this.#carried = undefined;
      throw error;
    });
    return this.#carried;
  }

  /** Takes over the keys that a data directory has; those that differ are not used until they don't. */
  async #carryOver(): Promise<void> {
    if (!this.#before) return;
    const { folder, log } = this.#before;
    const found = new Map<string, string>();
    for (const key of await folder.list(mostCarried)) {
      const text = await folder.find(key);
      if (text !== undefined && text.length <= longestKey) found.set(entryOf(key), text);
    }
    const adding = [...found].map(async ([entry, text]) => ({
      ...{ entry, text },
      kept: await this.#add(entry, text),
    }));
    for (const { entry, text, kept } of await Promise.all(adding)) {
      if (kept.trim() === text.trim()) continue;
      const { title } = this.#bookOf(entry);
      const because =
        `its file in keys/ of the data directory, and ${entry} in the Secret ${title}, ` +
        'are different keys: remove the one that clients do not have, and restart Cairn';
      this.#disputed.set(entry, because);
      log.error('a key that signs is not clear', { entry, because });
    }
  }

  #refuseDisputed(key: KeyName): void {
    const because = this.#disputed.get(entryOf(key));
    if (because === undefined) return;
    throw new CairnError('KeyUnusable', `${keyTitle(key)}: ${because}`);
  }

  async #add(entry: string, text: string): Promise<string> {
    const book = this.#bookOf(entry);
    try {
      return (await book.add({ [entry]: text }))[entry] ?? '';
    } catch (error) {
      if (!(error instanceof StoreError) || error.reason !== 'Invalid') throw error;
      const told = `the Secret ${book.title} takes no more keys: ${error.message}`;
      throw new CairnError('SigningFailed', told, { cause: error });
    }
  }

  #bookOf(entry: string): SecretBook {
    const digest = createHash('sha256').update(entry).digest();
    const book = this.#books[digest.readUInt32BE() % this.#books.length];
    if (!book) throw new Error('no book to keep keys in');
    return book;
  }
}

/** Names of namespaces and objects have no `_`. Of one that is too long, its digest. */
function entryOf({ namespace, owner, name, epoch }: KeyName): string {
  const tail = `_epoch-${epoch}.asc`;
  const head = `${namespace}${owner === 'repository' ? '_repository' : ''}_${name}`;
  if (head.length + tail.length <= longestEntry) return head + tail;
  return createHash('sha256').update(head).digest('hex') + tail;
}
