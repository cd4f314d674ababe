/** Real APT archives, made in a folder in milliseconds. */
import { rmSync } from 'node:fs';
import path from 'node:path';
import { decideLayout, type ArchiveOptions, type Layout } from './archive-options.ts';
import { compressAll, type Compression } from './compress.ts';
import type { PackageSpec } from './deb.ts';
import { makeIndexes, type IndexFile } from './indexes.ts';
import { clearsign, detachSign, type Key } from './keys.ts';
import {
  addBinary,
  addSource,
  hashOf,
  type BinaryPackage,
  type SourcePackage,
  type SourceSpec,
} from './pool.ts';
import { ReleaseDirectory } from './release-directory.ts';
import { formatRelease, type ReleaseEntry } from './release-file.ts';

export interface PublishOptions {
  /** The Date of Release and every new file's mtime; see `publish`. */
  readonly date?: Date;
  readonly validUntil?: Date;
  /** Instead of the archive's own keys; `[]` leaves the archive unsigned. */
  readonly signWith?: Key | readonly Key[];
  /** Sign as if it were then; expired keys need it. */
  readonly signedAt?: Date;
}

/**
 * One suite of an archive below `root`. Several suites may share a root and its pool: make an
 * Archive of each. Nothing is visible in the indexes before `publish`.
 */
export class Archive {
  readonly root: string;
  readonly layout: Layout;
  readonly #binaries = new Map<string, BinaryPackage>();
  readonly #sources = new Map<string, SourcePackage>();
  #lastDate: Date | undefined;
  #compressed = new Map<string, Uint8Array>();
  readonly #directory: ReleaseDirectory;

  constructor(root: string, options: ArchiveOptions) {
    this.root = root;
    this.layout = decideLayout(options);
    this.#directory = new ReleaseDirectory(path.join(root, this.layout.directory));
  }

  /** What `publish` will list. */
  get packages(): readonly BinaryPackage[] {
    return [...this.#binaries.values()];
  }

  /** Builds a .deb into the pool. The same name, version and architecture again replaces it. */
  add(spec: PackageSpec): BinaryPackage {
    const added = addBinary(this.root, this.layout, spec);
    this.#binaries.set(added.path, added);
    return added;
  }

  addSource(spec: SourceSpec): SourcePackage {
    const added = addSource(this.root, this.layout, spec);
    this.#sources.set(`${added.name}_${added.version}`, added);
    return added;
  }

  /** Lists the packages of that name (and version) no more; their files stay in the pool. */
  remove(name: string, version?: string): void {
    for (const listed of [this.#binaries, this.#sources]) {
      for (const [key, entry] of listed) {
        const isIt = entry.name === name && (version ?? entry.version) === entry.version;
        if (isIt) listed.delete(key);
      }
    }
  }

  /** Takes the file of a package out of the pool; `remove` it as well, or leave a broken archive. */
  deleteFile(file: { readonly path: string }): void {
    rmSync(path.join(this.root, file.path), { force: true });
  }

  /**
   * Writes the indexes, then the Release files. Without a date, the first publication is dated an
   * hour ago and each later one a second after the one before: always newer, never in the future.
   */
  async publish(options: PublishOptions = {}): Promise<void> {
    const date = options.date ?? this.#nextDate();
    this.#lastDate = date;
    const entries = await this.#entries();
    const text = formatRelease(this.layout, entries, { ...options, date });
    const signers =
      options.signWith === undefined ? this.layout.signers : [options.signWith].flat();
    const signatures = await this.#sign(text, signers, options.signedAt);
    this.#directory.write(entries, this.layout.byHash ? this.layout.hashes : [], date);
    this.#directory.writeReleaseFiles({ Release: text, ...signatures }, date);
  }

  async #sign(text: string, signers: readonly Key[], at: Date | undefined) {
    const { inRelease, releaseGpg } = this.layout;
    const signed = signers.length > 0;
    const when = at ? { at } : {};
    return {
      'Release.gpg': signed && releaseGpg ? await detachSign(text, signers, when) : undefined,
      InRelease: signed && inRelease ? await clearsign(text, signers, when) : undefined,
    };
  }

  #nextDate(): Date {
    const now = Math.floor(Date.now() / 1000) * 1000;
    return new Date(this.#lastDate ? this.#lastDate.getTime() + 1000 : now - 3_600_000);
  }

  async #entries(): Promise<ReleaseEntry[]> {
    const holdings = { binaries: this.packages, sources: [...this.#sources.values()] };
    const indexes = makeIndexes(this.layout, holdings);
    const entries: ReleaseEntry[] = indexes
      .filter(({ asIs }) => asIs)
      .map((file) => ({ ...file, stored: true, listed: !file.unlisted }));
    const plain = indexes.filter(({ asIs }) => !asIs);
    const { compressions, listPlain } = this.layout;
    if (listPlain && !compressions.includes('')) {
      entries.push(...plain.map((file) => ({ ...file, stored: false, listed: true })));
    }
    const before = this.#compressed;
    this.#compressed = new Map();
    for (const compression of compressions) {
      entries.push(...(await this.#compress(plain, compression, before)));
    }
    return entries;
  }

  /** What was compressed for the publication before isn't compressed again. */
  async #compress(
    files: readonly IndexFile[],
    compression: Compression,
    before: ReadonlyMap<string, Uint8Array>,
  ): Promise<ReleaseEntry[]> {
    const keyOf = ({ content }: IndexFile) => `${hashOf('SHA256', content)}${compression}`;
    const missing = files.filter((file) => !before.has(keyOf(file)));
    const contents = missing.map(({ content }) => content);
    const fresh = await compressAll(contents, compression);
    missing.forEach((file, index) =>
      this.#compressed.set(keyOf(file), fresh[index] ?? file.content),
    );
    return files.map((file) => {
      const content = this.#compressed.get(keyOf(file)) ?? before.get(keyOf(file)) ?? file.content;
      this.#compressed.set(keyOf(file), content);
      return { path: `${file.path}${compression}`, content, stored: true, listed: true };
    });
  }
}
