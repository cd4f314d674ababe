import { createHash } from 'node:crypto';
import type { ManifestProblem } from '../../crds/config-source.ts';
import { kinds } from '../../crds/index.ts';
import { annotations, keyOf, type KubeObject, type ObjectKey } from '../../crds/object.ts';
import type { InventoryEntry } from '../../crds/store.ts';
import { manifestChanges, type FieldChange } from './changes.ts';
import { digestOf } from './given.ts';
import type { LoadedManifest, Reading } from './manifests.ts';
import { isOptedOut } from './opt-out.ts';

export interface PlannedApply {
  readonly loaded: LoadedManifest;
  readonly key: ObjectKey;
  readonly outcome: 'create' | 'update' | 'unchanged';
  /** Of an update: field by field. */
  readonly changes?: readonly FieldChange[];
  /** The uid of the object that is there. */
  readonly uid?: string;
  /** Of the manifest. */
  readonly digest: string;
  /**
   * The manifest was applied before, in this very version: if anything differs from it now, somebody
   * else has changed the object, deleted it, or made another one of that name.
   */
  readonly wasApplied: boolean;
}

/** What makes the store agree with a config source. */
export interface Plan {
  /** Mirrors first, then what builds on them. */
  readonly apply: readonly PlannedApply[];
  /** What is no longer declared, with the uid to delete it by; what builds on others first. */
  readonly prune: readonly InventoryEntry[];
  /** Entries of the inventory whose object has gone or is somebody else's by now. */
  readonly forget: readonly InventoryEntry[];
  /** Deletions that are too many at once. Nothing is pruned until they are approved. */
  readonly held?: { readonly digest: string; readonly objects: readonly ObjectKey[] };
  /** Manifests of objects that another config source has declared; files that were emptied. */
  readonly problems: readonly ManifestProblem[];
}

export interface PlanInput {
  readonly reading: Pick<Reading, 'manifests' | 'bad' | 'complete' | 'empty'>;
  /** What this source has applied so far: nothing else is ever pruned. */
  readonly inventory: readonly InventoryEntry[];
  /** What is in the store, of all kinds. */
  readonly objects: readonly KubeObject[];
  /** From the key of an object to the name of another source that has applied it. */
  readonly claims?: ReadonlyMap<string, string>;
  /** The digest of a held prune that a person has approved. */
  readonly approved?: string | undefined;
}

/** Decides what to apply and what to prune. A bad document changes nothing and deletes nothing. */
export function planChanges(input: PlanInput): Plan {
  const { reading, inventory, claims = new Map<string, string>(), approved } = input;
  const objects = new Map(input.objects.map((object) => [keyOf(object), object]));
  const entries = new Map(inventory.map((entry) => [keyOf(entry), entry]));
  const apply: PlannedApply[] = [];
  const problems: ManifestProblem[] = [];
  for (const loaded of reading.manifests) {
    const key = keyOfManifest(loaded);
    const text = keyOf(key);
    const owner = claims.get(text);
    const current = objects.get(text);
    if (owner !== undefined) problems.push(claimProblem(loaded, owner));
    else if (!isOptedOut(current, loaded.manifest))
      apply.push(planOne(loaded, key, { current, entry: entries.get(text) }));
  }
  const forget = inventory.filter((entry) => isGone(entry, objects.get(keyOf(entry))));
  const undeclared = reading.complete ? unwanted(input, objects) : [];
  const emptied = undeclared.filter(({ file }) => reading.empty.includes(file));
  problems.push(...emptied.map(emptiedProblem));
  const candidates = undeclared.filter((entry) => !emptied.includes(entry));
  const held = holdBack(candidates, inventory.length - forget.length, approved);
  const prune = held ? [] : candidates;
  const sorted = apply.sort((a, b) => rank(a.key) - rank(b.key));
  return { apply: sorted, prune, forget, problems, ...(held && { held }) };
}

/** The digest by which a person approves of deleting exactly these objects. */
export function pruneDigest(objects: readonly ObjectKey[]): string {
  const list = objects.map((key) => `${keyOf(key)}\n`).sort();
  return createHash('sha256').update(list.join('')).digest('hex');
}

