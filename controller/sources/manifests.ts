import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { ManifestProblem } from '../../crds/config-source.ts';
import { keyOf, type Manifest } from '../../crds/object.ts';
import { validateManifest } from '../../crds/validate.ts';
import { readDocuments, type Document } from './documents.ts';
import { BoundedReader, listManifestFiles, messageOf } from './files.ts';
import { givenOf } from './given.ts';
import { identityOf, itemsOf, problemOfItem, type Identity, type Item } from './items.ts';
import { checkInlineKeys, readKeyFile, signedByOf, withInlineKeys } from './key-files.ts';
import { optOutProblems } from './opt-out.ts';
import { decodeUtf8 } from './text.ts';

/** A good manifest and where it is written. */
export interface LoadedManifest {
  /** What is written, with keys in the place of key files, and no defaults. */
  readonly manifest: Manifest;
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** All that a config source says at one moment. */
export interface Reading {
  /** In the order of their files. */
  readonly manifests: readonly LoadedManifest[];
  /** All at once, sorted by file, line and column. */
  readonly problems: readonly ManifestProblem[];
  /** What the bad documents are about: these objects keep their last good version. */
  readonly bad: readonly Identity[];
  /** Every bad document is named in `bad`. Else nobody knows what else is declared. */
  readonly complete: boolean;
  /** Files without a single byte: mostly half of a save, or of a disk that was full. */
  readonly empty: readonly string[];
  /** `sha256:<hex>` of the names and bytes of all files that were read, key files included. */
  readonly digest: string;
}

/**
 * Reads every manifest of a directory, or one file. `root` is the directory that nothing may lead
 * out of; `path` leads from there to what is read. Throws when `path` can't be read at all; what is
 * wrong below it is a problem in the result.
 */
export async function readManifests(
  root: string,
  { path = '.' }: { readonly path?: string } = {},
): Promise<Reading> {
  const { files, problems } = await listManifestFiles(root, path);
  const collector = new Collector(root);
  for (const problem of problems) collector.unknown(problem);
  for (const file of files) await collector.read(file);
  return collector.reading();
}

class Collector {
  readonly #root: string;
  readonly #reader = new BoundedReader();
  readonly #digests = new Map<string, string>();
  readonly #manifests: LoadedManifest[] = [];
  readonly #problems: ManifestProblem[] = [];
  readonly #bad: Identity[] = [];
  readonly #empty: string[] = [];
  readonly #declared = new Map<string, ManifestProblem>();
  #complete = true;

  constructor(root: string) {
    this.#root = root;
  }

  /** Notes a problem of documents that nobody knows. */
  unknown(problem: ManifestProblem): void {
    this.#complete = false;
    this.#problems.push(problem);
  }

  async read(file: string): Promise<void> {
    const bytes = await this.#bytesOf(file);
    if (!bytes) return;
    if (bytes.length === 0) this.#empty.push(file);
    const decoded = decodeUtf8(bytes);
    if ('invalidAt' in decoded) {
      return this.unknown({ file, ...decoded.invalidAt, message: 'expected UTF-8' });
    }
    const { documents, problems } = readDocuments(decoded.text, file);
    for (const problem of problems) this.unknown(problem);
    for (const document of documents) await this.#take(document);
  }

  reading(): Reading {
    const lines = [...this.#digests].map(([file, digest]) => `${digest}  ${file}\n`).sort();
    return {
      manifests: this.#manifests,
      problems: this.#problems.sort(byPlace),
      bad: this.#bad,
      complete: this.#complete,
      empty: this.#empty,
      digest: `sha256:${sha256(lines.join(''))}`,
    };
  }

  async #bytesOf(file: string): Promise<Buffer | undefined> {
    try {
      const bytes = await this.#reader.read(join(this.#root, file));
      this.#digests.set(file, sha256(bytes));
      return bytes;
    } catch (error) {
      this.unknown({ file, line: 1, column: 1, message: messageOf(error) });
      return undefined;
    }
  }

  async #take(document: Document): Promise<void> {
    this.#problems.push(...document.problems);
    for (const item of itemsOf(document)) {
      const loaded = await this.#load(item);
      const first = loaded && this.#firstOf(item, loaded.manifest);
      if (first)
        this.#fail(item, `declared already in ${first.file}:${first.line}`, ['metadata', 'name']);
      else if (loaded && document.problems.length === 0) this.#manifests.push(loaded);
      else this.#keep(item);
    }
  }

  /** The manifest of an item when all is good; else its problems are noted. */
  async #load(item: Item): Promise<LoadedManifest | undefined> {
    const { document } = item;
    const { manifest, problems } = validateManifest(item.value, { allowInternal: false });
    for (const problem of problems) {
      const placed = problemOfItem(item, problem);
      // What is wrong with the YAML of a value says enough about it.
      if (!document.problems.some((other) => byPlace(other, placed) === 0))
        this.#problems.push(placed);
    }
    if (!manifest || !this.#isUnderstood(item, manifest)) return undefined;
    const given = await this.#withKeys(item, givenOf(manifest, item.value));
    return given && { manifest: given, file: document.file, ...document.position(item.path) };
  }

  /** Whether its annotations for config sources have values that mean something. */
  #isUnderstood(item: Item, manifest: Manifest): boolean {
    const problems = optOutProblems(manifest).map((problem) => problemOfItem(item, problem));
    this.#problems.push(...problems);
    return problems.length === 0;
  }

  async #withKeys(item: Item, manifest: Manifest): Promise<Manifest | undefined> {
    const { file, inline } = signedByOf(manifest);
    try {
      if (inline !== undefined) await checkInlineKeys(inline);
      return file === undefined ? manifest : await this.#withKeyFile(item, manifest, file);
    } catch (error) {
      const field = file === undefined ? 'inline' : 'file';
      const problem = { path: ['spec', 'signedBy', field], message: messageOf(error) };
      this.#problems.push(problemOfItem(item, problem));
      return undefined;
    }
  }

  async #withKeyFile({ document }: Item, manifest: Manifest, name: string): Promise<Manifest> {
    const place = { root: this.#root, manifestFile: document.file, reader: this.#reader };
    const { file, bytes } = await readKeyFile(place, name);
    this.#digests.set(file, sha256(bytes));
    return withInlineKeys(manifest, bytes);
  }

  /** Where the same object was declared before, if it was; else notes that it is declared here. */
  #firstOf(item: Item, { kind, metadata }: Manifest): ManifestProblem | undefined {
    const { name, namespace = 'default' } = metadata;
    const key = keyOf({ kind, namespace, name });
    const first = this.#declared.get(key);
    const { file } = item.document;
    if (!first)
      this.#declared.set(key, { file, ...item.document.position(item.path), message: '' });
    return first;
  }

  #fail(item: Item, message: string, path: readonly string[]): void {
    this.#problems.push(problemOfItem(item, { path, message }));
    this.#keep(item);
  }

  #keep(item: Item): void {
    const identity = identityOf(item);
    if (identity) this.#bad.push(identity);
    else this.#complete = false;
  }
}

/** By file, line and column. */
export function byPlace(a: ManifestProblem, b: ManifestProblem): number {
  if (a.file !== b.file) return a.file < b.file ? -1 : 1;
  return a.line - b.line || a.column - b.column;
}

function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}
