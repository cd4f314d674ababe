import type { Change, HistoryLimits } from '../change-log.ts';
import type { Entry } from './entry.ts';

/** Of each kind, in memory: enough for a watch that is some minutes behind, when little happens. */
const defaultHistory: HistoryLimits = { changes: 4000, bytes: 1024 * 1024 };

/** Trimmed entries are cut off the array in lots, for splicing it costs as much as it is long. */
const lot = 256;

/** The newest changes of one kind in the order in which the API server told them, for watches. */
export class History {
  readonly #limits: HistoryLimits;
  #changes: Change[] = [];
  #start = 0;
  #bytes = 0;
  /** Changes up to here are not known any more. */
  #floor: number;
  #newest: number;

  constructor(version: number, limits: HistoryLimits = defaultHistory) {
    this.#floor = version;
    this.#newest = version;
    this.#limits = limits;
  }

  /** Everything up to this version has been told. */
  get newest(): number {
    return this.#newest;
  }

  append(type: Change['type'], { version, body }: Entry): void {
    this.#changes.push({ version, type, body });
    this.#bytes += body.length;
    this.advance(version);
    while (this.#length > this.#limits.changes || this.#bytes > this.#limits.bytes) this.#forget();
  }

  /** Nothing has happened up to this version beside what was told. */
  advance(version: number): void {
    this.#newest = Math.max(this.#newest, version);
  }

  isExpired(version: number): boolean {
    return version < this.#floor;
  }

  /** The first changes after a version; those of one version are never parted. */
  after(version: number, limit: number): readonly Change[] {
    const first = this.#firstAfter(version);
    let end = Math.min(first + limit, this.#changes.length);
    while (end > first && this.#changes[end]?.version === this.#changes[end - 1]?.version) end += 1;
    return this.#changes.slice(first, end);
  }

  get #length(): number {
    return this.#changes.length - this.#start;
  }

  #forget(): void {
    const change = this.#changes[this.#start];
    if (!change) return;
    this.#start += 1;
    this.#bytes -= change.body.length;
    this.#floor = change.version;
    if (this.#start < lot) return;
    this.#changes = this.#changes.slice(this.#start);
    this.#start = 0;
  }

  #firstAfter(version: number): number {
    let [low, high] = [this.#start, this.#changes.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#changes[middle]?.version ?? 0) <= version) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