function planOne(
  loaded: LoadedManifest,
  key: ObjectKey,
  {
    current,
    entry,
  }: { readonly current: KubeObject | undefined; readonly entry: InventoryEntry | undefined },
): PlannedApply {
  const digest = digestOf(loaded.manifest);
  const isSameVersion = entry?.digest === digest && entry.uid !== '';
  if (!current) return { loaded, key, digest, outcome: 'create', wasApplied: isSameVersion };
  const changes = manifestChanges(current, loaded.manifest, { isNew: !isSameVersion });
  const { uid } = current.metadata;
  const common = { loaded, key, digest, uid };
  return changes.length === 0
    ? { ...common, outcome: 'unchanged', wasApplied: isSameVersion && entry.uid === uid }
    : { ...common, outcome: 'update', changes, wasApplied: isSameVersion };
}

/** What was applied and is declared no more, unless it is to be kept or is on its way out already. */
function unwanted({ reading, inventory }: PlanInput, objects: ReadonlyMap<string, KubeObject>) {
  const declared = new Set(reading.manifests.map((loaded) => keyOf(keyOfManifest(loaded))));
  const prune: InventoryEntry[] = [];
  for (const entry of inventory) {
    const object = objects.get(keyOf(entry));
    if (declared.has(keyOf(entry)) || !object || isGone(entry, object)) continue;
    const { deletionTimestamp, annotations: notes, uid } = object.metadata;
    const isHeld = notes?.[annotations.prune] === 'Never' || isOptedOut(object);
    const isKept = isHeld || isMeant(entry, reading);
    if (!isKept && deletionTimestamp === undefined) prune.push({ ...entry, uid });
  }
  return prune.sort((a, b) => rank(b) - rank(a));
}

/** Whether a bad document may be about this object. Its kind may be what is wrong with it. */
function isMeant(entry: ObjectKey, { bad }: PlanInput['reading']): boolean {
  return bad.some(({ kind, namespace, name }) => {
    if (name !== entry.name) return false;
    const isKnown = kinds.some((known) => known.kind === kind);
    return !isKnown || (kind === entry.kind && namespace === entry.namespace);
  });
}

/** An entry without uid was noted just before its object was created, by a run that didn't end. */
function isGone(entry: InventoryEntry, object: KubeObject | undefined): boolean {
  return !object || (entry.uid !== '' && entry.uid !== object.metadata.uid);
}

/** A prune that looks like an accident: nearly everything, or much at once. */
function holdBack(
  candidates: readonly InventoryEntry[],
  total: number,
  approved: string | undefined,
): Plan['held'] {
  const count = candidates.length;
  const everything = count === total && total >= 2;
  const half = count > total * 0.5 && count >= 3;
  const fifth = count > total * 0.2 && count >= 5;
  if (!everything && !half && !fifth) return undefined;
  const objects = candidates.map(({ kind, namespace, name }) => ({ kind, namespace, name }));
  const digest = pruneDigest(objects);
  return digest === approved ? undefined : { digest, objects };
}

function keyOfManifest({ manifest }: LoadedManifest): ObjectKey {
  const { name, namespace = 'default' } = manifest.metadata;
  return { kind: manifest.kind, namespace, name };
}

function claimProblem({ file, line, column, manifest }: LoadedManifest, owner: string) {
  const { kind, metadata } = manifest;
  const message = `${kind} ${metadata.name} is declared by the config source ${owner} already`;
  return { file, line, column, message };
}

/** Nobody deletes by emptying a file: it is being written, or the disk was full. */
function emptiedProblem({ file, kind, name }: InventoryEntry): ManifestProblem {
  const message = `the file is empty, and has declared ${kind} ${name}; to delete that, remove the file`;
  return { file, line: 1, column: 1, message };
}

/** Kinds in the order in which they build on each other. */
function rank({ kind }: ObjectKey): number {
  return kinds.findIndex((known) => known.kind === kind);
}
