import { IndexFile } from '../../apt/write/index-file.ts';
import { changeIndex, type WrittenIndex } from '../../apt/write/package-index.ts';
import { compareEntries, isSameContent, type Entry } from '../../apt/write/stanzas.ts';
import type { RepositorySpec } from '../../crds/repository.ts';
import type { Removal } from '../../crds/upload.ts';
import type { BlobReader } from '../../depot/depot.ts';
import { conflict, filesOf, nameOf, type Find, type NewPackage } from './packages.ts';
import { holds, indexPath, placesOf, type IndexPlace } from './places.ts';
import { concerns, isOf, isVersion, missing, sourceOf, type Leaving } from './removal.ts';
import { mostIndexBytes } from './read-indexes.ts';
import { newest } from './retention.ts';

interface OpenIndex extends IndexPlace {
  gz: Buffer | undefined;
  /** Of `gz`. */
  sha256: string | undefined;
  file: IndexFile;
  /** What comes in, by `nameOf`. */
  readonly add: Map<string, Entry>;
  /** What goes, of what is in the file. */
  readonly drop: Map<string, Entry>;
  /** Known once it is written anew. */
  facts: WrittenIndex['facts'] | undefined;
  growth: number;
}

/** What is to be taken out. */
export interface Found {
  readonly entries: ReadonlyMap<IndexPlace, readonly Entry[]>;
  /** Of the pool files, those that no index names any more then. */
  readonly paths: ReadonlySet<string>;
  /** For people, in order. */
  readonly names: readonly string[];
}

const nothing: Found = { entries: new Map(), paths: new Set(), names: [] };

export interface IndexesChange {
  readonly add: readonly NewPackage[];
  readonly removal: Found;
  /** Told of what each index has of the same name; what it throws keeps all of it out. */
  readonly look?: (entry: Entry, alike: readonly Entry[], suite: string) => void;
}

/** An index as it will be; without facts when it is as it was. */
export interface NewIndex extends IndexPlace {
  readonly gz: Buffer;
  readonly facts: WrittenIndex['facts'] | undefined;
  /** How many packages it has more than before. */
  readonly growth: number;
}

/** All indexes of a repository, while packages are put into them. */
export class Indexes {
  readonly #open: readonly OpenIndex[];
  readonly #keepVersions: number;

  private constructor(open: readonly OpenIndex[], keepVersions: number) {
    this.#open = open;
    this.#keepVersions = keepVersions;
  }

  /**
   * Reads those that `find` knows of before; all others are empty, but for the packages for all
   * architectures that the suite has already.
   */
  static async read(spec: RepositorySpec, blobs: BlobReader, find: Find): Promise<Indexes> {
    const open: OpenIndex[] = [];
    for (const place of placesOf(spec)) {
      const found = await find(`dists/${place.suite}/${indexPath(place)}.gz`);
      const gz = found && (await blobs.bytes(found.sha256, mostIndexBytes));
      const changes = { add: new Map(), drop: new Map(), facts: undefined, growth: 0 };
      open.push({ ...place, gz, sha256: found?.sha256, file: new IndexFile(gz), ...changes });
    }
    const indexes = new Indexes(open, spec.retention.keepVersions);
    for (const index of open) if (index.gz === undefined) indexes.#inherit(index);
    return indexes;
  }

