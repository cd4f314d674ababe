import { hash } from 'node:crypto';
import { CairnError } from '../../crds/reasons.ts';
import { factsOf, FileHasher, type FileFacts } from './file-facts.ts';
import { keepPrefixHashes, prefixHashes } from './prefix-hashes.ts';
import { blocksOf, lastBefore, packBlock, unpackBlock, type PackedBlock } from './blocks.ts';
import {
  beginsBlock,
  compareEntries,
  isSameContent,
  joinEntries,
  splitEntries,
  type Entry,
} from './stanzas.ts';

/** What comes into an index and what goes, all at once or not at all. */
export interface IndexChange {
  readonly add: readonly Entry[];
  /** What goes first, by name, version and architecture; no matter whether it is there. */
  readonly drop?: readonly Entry[];
  /** Decides of all versions of a package which stay; those that are added are among them. */
  readonly keep?: (versions: readonly Entry[]) => readonly Entry[];
  /** Packages, by name, of which `keep` is to be asked though nothing is added to them. */
  readonly touch?: readonly string[];
}

export interface WrittenIndex {
  /** The compressed index. */
  readonly gz: Buffer;
  readonly facts: {
    readonly gz: FileFacts;
    /** Of the index before it was compressed. */
    readonly plain: FileFacts;
  };
  readonly entries: { readonly added: readonly Entry[]; readonly removed: readonly Entry[] };
}

/** About 200 KB of stanzas: little to do for one package, and hardly anything lost in size. */
const perBlock = 200;

/**
 * A compressed index with a change made to it; of an empty one when `before` is left out. Blocks
 * begin at packages that their names choose, so the bytes depend on what is in the index alone, not
 * on how it came there. A package that is there with the same content is not added again. Throws
 * `PackageConflict` for other content of the same name, version and architecture, and
 * `IndexInvalid` when `before` is damaged. `sha256`: that of `before`, where it is known.
 */
export function changeIndex(
  before: Buffer | undefined,
  change: IndexChange,
  sha256?: string,
): WrittenIndex {
  const blocks = before === undefined ? [] : blocksOf(before);
  const wanted = byBlock(blocks, change);
  const added: Entry[] = [];
  const removed: Entry[] = [];
  const segments: Segment[] = blocks.length === 0 ? [{ entries: [] }] : [...blocks];
  for (const [at, changes] of wanted) {
    const now = changed(entriesOf(segments[at] ?? { entries: [] }), changes, change);
    segments[at] = { entries: now.entries };
    added.push(...now.added);
    removed.push(...now.removed);
  }
  const known = before === undefined ? [] : prefixHashes(sha256 ?? hash('sha256', before));
  return { ...written(mended(segments), known, blocks), entries: { added, removed } };
}

/** A block as it was, or what is to be in its place. */
type Segment = PackedBlock | { readonly entries: readonly Entry[] };

function entriesOf(segment: Segment): readonly Entry[] {
  return 'entries' in segment
    ? segment.entries
    : splitEntries(unpackBlock(segment).toString('utf8'));
}

/** What lost the package that began its block belongs to the block before. */
function mended(segments: readonly Segment[]): readonly Segment[] {
  const whole: Segment[] = [];
  for (const segment of segments) {
    const last = whole.at(-1);
    const [first] = 'entries' in segment ? segment.entries : [];
    const isOrphan = 'entries' in segment && !(first && beginsBlock(first.package, perBlock));
    if (last && isOrphan) {
      whole[whole.length - 1] = { entries: [...entriesOf(last), ...segment.entries] };
    } else whole.push(segment);
  }
  return whole;
}

/** The text before the first change has been hashed when `before` was written. */
function written(
  segments: readonly Segment[],
  before: readonly FileHasher[],
  blocks: readonly PackedBlock[],
): Pick<WrittenIndex, 'gz' | 'facts'> {
  const changed = segments.findIndex((segment, at) => segment !== blocks[at]);
  const same = Math.min(changed === -1 ? segments.length : changed, before.length);
  const hashes = before.slice(0, same);
  const packed = blocks.slice(0, same).map((block) => block.packed);
  const plain = before[same - 1]?.copy() ?? new FileHasher();
  const add = (block: Buffer, text: Buffer) => {
    plain.update(text);
    packed.push(block);
    hashes.push(plain.copy());
  };
  for (const segment of segments.slice(same)) {
    if ('packed' in segment) add(segment.packed, unpackBlock(segment));
    else for (const [block, text] of packedPieces(segment.entries)) add(block, text);
  }
  // Not even an empty file is no file at all, for gunzip.
  if (packed.length === 0) add(packBlock('', Buffer.alloc(0)).packed, Buffer.alloc(0));
  const gz = Buffer.concat(packed);
  const facts = { gz: factsOf(gz), plain: plain.facts() };
  keepPrefixHashes(facts.gz.hashes.SHA256, hashes);
  return { gz, facts };
}

