import { armor, enums, readKey, type Key } from 'openpgp';
import { CairnError } from '../../crds/reasons.ts';
import { readArmor } from './armor.ts';
import { isPrivate, splitKeys } from './packets.ts';

/** The public keys that signatures are checked with. */
export interface Keyring {
  readonly keys: readonly Key[];
}

const maxBytes = 8 * 1024 * 1024;

/**
 * Reads a keyring: armored text with any number of key blocks, or a binary `.gpg` file as
 * `gpg --export` writes it. Keys that openpgp.js does not understand are passed over. Throws
 * `KeyUnusable` when no key is left, or when it is something else: a private key, a keybox.
 */
export async function readKeyring(armoredOrBinary: string | Uint8Array): Promise<Keyring> {
  const parts = keysOf(bytesOf(armoredOrBinary));
  if (parts.some(isPrivate)) throw unusable('the keyring holds a private key: give public keys');
  const results = await Promise.allSettled(parts.map((binaryKey) => readKey({ binaryKey })));
  const keys = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  if (keys.length === 0) {
    const failed = results.find((result) => result.status === 'rejected');
    throw unusable(`no usable public key in the keyring${because(failed?.reason)}`);
  }
  return { keys };
}

/** Any keyring as one armored block; the keys stay as they are. Throws `KeyUnusable`. */
export async function armorKeyring(armoredOrBinary: string | Uint8Array): Promise<string> {
  await readKeyring(armoredOrBinary);
  return armorKeys(Buffer.concat(keysOf(bytesOf(armoredOrBinary))));
}

/** Binary public keys as one armored block, as `Signed-By` wants them. */
export function armorKeys(bytes: Uint8Array): string {
  // With a checksum: GnuPG fails to decode some blocks without one (https://dev.gnupg.org/T7071).
  const text = armor(enums.armor.publicKey, bytes, undefined, undefined, undefined, true);
  return text.replaceAll('\r\n', '\n');
}

function bytesOf(armoredOrBinary: string | Uint8Array): Uint8Array {
  if (armoredOrBinary.length > maxBytes) throw unusable(`a keyring of more than ${maxBytes} bytes`);
  if (typeof armoredOrBinary === 'string') return dearmored(armoredOrBinary);
  const bytes = Buffer.from(armoredOrBinary);
  if (bytes.subarray(8, 12).toString('latin1') === 'KBXf') {
    throw unusable('the keyring is a GnuPG keybox: export its keys with gpg --export');
  }
  // Packets begin with the high bit set, text does not.
  return ((bytes[0] ?? 0) & 0x80) !== 0 ? bytes : dearmored(bytes.toString('utf8'));
}

function dearmored(text: string): Uint8Array {
  const blocks = readArmor(text);
  if (blocks.some(({ type }) => type === 'PRIVATE KEY BLOCK')) {
    throw unusable('the keyring holds a private key: give public keys');
  }
  const keys = blocks.filter(({ type }) => type === 'PUBLIC KEY BLOCK');
  if (keys.length === 0) throw unusable('no armored public key block in the keyring');
  return Buffer.concat(keys.map(({ bytes }) => bytes));
}

function keysOf(bytes: Uint8Array): Uint8Array[] {
  try {
    return splitKeys(bytes);
  } catch (cause) {
    throw unusable(`the keyring cannot be read${because(cause)}`, cause);
  }
}

function because(cause: unknown): string {
  return cause instanceof Error ? `: ${cause.message}` : '';
}

function unusable(message: string, cause?: unknown): CairnError {
  return new CairnError('KeyUnusable', message, { cause });
}