  /** What an Upload would take out. Throws `PackageMissing` for what is not there. */
  find(spec: RepositorySpec, leaving: Leaving): Found {
    if (leaving.remove.length === 0) return nothing;
    const open = this.#open.filter(concerns(spec, leaving));
    const sources = new Set(leaving.remove.flatMap(({ source }) => source ?? []));
    const built = open.map((index) => [index, builtFrom(index, sources)] as const);
    const entries = new Map<IndexPlace, readonly Entry[]>();
    for (const removal of leaving.remove) {
      const alike = built.map(([index, from]) => [index, entriesOf(index, removal, from)] as const);
      const others = alike.flatMap(([, some]) => some);
      const isThere = others.some((entry) => isVersion(removal, entry));
      if (!isThere && !leaving.ignoreMissing) throw missing(removal, leaving, others);
      for (const [index, some] of alike) {
        const meant = some.filter((entry) => isVersion(removal, entry));
        entries.set(index, [...(entries.get(index) ?? []), ...meant]);
      }
    }
    const names = [...entries.values()].flat().map(nameOf);
    return { entries, paths: this.#unnamedWithout(entries), names: [...new Set(names)].sort() };
  }

  /**
   * Takes packages out and puts others in, all or none. Throws `PackageConflict` for other bytes of
   * a version that is there then, in an index or in the pool.
   */
  async change({ add, removal, look }: IndexesChange, find: Find): Promise<void> {
    const coming = new Map<string, string>();
    for (const { entry, files, ...place } of add) {
      for (const index of this.#indexesFor(place, entry)) {
        const leaving = removal.entries.get(index) ?? [];
        if (!leaving.some((one) => nameOf(one) === nameOf(entry))) check(entry, index);
        look?.(entry, versionsIn(index, entry.package), index.suite);
      }
      for (const { path, sha256 } of files) {
        const before = removal.paths.has(path) ? undefined : (await find(path))?.sha256;
        const there = coming.get(path) ?? before;
        if (there !== undefined && there !== sha256) throw conflict(nameOf(entry), path);
        coming.set(path, sha256);
      }
    }
    for (const index of this.#open) take(index, removal.entries.get(index) ?? []);
    for (const { entry, ...place } of add) {
      for (const index of this.#indexesFor(place, entry)) index.add.set(nameOf(entry), entry);
    }
  }

  /**
   * Writes what has changed. With `sweep`, retention is asked about every package, not only about
   * those that have come. Returns the paragraphs that have gone.
   */
  write({ sweep }: { readonly sweep: boolean }): readonly Entry[] {
    return this.#open.flatMap((index) => this.#write(index, sweep));
  }

  /** What a suite has of a binary package by now. */
  versions(suite: string, name: string): readonly Entry[] {
    const binary = this.#open.filter((one) => one.suite === suite && one.architecture !== 'source');
    return binary.flatMap((index) => versionsIn(index, name));
  }

  /** Of these, the pool files that no index names any more. */
  unnamed(removed: readonly Entry[]): ReadonlySet<string> {
    const gone = new Set(removed.flatMap(filesOf));
    for (const name of new Set(removed.map((entry) => entry.package))) {
      for (const { file } of this.#open) {
        for (const path of file.versions(name).flatMap(filesOf)) gone.delete(path);
      }
    }
    return gone;
  }

  /** All pool files that an index names. */
  named(): ReadonlySet<string> {
    const paths = new Set<string>();
    for (const { file } of this.#open) {
      for (const entry of file.entries()) for (const path of filesOf(entry)) paths.add(path);
    }
    return paths;
  }

  /** Once they are written. */
  *all(): Generator<NewIndex> {
    for (const { gz, facts, growth, suite, component, architecture } of this.#open) {
      if (gz) yield { suite, component, architecture, gz, facts, growth };
    }
  }

  #write(index: OpenIndex, sweep: boolean): readonly Entry[] {
    const isTouched = index.add.size > 0 || index.drop.size > 0 || sweep;
    if (index.gz !== undefined && !isTouched) return [];
    const added = new Set(index.add.keys());
    const change = {
      add: [...index.add.values()],
      drop: [...index.drop.values()],
      keep: (versions: readonly Entry[]) =>
        newest(versions, this.#keepVersions, (entry) => added.has(nameOf(entry))),
      touch: sweep ? [...new Set(index.file.entries().map((entry) => entry.package))] : [],
    };
    const { gz, facts, entries } = changeIndex(index.gz, change, index.sha256);
    if (index.sha256 === facts.gz.hashes.SHA256) return [];
    index.gz = gz;
    index.sha256 = facts.gz.hashes.SHA256;
    index.file = new IndexFile(gz);
    index.facts = facts;
    index.growth = entries.added.length - entries.removed.length;
    return entries.removed;
  }

  /** The packages for all architectures, which another index of the same component has. */
  #inherit({ suite, component, architecture, add }: OpenIndex): void {
    if (architecture === 'source') return;
    const isSibling = (one: OpenIndex) => one.suite === suite && one.component === component;
    for (const { file } of this.#open.filter(isSibling)) {
      for (const entry of file.entries()) {
        if (entry.architecture === 'all') add.set(nameOf(entry), entry);
      }
    }
  }

  #indexesFor(
    { suite, component }: Pick<IndexPlace, 'suite' | 'component'>,
    { architecture }: Entry,
  ): readonly OpenIndex[] {
    return this.#open.filter(
      (index) =>
        index.suite === suite && index.component === component && holds(index, architecture),
    );
  }

  /** The pool files that no index names any more once these are gone. */
  #unnamedWithout(leaving: ReadonlyMap<IndexPlace, readonly Entry[]>): ReadonlySet<string> {
    const all = [...leaving.values()].flat();
    const paths = new Set(all.flatMap(filesOf));
    for (const name of new Set(all.map((entry) => entry.package))) {
      for (const index of this.#open) {
        const going = new Set((leaving.get(index) ?? []).map(nameOf));
        const staying = versionsIn(index, name).filter((entry) => !going.has(nameOf(entry)));
        for (const path of staying.flatMap(filesOf)) paths.delete(path);
      }
    }
    return paths;
  }
}

/** Of a package, what an index will have by now. */
function versionsIn({ file, add, drop }: OpenIndex, name: string): readonly Entry[] {
  const coming = [...add.values()].filter((entry) => entry.package === name);
  return [...file.versions(name).filter((entry) => !drop.has(nameOf(entry))), ...coming];
}

/** What a removal is about, in all versions. */
function entriesOf(index: OpenIndex, removal: Removal, built: BuiltFrom): readonly Entry[] {
  if (removal.source !== undefined) return built.get(removal.source) ?? [];
  return versionsIn(index, removal.package ?? '').filter((entry) => isOf(removal, entry));
}

type BuiltFrom = ReadonlyMap<string, readonly Entry[]>;

/** By source packages what was built from them, and they themselves: only all of an index tells. */
function builtFrom({ file, add, drop }: OpenIndex, sources: ReadonlySet<string>): BuiltFrom {
  const built = new Map<string, Entry[]>();
  const take = (entry: Entry) => {
    const { name } = sourceOf(entry);
    if (sources.has(name)) built.set(name, [...(built.get(name) ?? []), entry]);
  };
  if (sources.size === 0) return built;
  for (const entry of file.entries()) if (!drop.has(nameOf(entry))) take(entry);
  for (const entry of add.values()) take(entry);
  return built;
}

function take({ file, add, drop }: OpenIndex, leaving: readonly Entry[]): void {
  for (const entry of leaving) {
    const name = nameOf(entry);
    add.delete(name);
    const old = file.versions(entry.package).find((one) => nameOf(one) === name);
    if (old) drop.set(name, old);
  }
}

function check(entry: Entry, { file, add, drop }: OpenIndex): void {
  const old = file.versions(entry.package).filter((other) => !drop.has(nameOf(other)));
  const same = add.get(nameOf(entry)) ?? old.find((other) => compareEntries(other, entry) === 0);
  if (same !== undefined && !isSameContent(same, entry)) throw conflict(nameOf(entry));
}
