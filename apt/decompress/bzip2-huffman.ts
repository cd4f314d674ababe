import type { BitReader } from './bzip2-bits.ts';

const maxLength = 20;
const groupSize = 50;

/** A canonical Huffman code: for each length the last code, and where its symbols begin. */
interface Code {
  readonly min: number;
  readonly max: number;
  readonly limit: Int32Array;
  readonly base: Int32Array;
  readonly symbols: Uint16Array;
}

/** Reads the codes of a block, and then its symbols: the code in use changes every 50 of them. */
export class SymbolReader {
  readonly #bits: BitReader;
  readonly #codes: readonly Code[];
  readonly #selectors: Uint8Array;
  #selected = 0;
  #left = 0;
  #code: Code | undefined;

  constructor(bits: BitReader, symbolCount: number) {
    this.#bits = bits;
    const groups = bits.read(3);
    if (groups < 2 || groups > 6) throw new Error('its data is corrupt');
    this.#selectors = readSelectors(bits, groups);
    this.#codes = Array.from({ length: groups }, () => readCode(bits, symbolCount));
  }

  next(): number {
    if (this.#left === 0) this.#select();
    this.#left -= 1;
    const code = this.#code;
    if (!code) throw new Error('its data is corrupt');
    let length = code.min;
    let value = this.#bits.read(length);
    while (value > (code.limit[length] ?? -1)) {
      if (length >= code.max) throw new Error('its data is corrupt');
      value = (value << 1) | this.#bits.read(1);
      length += 1;
    }
    return code.symbols[value - (code.base[length] ?? 0)] ?? -1;
  }

  #select(): void {
    if (this.#selected >= this.#selectors.length) throw new Error('its data is corrupt');
    this.#code = this.#codes[this.#selectors[this.#selected] ?? 0];
    this.#selected += 1;
    this.#left = groupSize;
  }
}

/** Which code each run of 50 symbols is in, move-to-front coded. */
function readSelectors(bits: BitReader, groups: number): Uint8Array {
  const selectors = new Uint8Array(bits.read(15));
  const front = Array.from({ length: groups }, (_, group) => group);
  for (let at = 0; at < selectors.length; at++) {
    let depth = 0;
    while (bits.read(1) === 1) depth += 1;
    const [group] = front.splice(depth, 1);
    if (group === undefined) throw new Error('its data is corrupt');
    front.unshift(group);
    selectors[at] = group;
  }
  return selectors;
}

function readCode(bits: BitReader, symbolCount: number): Code {
  const lengths = new Uint8Array(symbolCount);
  let length = bits.read(5);
  for (let symbol = 0; symbol < symbolCount; symbol++) {
    while (bits.read(1) === 1) length += bits.read(1) === 0 ? 1 : -1;
    if (length < 1 || length > maxLength) throw new Error('its data is corrupt');
    lengths[symbol] = length;
  }
  return canonical(lengths);
}

function canonical(lengths: Uint8Array): Code {
  const min = Math.min(...lengths);
  const max = Math.max(...lengths);
  const limit = new Int32Array(max + 1).fill(-1);
  const base = new Int32Array(max + 1);
  const symbols = new Uint16Array(lengths.length);
  let filled = 0;
  let code = 0;
  for (let length = min; length <= max; length++) {
    base[length] = code - filled;
    for (const [symbol, its] of lengths.entries()) {
      if (its === length) symbols[filled++] = symbol;
    }
    const next = filled + (base[length] ?? 0);
    limit[length] = next - 1;
    code = next << 1;
  }
  return { min, max, limit, base, symbols };
}
