import { createHash } from 'node:crypto';
import { CairnError } from '../../crds/reasons.ts';
import { StoreError } from '../../crds/store.ts';
import {
  keyTitle,
  newKey,
  type KeyFolder,
  type KeyName,
  type KeyStore,
} from '../../reconcilers/signing/key-store.ts';
import type { Log } from '../log.ts';
import type { SecretBook } from './secret-book.ts';

/** The keys of a data directory; more of them don't fit into a Secret. */
const mostCarried = 5000;
const longestEntry = 253;
const longestKey = 64 * 1024;

/**
 * Private keys as entries of one Secret, which every replica reads and none writes twice. As
 * `KeyFolder` says, they outlive what they sign for.
 */
export class KeyBook implements KeyStore {
  readonly #book: SecretBook;
  readonly #before: { readonly folder: KeyFolder; readonly log: Log } | undefined;
  #carried: Promise<void> | undefined;
  /** Entries of which the data directory has another key: why nobody may use them. */
  readonly #disputed = new Map<string, string>();

  /** The keys of a data directory are taken over before anybody is given one. */
  constructor(book: SecretBook, before?: { readonly folder: KeyFolder; readonly log: Log }) {
    this.#book = book;
    this.#before = before;
  }

  async find(key: KeyName): Promise<string | undefined> {
    await this.#carryOverOnce();
    this.#refuseDisputed(key);
    return this.#book.find(entryOf(key));
  }

  async obtain(key: KeyName, now: Date): Promise<string> {
    const known = await this.find(key);
    if (known !== undefined) return known;
    const entry = entryOf(key);
    const added = await this.#add({ [entry]: await newKey(key, now) });
    return added[entry] ?? '';
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
    if (found.size === 0) return;
    const kept = await this.#add(Object.fromEntries(found));
    for (const [entry, text] of found) {
      if (kept[entry]?.trim() === text.trim()) continue;
      const because =
        `its file in keys/ of the data directory, and ${entry} in the Secret ${this.#book.title}, ` +
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

  async #add(entries: Readonly<Record<string, string>>): ReturnType<SecretBook['add']> {
    try {
      return await this.#book.add(entries);
    } catch (error) {
      if (!(error instanceof StoreError) || error.reason !== 'Invalid') throw error;
      const told = `the Secret ${this.#book.title} takes no more keys: ${error.message}`;
      throw new CairnError('SigningFailed', told, { cause: error });
    }
  }
}

/** Names of namespaces and objects have no `_`. Of one that is too long, its digest. */
function entryOf({ namespace, owner, name, epoch }: KeyName): string {
  const tail = `_epoch-${epoch}.asc`;
  const head = `${namespace}${owner === 'repository' ? '_repository' : ''}_${name}`;
  if (head.length + tail.length <= longestEntry) return head + tail;
  return createHash('sha256').update(head).digest('hex') + tail;
}
