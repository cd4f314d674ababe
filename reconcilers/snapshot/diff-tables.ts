import { decompress } from '../../apt/decompress.ts';
import { CairnError } from '../../crds/reasons.ts';
import type { BlobReader } from '../../depot/depot.ts';
import { decodings, type PackagesIndex } from './diff-indexes.ts';
import { RunReader } from './diff-runs.ts';
import { readTables, type PackageTables } from './diff-table.ts';

/** More than ten times the largest Packages index in public. */
const maxIndexBytes = 1024 ** 3;
/** Stanzas to parse at a time. */
const batchBytes = 4 * 1024 * 1024;

export interface TablePair {
  readonly before: PackageTables;
  readonly after: PackageTables;
}

/**
 * The packages of two versions of an index in which these differ; some that don't may be among
 * them. Both sides are read at once: one is decoded by zlib's threads while the other is looked at
 * here. An index that does not exist holds nothing.
 */
export async function differingPackages(
  blobs: BlobReader,
  before: PackagesIndex | undefined,
  after: PackagesIndex | undefined,
  signal: AbortSignal,
): Promise<TablePair> {
  const content = (index: PackagesIndex) => contentOf(blobs, index, signal);
  if (before && after) {
    const pair = await mergeRuns(content(before), content(after), after.architecture);
    if (pair) return pair;
  }
  const whole = async (index: PackagesIndex | undefined) => {
    const tables: PackageTables = new Map();
    if (index) await readTables(tables, content(index), index.architecture);
    return tables;
  };
  const [old, now] = await Promise.all([whole(before), whole(after)]);
  return { before: old, after: now };
}

/** Compares the raw text package by package, and parses what differs. Undefined: not sorted. */
async function mergeRuns(
  before: AsyncIterable<Uint8Array>,
  after: AsyncIterable<Uint8Array>,
  architecture: string,
): Promise<TablePair | undefined> {
  const [old, now] = [new RunReader(before), new RunReader(after)];
  const [gone, come] = [new Differing(architecture), new Differing(architecture)];
  try {
    for (;;) {
      if (old.isEmpty || now.isEmpty) await Promise.all([old.fill(), now.fill()]);
      if (gone.isFull || come.isFull) await Promise.all([gone.parse(), come.parse()]);
      if (!old.usable || !now.usable) return undefined;
      const [a, b] = [old.head, now.head];
      if (!a && !b) break;
      if (a && b && a.name === b.name && a.text.equals(b.text)) {
        old.next();
        now.next();
        continue;
      }
      if (a && (!b || a.name <= b.name)) gone.add(a.text);
      if (b && (!a || b.name <= a.name)) come.add(b.text);
      if (a && (!b || a.name <= b.name)) old.next();
      if (b && (!a || b.name <= a.name)) now.next();
    }
    await Promise.all([gone.parse(), come.parse()]);
    return { before: gone.tables, after: come.tables };
  } finally {
    await Promise.all([old.close(), now.close()]);
  }
}

/** Collects the stanzas of one side, and parses them in batches. */
class Differing {
  readonly tables: PackageTables = new Map();
  readonly #architecture: string;
  #batch: Buffer[] = [];
  #bytes = 0;

  constructor(architecture: string) {
    this.#architecture = architecture;
  }

  add(text: Buffer): void {
    this.#batch.push(Buffer.from(text)); // a copy: the text is part of a much larger buffer
    this.#bytes += text.length;
  }

  get isFull(): boolean {
    return this.#bytes >= batchBytes;
  }

  async parse(): Promise<void> {
    const batch = this.#batch;
    this.#batch = [];
    this.#bytes = 0;
    if (batch.length > 0) await readTables(this.tables, eachOf(batch), this.#architecture);
  }
}

async function* eachOf(batch: readonly Buffer[]): AsyncGenerator<Buffer> {
  yield Buffer.concat(batch);
}

async function* contentOf(
  blobs: BlobReader,
  { forms, suite, component, architecture }: PackagesIndex,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const form = decodings.find((decoding) => forms.has(decoding));
  const sha256 = form === undefined ? undefined : forms.get(form);
  if (form === undefined || sha256 === undefined) {
    const name = [suite, component, architecture].filter(Boolean).join(' ');
    throw new CairnError('IndexInvalid', `the Packages index of ${name} has no readable form`);
  }
  for await (const chunk of decompress(await blobs.read(sha256), form, {
    maxBytes: maxIndexBytes,
  })) {
    signal.throwIfAborted();
    yield chunk;
  }
}
