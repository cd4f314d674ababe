/**
 * Cuts a binary keyring into its keys: a packet of tag 6 or 5 begins one. Each is parsed on its own
 * then, so that one key of an unknown kind does not make the others of a keyring unusable. Throws
 * an Error when the bytes are no OpenPGP packets (RFC 9580 section 4.2).
 */
export function splitKeys(bytes: Uint8Array): Uint8Array[] {
  const starts: number[] = [];
  for (let at = 0; at < bytes.length;) {
    const { tag, end } = readHeader(bytes, at);
    if (tag === publicKeyTag || tag === secretKeyTag) starts.push(at);
    at = end;
  }
  return starts.map((start, index) => bytes.subarray(start, starts[index + 1]));
}

const publicKeyTag = 6;
const secretKeyTag = 5;

/** Whether a key as `splitKeys` returns it is a private one. */
export function isPrivate(key: Uint8Array): boolean {
  return readHeader(key, 0).tag === secretKeyTag;
}

function readHeader(bytes: Uint8Array, at: number): { tag: number; end: number } {
  const first = bytes[at] ?? 0;
  if ((first & 0x80) === 0) throw new Error('not an OpenPGP packet');
  const { length, size } =
    first & 0x40 ? newLength(bytes, at + 1) : oldLength(bytes, at, first & 3);
  const end = at + 1 + size + length;
  if (end > bytes.length) throw new Error('an OpenPGP packet is cut short');
  return { tag: first & 0x40 ? first & 0x3f : (first >> 2) & 0xf, end };
}

interface Length {
  readonly length: number;
  /** Octets that the length itself takes. */
  readonly size: number;
}

function newLength(bytes: Uint8Array, at: number): Length {
  const first = bytes[at] ?? 0;
  if (first < 192) return { length: first, size: 1 };
  if (first < 224) return { length: ((first - 192) << 8) + (bytes[at + 1] ?? 0) + 192, size: 2 };
  if (first === 255) return { length: bigEndian(bytes, at + 1, 4), size: 5 };
  throw new Error('an OpenPGP key with partial lengths');
}

function oldLength(bytes: Uint8Array, at: number, type: number): Length {
  if (type === 3) throw new Error('an OpenPGP key of indeterminate length');
  const size = 1 << type;
  return { length: bigEndian(bytes, at + 1, size), size };
}

function bigEndian(bytes: Uint8Array, at: number, size: number): number {
  return bytes.subarray(at, at + size).reduce((sum, octet) => sum * 256 + octet, 0);
}
