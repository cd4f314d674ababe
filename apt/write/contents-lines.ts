import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { CairnError } from '../../crds/reasons.ts';

/** So many characters are sorted at once: some ten thousand paths. */
const mostAtOnce = 4 * 1024 * 1024;
const perPiece = 128 * 1024;
/** Five times what Debian's main has. What is sorted stays in memory, compressed. */
const mostInAll = 2 ** 30;
/** Where the column of packages begins, as in Debian's own archive. */
const column = 55;
/** No path has it, and it comes before every character that one has. */
const separator = '\0';

/**
 * Sorts the paths of packages into the lines of a Contents index, with memory for what is sorted at
 * once and for the rest in compressed form (https://wiki.debian.org/DebianRepository/Format,
 * "Contents" indices). The same packages make the same lines, in whatever order they are added.
 */
export class ContentsLines {
  readonly #mostAtOnce: number;
  readonly #runs: (readonly Buffer[])[] = [];
  #pending: string[] = [];
  #pendingCharacters = 0;
  #characters = 0;

  constructor(options: { readonly mostAtOnce?: number } = {}) {
    this.#mostAtOnce = options.mostAtOnce ?? mostAtOnce;
  }

  /** `name` is as Contents has it: `net/curl`. Throws `TooLarge` when it all gets too much. */
  add(name: string, paths: Iterable<string>): void {
    for (const path of paths) {
      const record = path + separator + name;
      this.#pending.push(record);
      this.#pendingCharacters += record.length;
    }
    if (this.#pendingCharacters >= this.#mostAtOnce) this.#sortPending();
  }

  /** Call it once. Each line ends in a line feed. */
  *lines(): Generator<string> {
    this.#sortPending();
    let path: string | undefined;
    let names: string[] = [];
    for (const record of merged(this.#runs.map(recordsOf))) {
      const cut = record.indexOf(separator);
      const name = record.slice(cut + 1);
      if (path !== undefined && cut === path.length && record.startsWith(path)) {
        if (names.at(-1) !== name) names.push(name);
        continue;
      }
      if (path !== undefined) yield lineOf(path, names);
      path = record.slice(0, cut);
      names = [name];
    }
    if (path !== undefined) yield lineOf(path, names);
  }

  #sortPending(): void {
    this.#characters += this.#pendingCharacters;
    if (this.#characters > mostInAll) {
      throw new CairnError('TooLarge', `the paths have more than ${mostInAll} characters`);
    }
    const records = this.#pending.sort();
    const run: Buffer[] = [];
    let start = 0;
    for (let at = 0, length = 0; at < records.length; at += 1) {
      length += records[at]?.length ?? 0;
      if (length < perPiece && at + 1 < records.length) continue;
      run.push(zstdCompressSync(records.slice(start, at + 1).join('\n')));
      start = at + 1;
      length = 0;
    }
    if (run.length > 0) this.#runs.push(run);
    this.#pending = [];
    this.#pendingCharacters = 0;
  }
}

function lineOf(path: string, names: readonly string[]): string {
  return `${path.padEnd(column)} ${names.join(',')}\n`;
}

function* recordsOf(run: readonly Buffer[]): Generator<string, undefined> {
  for (const piece of run) yield* zstdDecompressSync(piece).toString('utf8').split('\n');
  return undefined;
}

/** Of sorted series, one sorted series. */
function* merged(series: readonly Generator<string, undefined>[]): Generator<string> {
  const heads = series.flatMap((rest) => headOf(rest) ?? []);
  for (let at = heads.length >> 1; at >= 0; at -= 1) siftDown(heads, at);
  for (let [least] = heads; least; [least] = heads) {
    yield least.record;
    const { value } = least.rest.next();
    const last = value === undefined ? heads.pop() : undefined;
    if (value !== undefined) least.record = value;
    else if (last && last !== least) heads[0] = last;
    siftDown(heads, 0);
  }
}

/** The next record of a series; of all of them, the least is the first in a heap. */
interface Head {
  record: string;
  readonly rest: Generator<string, undefined>;
}

function headOf(rest: Generator<string, undefined>): Head | undefined {
  const { value } = rest.next();
  return value === undefined ? undefined : { record: value, rest };
}

/** Puts a head in its place, below which all others are in theirs. */
function siftDown(heads: Head[], from: number): void {
  for (let at = from; ;) {
    const parent = heads[at];
    const [left, right] = [heads[2 * at + 1], heads[2 * at + 2]];
    const isRight = left && right && right.record < left.record;
    const child = isRight ? right : left;
    if (!parent || !child || parent.record <= child.record) return;
    const below = 2 * at + (isRight ? 2 : 1);
    heads[at] = child;
    heads[below] = parent;
    at = below;
  }
}
