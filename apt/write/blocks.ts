/**
 * Compressed indexes in blocks. A block is a gzip member of its own (RFC 1952 §2.2: a file is a
 * series of them, and unpacks to what they unpack to, one after the other), and says in an extra
 * field how long it is and with which key it begins. So a package is added by unpacking, changing
 * and packing one block, and all others stay as they are.
 */
import { crc32, deflateRawSync, inflateRawSync } from 'node:zlib';
import { CairnError } from '../../crds/reasons.ts';

/** One member of a file, as it is there. */
export interface PackedBlock {
  /** The key of its first entry. */
  readonly first: string;
  /** The member, its header and trailer included. */
  readonly packed: Buffer;
  readonly plainBytes: number;
}

const magic = Buffer.from([0x1f, 0x8b, 8, 4]);
/** Magic, flags, time, level, system; then the extra field's own length. */
const headBytes = 12;
/** Subfield id of ours, RFC 1952 §2.3.1.1: two letters, then its length. */
const subfield = Buffer.from('Cb');
const fixedBytes = 4 + 4;
const trailerBytes = 8;
const mostKeyBytes = 4096;
/** As far as anybody's packages go; a damaged length asks for no more memory than this. */
const mostPlainBytes = 256 * 1024 * 1024;
const level = 6;
/** That zlib takes. */
const leastChunkBytes = 64;

/** The same text makes the same bytes: no time, no name, no system is in them. */
export function packBlock(first: string, plain: Uint8Array): PackedBlock {
  const key = Buffer.from(first);
  if (key.length > mostKeyBytes) throw new Error(`a key of ${key.length} bytes`);
  const body = deflateRawSync(plain, { level });
  const extra = fixedBytes + key.length;
  const head = Buffer.alloc(headBytes + 4 + extra);
  magic.copy(head);
  head[9] = 0xff; // unknown system
  head.writeUInt16LE(4 + extra, 10);
  subfield.copy(head, 12);
  head.writeUInt16LE(extra, 14);
  head.writeUInt32LE(head.length + body.length + trailerBytes, 16);
  head.writeUInt32LE(plain.length, 20);
  key.copy(head, 24);
  const trailer = Buffer.alloc(trailerBytes);
  trailer.writeUInt32LE(crc32(plain), 0);
  trailer.writeUInt32LE(plain.length, 4);
  return { first, packed: Buffer.concat([head, body, trailer]), plainBytes: plain.length };
}

/** The blocks of a file that was made of them. Throws `IndexInvalid` for any other file. */
export function blocksOf(file: Buffer): readonly PackedBlock[] {
  const blocks: PackedBlock[] = [];
  for (let at = 0; at < file.length;) {
    const block = blockAt(file, at);
    blocks.push(block);
    at += block.packed.length;
  }
  return blocks;
}

/** The last block that begins at or before a key; -1 when that comes before all. */
export function lastBefore(blocks: readonly PackedBlock[], key: string): number {
  return blocks.findLastIndex(({ first }) => first <= key);
}

/** Throws `IndexInvalid` when its bytes are damaged. */
export function unpackBlock({ packed, plainBytes }: PackedBlock): Buffer {
  const body = packed.subarray(headBytes + packed.readUInt16LE(10), -trailerBytes);
  let plain: Buffer;
  try {
    // In one piece: else it comes in many small ones, which are copied together.
    const chunkSize = Math.max(plainBytes + 1, leastChunkBytes);
    plain = inflateRawSync(body, { chunkSize, maxOutputLength: Math.max(plainBytes, 1) });
  } catch (error) {
    throw damaged('a block can not be unpacked', error);
  }
  const crc = packed.readUInt32LE(packed.length - trailerBytes);
  if (plain.length !== plainBytes || crc32(plain) !== crc) throw damaged('a block has other bytes');
  return plain;
}

function blockAt(file: Buffer, at: number): PackedBlock {
  const left = file.length - at;
  const isOurs =
    left >= headBytes + 4 + fixedBytes &&
    file.subarray(at, at + magic.length).equals(magic) &&
    file.subarray(at + headBytes, at + headBytes + 2).equals(subfield);
  if (!isOurs) throw damaged('it is not made of blocks');
  const extra = file.readUInt16LE(at + 14);
  const length = file.readUInt32LE(at + 16);
  const plainBytes = file.readUInt32LE(at + 20);
  const head = headBytes + 4 + extra;
  const isWhole = extra >= fixedBytes && length <= left && length >= head + trailerBytes;
  if (!isWhole || plainBytes > mostPlainBytes) throw damaged('a block is cut off');
  const first = file.toString('utf8', at + 24, at + head);
  return { first, packed: file.subarray(at, at + length), plainBytes };
}

function damaged(what: string, cause?: unknown): CairnError {
  return new CairnError('IndexInvalid', `a compressed index of ours is damaged: ${what}`, {
    cause,
  });
}
