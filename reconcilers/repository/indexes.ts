import { factsOf, type FileFacts } from '../../apt/write/file-facts.ts';
import { IndexFile } from '../../apt/write/index-file.ts';
import { changeIndex } from '../../apt/write/package-index.ts';
import { compareEntries, isSameContent, type Entry } from '../../apt/write/stanzas.ts';
import type { RepositorySpec } from '../../crds/repository.ts';
import type { BlobReader } from '../../depot/depot.ts';
import { conflict, filesOf, nameOf, type Find, type NewPackage } from './packages.ts';
import { holds, indexPath, placesOf, type IndexPlace } from './places.ts';
import { newest } from './retention.ts';

interface OpenIndex extends IndexPlace {
  gz: Buffer | undefined;
  file: IndexFile;
  /** What comes in, by `nameOf`. */
  readonly add: Map<string, Entry>;
  /** Known once it is written anew. */
  facts: IndexFacts | undefined;
}

export interface IndexFacts {
  readonly gz: FileFacts;
  readonly plain: FileFacts;
}

/** An index as it will be; without facts when it is as it was. */
export interface NewIndex extends IndexPlace {
  readonly gz: Buffer;
  readonly facts: IndexFacts | undefined;
}

const mostIndexBytes = 1024 * 1024 * 1024;

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
      open.push({ ...place, gz, file: new IndexFile(gz), add: new Map(), facts: undefined });
    }
    const indexes = new Indexes(open, spec.retention.keepVersions);
    for (const index of open) if (index.gz === undefined) indexes.#inherit(index);
    return indexes;
  }

  /**
   * Puts packages in, all or none. Throws `PackageConflict` for other bytes of a version that is
   * there, in an index or in the pool.
   */
  async add(packages: readonly NewPackage[], find: Find): Promise<void> {
    const coming = new Map<string, string>();
    for (const { entry, files, ...place } of packages) {
      for (const index of this.#indexesFor(place, entry)) this.#check(entry, index);
      for (const { path, sha256 } of files) {
        const there = coming.get(path) ?? (await find(path))?.sha256;
        if (there !== undefined && there !== sha256) throw conflict(nameOf(entry), path);
        coming.set(path, sha256);
      }
    }
    for (const { entry, ...place } of packages) {
      for (const { add } of this.#indexesFor(place, entry)) add.set(nameOf(entry), entry);
    }
  }

  /**
   * Writes what has changed. With `sweep`, retention is asked about every package, not only about
   * those that have come. Returns the paragraphs that have gone.
   */
  write({ sweep }: { readonly sweep: boolean }): readonly Entry[] {
    return this.#open.flatMap((index) => this.#write(index, sweep));
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
    for (const { add: _, file: __, gz, ...index } of this.#open) if (gz) yield { ...index, gz };
  }

  #write(index: OpenIndex, sweep: boolean): readonly Entry[] {
    if (index.gz !== undefined && index.add.size === 0 && !sweep) return [];
    const added = new Set(index.add.keys());
    const change = changeIndex(index.gz, {
      add: [...index.add.values()],
      keep: (versions) => newest(versions, this.#keepVersions, (entry) => added.has(nameOf(entry))),
      touch: sweep ? [...new Set(index.file.entries().map((entry) => entry.package))] : [],
    });
    const { gz, plain, entries } = change;
    if (index.gz?.equals(gz)) return [];
    index.gz = gz;
    index.file = new IndexFile(gz);
    index.facts = { gz: factsOf(gz), plain };
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

  #check(entry: Entry, { file, add }: OpenIndex): void {
    const same =
      add.get(nameOf(entry)) ??
      file.versions(entry.package).find((other) => compareEntries(other, entry) === 0);
    if (same !== undefined && !isSameContent(same, entry)) throw conflict(nameOf(entry));
  }
}