function* packedPieces(entries: readonly Entry[]): Generator<readonly [Buffer, Buffer]> {
  for (const piece of cut(entries)) {
    const text = Buffer.from(joinEntries(piece));
    yield [packBlock(piece[0]?.package ?? '', text).packed, text];
  }
}

interface BlockChange {
  readonly add: Entry[];
  readonly drop: Entry[];
  readonly touch: Set<string>;
}

/** Which block each change is about: the last one that begins at or before the package. */
function byBlock(
  blocks: readonly PackedBlock[],
  { add, drop = [], touch = [] }: IndexChange,
): ReadonlyMap<number, BlockChange> {
  const wanted = new Map<number, BlockChange>();
  const of = (name: string) => {
    const at = Math.max(lastBefore(blocks, name), 0);
    const found = wanted.get(at) ?? { add: [], drop: [], touch: new Set<string>() };
    wanted.set(at, found);
    return found;
  };
  for (const entry of add) of(entry.package).add.push(entry);
  for (const entry of drop) of(entry.package).drop.push(entry);
  for (const name of touch) of(name).touch.add(name);
  return wanted;
}

function changed(
  old: readonly Entry[],
  { add, drop, touch }: BlockChange,
  { keep = (versions) => versions }: IndexChange,
): { entries: readonly Entry[]; added: readonly Entry[]; removed: readonly Entry[] } {
  const byName = new Map<string, Entry[]>();
  const dropped = new Set(drop.map(identityOf));
  const removed: Entry[] = [];
  for (const entry of old) {
    if (dropped.has(identityOf(entry))) {
      removed.push(entry);
      continue;
    }
    const versions = byName.get(entry.package);
    if (versions) versions.push(entry);
    else byName.set(entry.package, [entry]);
  }
  const names = new Set([...add.map((entry) => entry.package), ...touch]);
  const added: Entry[] = [];
  for (const entry of add) {
    const versions = byName.get(entry.package) ?? [];
    if (isNew(entry, versions)) {
      added.push(entry);
      versions.push(entry);
    }
    byName.set(entry.package, versions);
  }
  for (const name of names) {
    const versions = (byName.get(name) ?? []).sort(compareEntries);
    const kept = new Set(keep(versions));
    removed.push(...versions.filter((entry) => !kept.has(entry)));
    byName.set(
      name,
      versions.filter((entry) => kept.has(entry)),
    );
  }
  const entries = [...byName.values()].flat().sort(compareEntries);
  const gone = new Set(removed);
  const fresh = new Set(added);
  return {
    entries,
    added: added.filter((entry) => !gone.has(entry)),
    removed: removed.filter((entry) => !fresh.has(entry)),
  };
}

function identityOf({ package: name, version, architecture }: Entry): string {
  return `${name} ${version} ${architecture}`;
}

/** False when it is there already. */
function isNew(entry: Entry, versions: readonly Entry[]): boolean {
  const same = versions.find(
    ({ version, architecture }) => version === entry.version && architecture === entry.architecture,
  );
  if (!same) return true;
  if (isSameContent(same, entry)) return false;
  throw new CairnError(
    'PackageConflict',
    `${entry.package} ${entry.version} ${entry.architecture} is there already, with other bytes: ` +
      'a version that was published never changes; give the new one another version',
  );
}

/** Into blocks. */
function* cut(entries: readonly Entry[]): Generator<readonly Entry[]> {
  let start = 0;
  for (let at = 1; at < entries.length; at += 1) {
    const name = entries[at]?.package ?? '';
    if (name === entries[at - 1]?.package || !beginsBlock(name, perBlock)) continue;
    yield entries.slice(start, at);
    start = at;
  }
  if (start < entries.length) yield entries.slice(start);
}
