import type { FileHandle } from 'node:fs/promises';
import { BlockCache } from './block-cache.ts';
import { comparePaths } from './compare-paths.ts';
import type { BlobReader, Tree, TreeChild, TreeEntry } from './depot.ts';
import { SharedFile } from './shared-file.ts';
import { TreeBlock } from './tree-block.ts';
import { invalid } from './tree-format.ts';
import { TreeIndex } from './tree-index.ts';

export interface OpenTreeOptions {
  /** Shared by all trees that are read by the same process. */
  readonly cache?: BlockCache;
  /** Keep the file open until `close`; otherwise it is open only while something is read. */
  readonly keepOpen?: boolean;
}

const ownCacheBytes = 4 * 1024 * 1024;

/**
 * Opens a tree for look-ups, reading it once to check and index it. Throws `BlobMissing`, and
 * `TreeInvalid` when the file doesn't match the digest or isn't a tree.
 */
export async function openTree(
  blobs: BlobReader,
  digest: string,
  { cache = new BlockCache(ownCacheBytes), keepOpen = false }: OpenTreeOptions = {},
): Promise<IndexedTree> {
  const file = new SharedFile(() => blobs.path(digest), keepOpen);
  try {
    const index = await file.use((handle) => TreeIndex.read(handle, digest));
    return new IndexedTree(digest, { file, index, cache });
  } catch (error) {
    await file.release();
    throw error;
  }
}

/** A tree of which only an index of its blocks, and some recently used blocks, are in memory. */
export class IndexedTree implements Tree {
  readonly digest: string;
  readonly #file: SharedFile;
  readonly #index: TreeIndex;
  readonly #cache: BlockCache;
  readonly #blocks = new Map<number, TreeBlock>();
  readonly #loading = new Map<number, Promise<TreeBlock>>();

  constructor(digest: string, parts: { file: SharedFile; index: TreeIndex; cache: BlockCache }) {
    this.digest = digest;
    this.#file = parts.file;
    this.#index = parts.index;
    this.#cache = parts.cache;
  }

  /** What is known without reading: the entry, null if there is none, undefined if one must `get`. */
  peek(path: string): TreeEntry | null | undefined {
    const number = this.#index.find(path);
    if (number < 0) return null;
    const block = this.#cached(number);
    return block === undefined ? undefined : (block.get(path) ?? null);
  }

  async get(path: string): Promise<TreeEntry | undefined> {
    const number = this.#index.find(path);
    if (number < 0) return undefined;
    const block = this.#cached(number) ?? (await this.#load(number));
    return block.get(path);
  }

  async children(directory: string): Promise<readonly TreeChild[] | undefined> {
    const prefix = prefixOf(directory);
    const found: TreeChild[] = [];
    let entry = await this.#firstFrom(prefix);
    while (entry?.path.startsWith(prefix)) {
      const child = childOf(entry, prefix);
      found.push(child);
      // Past a directory: `0` is the character that follows `/`. Past a file: the smallest longer path.
      entry = await this.#firstFrom(`${prefix}${child.name}${child.file ? '\0' : '0'}`);
    }
    if (found.length === 0 && prefix !== '') return undefined;
    // Not quite sorted yet: the tree has `a-b` before `a/b`, but as names `a` comes first.
    return found.sort((a, b) => comparePaths(a.name, b.name));
  }

  async *entries(directory = ''): AsyncGenerator<TreeEntry> {
    const prefix = prefixOf(directory);
    let number = Math.max(this.#index.find(prefix), 0);
    for (; number < this.#index.blocks; number++) {
      // Read past the cache: a walk through everything would drive out what look-ups need.
      const block = this.#blocks.get(number) ?? (await this.#read(number));
      let line = block.lowerBound(prefix);
      for (let entry = block.at(line); entry !== undefined; entry = block.at(++line)) {
        if (!entry.path.startsWith(prefix)) return;
        yield entry;
      }
    }
  }

  /** Lets go of the file and the memory. Look-ups go on to work, but open the file each time. */
  async close(): Promise<void> {
    for (const block of [...this.#blocks.values()]) this.#cache.remove(block);
    await this.#file.release();
  }

  async #firstFrom(key: string): Promise<TreeEntry | undefined> {
    for (let number = Math.max(this.#index.find(key), 0); number < this.#index.blocks; number++) {
      const block = this.#cached(number) ?? (await this.#load(number));
      const entry = block.at(block.lowerBound(key));
      if (entry !== undefined) return entry;
    }
    return undefined;
  }

  #cached(number: number): TreeBlock | undefined {
    const block = this.#blocks.get(number);
    if (block !== undefined) block.used = true;
    return block;
  }

  /** Reads a block into the cache, once for all who wait for it. */
  #load(number: number): Promise<TreeBlock> {
    const loading = this.#loading.get(number);
    if (loading !== undefined) return loading;
    const load = this.#readIntoCache(number).finally(() => this.#loading.delete(number));
    this.#loading.set(number, load);
    return load;
  }

  async #readIntoCache(number: number): Promise<TreeBlock> {
    const block = await this.#read(number);
    this.#blocks.set(number, block);
    this.#cache.add(block);
    return block;
  }

  async #read(number: number): Promise<TreeBlock> {
    const { offset, length } = this.#index.extent(number);
    const bytes = await this.#file.use((handle) => readExactly(handle, offset, length));
    return new TreeBlock(bytes, () => this.#blocks.delete(number));
  }
}

function prefixOf(directory: string): string {
  return directory === '' ? '' : `${directory}/`;
}

function childOf({ path, sha256, size }: TreeEntry, prefix: string): TreeChild {
  const slash = path.indexOf('/', prefix.length);
  if (slash >= 0) return { name: path.slice(prefix.length, slash) };
  return { name: path.slice(prefix.length), file: { sha256, size } };
}

async function readExactly(handle: FileHandle, offset: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await handle.read(buffer, done, length - done, offset + done);
    if (bytesRead === 0) throw invalid('a tree became shorter while it was open');
    done += bytesRead;
  }
  return buffer;
}
