import type { ManifestProblem } from '../../crds/config-source.ts';
import { keyOf, type ObjectKey } from '../../crds/object.ts';
import {
  StoreError,
  type Inventory,
  type InventoryEntry,
  type StoreReader,
  type StoreWriter,
} from '../../crds/store.ts';
import { isSame } from '../json.ts';
import type { Plan, PlannedApply } from './plan.ts';
import { sideBySide } from './side-by-side.ts';

/** What came of a plan. */
export interface Applied {
  /** Objects that this source stands for now. */
  readonly objects: number;
  readonly created: readonly ObjectKey[];
  readonly configured: readonly ObjectKey[];
  readonly pruned: readonly ObjectKey[];
  /** Manifests that the store refused: their objects stay as they were. */
  readonly problems: readonly ManifestProblem[];
}

/** Manifests that are applied at a time: most of it is waiting for an API server. */
const atOnce = 8;

export interface ApplyTo {
  readonly store: Pick<StoreReader, 'get'> & Pick<StoreWriter, 'apply' | 'delete'>;
  readonly inventory: Inventory;
  /** The name of the config source. */
  readonly source: string;
  /** Breaks off between two objects. */
  readonly signal?: AbortSignal;
}

/**
 * Carries a plan out. What was applied before in this version, and is as that left it, costs nothing. The inventory names an object before the object is created and until it has
 * gone: after a crash at any point, none is left that nobody would ever prune. What the store
 * refuses is a problem of that manifest, and the others go on.
 */
export async function applyPlan(
  plan: Plan,
  { store, inventory, source, signal }: ApplyTo,
): Promise<Applied> {
  const book = await Book.open(inventory);
  for (const entry of plan.forget) book.remove(entry);
  for (const planned of plan.apply) book.intend(planned);
  await book.write();
  const created: ObjectKey[] = [];
  const configured: ObjectKey[] = [];
  const pruned: ObjectKey[] = [];
  const problems: ManifestProblem[] = [];
  try {
    const apply = async (planned: PlannedApply) => {
      if (planned.wasApplied && planned.outcome === 'unchanged') {
        book.found(planned);
        return;
      }
      signal?.throwIfAborted();
      try {
        const { object, outcome } = await store.apply(planned.loaded.manifest, `config:${source}`);
        const { key, digest, loaded } = planned;
        book.add({ ...key, uid: object.metadata.uid, file: loaded.file, digest });
        if (outcome === 'created') created.push(planned.key);
        if (outcome === 'configured') configured.push(planned.key);
      } catch (error) {
        problems.push(refusal(planned, error));
        book.withdraw(planned.key);
      }
    };
    for (const some of byKind(plan.apply)) await sideBySide(some, atOnce, apply);
    for (const entry of plan.prune) if (await prune(entry, store, book)) pruned.push(keyIn(entry));
  } finally {
    await book.write();
  }
  return { objects: book.size, created, configured, pruned, problems };
}

/** Those of one kind after the other, as the plan has them: they build on each other. */
function byKind(planned: readonly PlannedApply[]): readonly (readonly PlannedApply[])[] {
  return [...Map.groupBy(planned, ({ key }) => key.kind).values()];
}

/** Deletes by uid. Whether this source has deleted it; one with finalizers stays in the book. */
async function prune(entry: InventoryEntry, store: ApplyTo['store'], book: Book): Promise<boolean> {
  try {
    await store.delete(keyIn(entry), { uid: entry.uid });
  } catch (error) {
    if (!isGone(error)) throw error;
    book.remove(entry);
    return false;
  }
  const left = await store.get(keyIn(entry));
  if (left?.metadata.uid !== entry.uid) book.remove(entry);
  return true;
}

/** Gone, or another object of that name by now. */
function isGone(error: unknown): boolean {
  return error instanceof StoreError && ['NotFound', 'Conflict'].includes(error.reason);
}

/** Throws what is no refusal: an object that was perhaps created stays in the inventory. */
function refusal({ loaded }: PlannedApply, error: unknown): ManifestProblem {
  if (!(error instanceof StoreError) || error.reason === 'Unavailable') throw error;
  const { file, line, column } = loaded;
  return { file, line, column, message: error.message };
}

/** The inventory in memory; written only when it differs. */
class Book {
  readonly #inventory: Inventory;
  readonly #entries: Map<string, InventoryEntry>;
  #written: readonly InventoryEntry[];

  static async open(inventory: Inventory): Promise<Book> {
    return new Book(inventory, await inventory.list());
  }

  constructor(inventory: Inventory, entries: readonly InventoryEntry[]) {
    this.#inventory = inventory;
    this.#written = entries.toSorted(byKey);
    this.#entries = new Map(this.#written.map((entry) => [keyOf(entry), entry]));
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Names an object before it is created, or before it is taken over. */
  intend({ key, uid, loaded }: PlannedApply): void {
    if (this.#entries.get(keyOf(key))?.uid === uid && uid !== undefined) return;
    this.add({ ...key, uid: uid ?? '', file: loaded.file });
  }

  /** An object is as it was applied; its manifest may have moved to another file. */
  found({ key, loaded: { file } }: PlannedApply): void {
    const entry = this.#entries.get(keyOf(key));
    if (entry && entry.file !== file) this.add({ ...entry, file });
  }

  /** The intended object was not created. */
  withdraw(key: ObjectKey): void {
    if (this.#entries.get(keyOf(key))?.uid === '') this.#entries.delete(keyOf(key));
  }

  add(entry: InventoryEntry): void {
    this.#entries.set(keyOf(entry), entry);
  }

  remove(entry: ObjectKey): void {
    this.#entries.delete(keyOf(entry));
  }

  async write(): Promise<void> {
    const entries = [...this.#entries.values()].sort(byKey);
    if (isSame(entries, this.#written)) return;
    await this.#inventory.replace(entries);
    this.#written = entries;
  }
}

function byKey(a: ObjectKey, b: ObjectKey): number {
  return keyOf(a) < keyOf(b) ? -1 : 1;
}

function keyIn({ kind, namespace, name }: ObjectKey): ObjectKey {
  return { kind, namespace, name };
}
