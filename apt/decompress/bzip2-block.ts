import type { BitReader } from './bzip2-bits.ts';
import { SymbolReader } from './bzip2-huffman.ts';

/** A block before its run-length coding is undone: the transformed bytes and where they begin. */
interface Block {
  /** Low 8 bits: a byte; high 24 bits: the place of the one after it. */
  readonly chain: Uint32Array;
  readonly length: number;
  readonly start: number;
}

/** Reads a block of at most `chain.length` bytes up to the end of its symbols. */
export function readBlock(bits: BitReader, chain: Uint32Array): Block {
  if (bits.read(1) === 1) throw new Error('it is of an obsolete kind (randomised)');
  const start = bits.read(24);
  const bytes = readUsedBytes(bits);
  const counts = new Uint32Array(256);
  const length = readRuns(bits, bytes, chain, counts);
  if (start >= length) throw new Error('its data is corrupt');
  link(chain, length, counts);
  return { chain, length, start };
}

/** The byte values that occur: a bitmap of 16 bitmaps. */
function readUsedBytes(bits: BitReader): Uint8Array {
  const used: number[] = [];
  const rows = bits.read(16);
  for (let row = 0; row < 16; row++) {
    if ((rows & (0x8000 >> row)) === 0) continue;
    const columns = bits.read(16);
    for (let column = 0; column < 16; column++) {
      if ((columns & (0x8000 >> column)) !== 0) used.push(row * 16 + column);
    }
  }
  if (used.length === 0) throw new Error('its data is corrupt');
  return Uint8Array.from(used);
}

/** Undoes Huffman, run-length and move-to-front coding. Returns the number of bytes. */
function readRuns(
  bits: BitReader,
  front: Uint8Array,
  out: Uint32Array,
  counts: Uint32Array,
): number {
  const symbols = new SymbolReader(bits, front.length + 2);
  const endOfBlock = front.length + 1;
  let length = 0;
  let run = 0;
  let weight = 1;
  for (;;) {
    const symbol = symbols.next();
    if (symbol === 0 || symbol === 1) {
      run += weight << symbol;
      weight <<= 1;
      // Checked at once, before `weight` can overflow.
      if (length + run > out.length) throw new Error('its data is corrupt');
      continue;
    }
    const repeated = front[0] ?? 0;
    out.fill(repeated, length, length + run);
    counts[repeated] = (counts[repeated] ?? 0) + run;
    length += run;
    [run, weight] = [0, 1];
    if (symbol === endOfBlock) return length;
    if (symbol > endOfBlock || symbol < 0 || length >= out.length) {
      throw new Error('its data is corrupt');
    }
    const byte = front[symbol - 1] ?? 0;
    front.copyWithin(1, 0, symbol - 1);
    front[0] = byte;
    out[length++] = byte;
    counts[byte] = (counts[byte] ?? 0) + 1;
  }
}

/** Undoes the Burrows-Wheeler transform: each byte learns where the next one is. */
function link(chain: Uint32Array, length: number, counts: Uint32Array): void {
  let sum = 0;
  const next = counts.map((count) => {
    const first = sum;
    sum += count;
    return first;
  });
  for (let at = 0; at < length; at++) {
    const byte = (chain[at] ?? 0) & 0xff;
    const place = next[byte] ?? 0;
    next[byte] = place + 1;
    chain[place] = (chain[place] ?? 0) | (at << 8);
  }
}

const outputBytes = 64 * 1024;
const longestRun = 255;

/**
 * The bytes of a block, in pieces: four equal bytes are followed by how many more of them there
 * are. Returns the CRC.
 */
export function* expand({ chain, length, start }: Block): Generator<Uint8Array, number> {
  let crc = -1;
  let out = new Uint8Array(outputBytes);
  let filled = 0;
  let previous = -1;
  let equal = 0;
  let at = (chain[start] ?? 0) >>> 8;
  for (let left = length; left > 0; left--) {
    const entry = chain[at] ?? 0;
    at = entry >>> 8;
    const byte = entry & 0xff;
    if (equal === 4) {
      for (let more = byte; more > 0; more--) crc = updated(crc, previous);
      out.fill(previous, filled, filled + byte);
      filled += byte;
      equal = 0;
      previous = -1;
    } else {
      crc = updated(crc, byte);
      out[filled++] = byte;
      equal = byte === previous ? equal + 1 : 1;
      previous = byte;
    }
    if (filled > outputBytes - longestRun - 1) {
      yield out.subarray(0, filled);
      out = new Uint8Array(outputBytes);
      filled = 0;
    }
  }
  if (filled > 0) yield out.subarray(0, filled);
  return ~crc >>> 0;
}

/** CRC-32 with the high bit first (polynomial 0x04c11db7). */
const crcTable = Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 24;
  for (let bit = 0; bit < 8; bit++) crc = crc < 0 ? (crc << 1) ^ 0x04c11db7 : crc << 1;
  return crc;
});

function updated(crc: number, byte: number): number {
  return (crc << 8) ^ (crcTable[(crc >>> 24) ^ byte] ?? 0);
}
