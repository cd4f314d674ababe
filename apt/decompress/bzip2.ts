import { BitReader } from './bzip2-bits.ts';
import { expand, readBlock } from './bzip2-block.ts';

/** The longest a block can be when packed: 900,000 symbols of 20 bits, and its tables. */
const maxPackedBlock = 2_400_000;

const blockMagic = 0x314159265359;
const endMagic = 0x177245385090;

/**
 * Decodes .bz2, also several streams in a row. Our own, for the library at hand can be made to loop
 * for ever by a crafted run length. Memory: one block, at most 900,000 bytes, and its input.
 */
export async function* decodeBzip2(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const decoder = new Bzip2Decoder();
  for await (const chunk of source) {
    decoder.bits.push(chunk);
    while (decoder.bits.bytesLeft >= maxPackedBlock) yield* decoder.step();
  }
  while (decoder.isOpen || decoder.bits.bytesLeft > 0) yield* decoder.step();
}

class Bzip2Decoder {
  readonly bits = new BitReader();
  #chain: Uint32Array | undefined;
  #crc = 0;

  /** Whether a stream has begun and not ended. */
  get isOpen(): boolean {
    return this.#chain !== undefined;
  }

  /** Reads a header, a block or an end. */
  *step(): Generator<Uint8Array> {
    if (!this.#chain) {
      this.#chain = new Uint32Array(readLevel(this.bits) * 100_000);
      this.#crc = 0;
      return;
    }
    const magic = this.bits.read(24) * 2 ** 24 + this.bits.read(24);
    const crc = this.bits.read32();
    if (magic === endMagic) {
      if (crc !== this.#crc) throw new Error('its checksum is wrong');
      this.bits.align();
      this.#chain = undefined;
    } else if (magic === blockMagic) {
      const actual = yield* expand(readBlock(this.bits, this.#chain));
      if (actual !== crc) throw new Error('its checksum is wrong');
      this.#crc = (((this.#crc << 1) | (this.#crc >>> 31)) ^ crc) >>> 0;
    } else {
      throw new Error('its data is corrupt');
    }
  }
}

/** `BZh` and a digit: the size of its blocks in units of 100,000 bytes. */
function readLevel(bits: BitReader): number {
  const magic = bits.read(24);
  const level = bits.read(8) - 0x30;
  if (magic !== 0x425a68 || level < 1 || level > 9) throw new Error('it is not in bzip2 format');
  return level;
}
