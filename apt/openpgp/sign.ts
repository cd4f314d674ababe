import {
  createMessage,
  enums,
  generateKey,
  readPrivateKeys,
  readSignature,
  sign,
  type Message,
  type PrivateKey,
  type Signature,
} from 'openpgp';
import { CairnError } from '../../crds/reasons.ts';
import { readArmor } from './armor.ts';
import { canonicalCleartext } from './canonical.ts';
import { clause } from './judge.ts';
import { armorKeys } from './keyring.ts';

export interface GeneratedKey {
  readonly privateArmored: string;
  readonly publicArmored: string;
  /** 40 hex digits in upper case. */
  readonly fingerprint: string;
}

/** A private key that is ready to sign. Its secret never shows in errors. */
export interface SigningKey {
  readonly key: PrivateKey;
  readonly fingerprint: string;
  readonly publicArmored: string;
}

/** Identical input gives identical bytes: no salt, which is for devices that leak faults. */
const config = {
  preferredHashAlgorithm: enums.hash.sha512,
  nonDeterministicSignaturesViaNotation: false,
  showVersion: false,
  showComment: false,
} as const;

/**
 * Makes a key to sign Release files with: Ed25519 in the v4 form that gpgv 2.2 and sqv both know,
 * one primary key that signs, no subkeys, no passphrase, no expiry; created at `now`.
 * `userId` is a name, or `Name <address>`.
 */
export async function generateSigningKey(options: {
  readonly userId: string;
  readonly now: Date;
}): Promise<GeneratedKey> {
  const { privateKey, publicKey } = await generateKey({
    type: 'ecc',
    curve: 'ed25519Legacy',
    userIDs: parseUserId(options.userId),
    subkeys: [],
    date: options.now,
    format: 'object',
    config,
  });
  return {
    privateArmored: plain(privateKey.armor()),
    publicArmored: armorKeys(publicKey.write()),
    fingerprint: publicKey.getFingerprint().toUpperCase(),
  };
}

function parseUserId(userId: string): { name?: string; email?: string } {
  const [, name = '', email] = /^(.*?)\s*<([^<>\s]+@[^<>\s]+)>$/.exec(userId) ?? [];
  return email === undefined ? { name: userId } : { ...(name && { name }), email };
}

/** Reads an armored private key without passphrase. Throws `KeyUnusable`. */
export async function readSigningKey(privateArmored: string): Promise<SigningKey> {
  const [key, another] = await readPrivateKeys({ armoredKeys: privateArmored }).catch(() => {
    // The parser's own message might quote the key.
    throw unusable('it is not an armored OpenPGP private key');
  });
  if (!key || another) throw unusable('expected exactly one private key');
  if (!key.isDecrypted()) throw unusable('it is protected by a passphrase: give it without one');
  return {
    key,
    fingerprint: key.getFingerprint().toUpperCase(),
    publicArmored: armorKeys(key.toPublic().write()),
  };
}

function unusable(problem: string): CairnError {
  return new CairnError('KeyUnusable', `the signing key cannot be used: ${problem}`);
}

/**
 * An InRelease: `text` signed by all keys, their signatures in one armored block. `text` ends in a
 * newline and has no blanks at the ends of lines. Throws `SigningFailed`.
 */
export async function clearsign(
  text: string,
  keys: readonly SigningKey[],
  now: Date,
): Promise<string> {
  const signed = Buffer.from(canonicalCleartext(text)).toString('utf8');
  const signature = await signatureOver(await createMessage({ text: signed }), keys, now);
  return [
    '-----BEGIN PGP SIGNED MESSAGE-----\n',
    `Hash: ${hashNames(signature)}\n\n`,
    dashEscaped(text.endsWith('\n') ? text : `${text}\n`),
    armored(signature),
  ].join('');
}

/** A Release.gpg: armored signatures of all keys over the bytes of `text`. */
export async function detachSign(
  text: string | Uint8Array,
  keys: readonly SigningKey[],
  now: Date,
): Promise<string> {
  const binary = typeof text === 'string' ? Buffer.from(text) : text;
  return armored(await signatureOver(await createMessage({ binary }), keys, now));
}

/** The same by one key, as bytes without armor. */
export async function detachSignBytes(
  content: Uint8Array,
  key: SigningKey,
  now: Date,
): Promise<Uint8Array> {
  return (await signatureOver(await createMessage({ binary: content }), [key], now)).write();
}

/** The public halves of several keys as one armored block, for `Signed-By`; each key once. */
export function publicKeys(keys: readonly (SigningKey | string)[]): string {
  const armoredKeys = keys.map((key) => (typeof key === 'string' ? key : key.publicArmored));
  const blocks = [...new Set(armoredKeys)].flatMap(readArmor);
  if (blocks.length === 0 || blocks.some(({ type }) => type !== 'PUBLIC KEY BLOCK')) {
    throw new CairnError('KeyUnusable', 'expected armored public keys');
  }
  return armorKeys(Buffer.concat(blocks.map(({ bytes }) => bytes)));
}

async function signatureOver(
  message: Message<string> | Message<Uint8Array>,
  keys: readonly SigningKey[],
  date: Date,
): Promise<Signature> {
  if (keys.length === 0) throw new CairnError('SigningFailed', 'there is no key to sign with');
  const signingKeys = keys.map(({ key }) => key);
  try {
    const binarySignature = await sign({
      message,
      signingKeys,
      date,
      detached: true,
      format: 'binary',
      config,
    });
    return await readSignature({ binarySignature });
  } catch (cause) {
    throw new CairnError('SigningFailed', `could not sign: ${clause(cause)}`, { cause });
  }
}

/** For readers of one pass: `SHA512`, or all that were used, when an old key wants another. */
function hashNames({ packets }: Signature): string {
  const names = Array.from(packets, ({ hashAlgorithm }) => digestNames.get(hashAlgorithm ?? 0));
  return [...new Set(names)].filter((name) => name !== undefined).join(', ');
}

const digestNames: ReadonlyMap<number, string> = new Map([
  [enums.hash.sha256, 'SHA256'],
  [enums.hash.sha384, 'SHA384'],
  [enums.hash.sha512, 'SHA512'],
]);

/** RFC 9580 section 7.1: a line must not look like an armor line. */
function dashEscaped(text: string): string {
  return (text.startsWith('-') ? `- ${text}` : text).replaceAll('\n-', '\n- -');
}

function armored(signature: Signature): string {
  return plain(signature.armor());
}

/** openpgp.js ends some lines in CRLF. */
function plain(text: string): string {
  return text.replaceAll('\r\n', '\n');
}
