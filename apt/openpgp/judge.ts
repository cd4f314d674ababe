import { enums, type Key, type SignaturePacket, type Subkey } from 'openpgp';

/** The key that made a signature, and the primary key that vouches for it (maybe the same). */
export interface Signer {
  readonly primary: Key;
  /** Undefined when the primary key signed itself. */
  readonly subkey?: Subkey;
}

/** Throw this to refuse a signature: its message is a clause for people. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
}

const weakDigests: ReadonlyMap<number, string> = new Map([
  [enums.hash.md5, 'MD5'],
  [enums.hash.sha1, 'SHA-1'],
  [enums.hash.ripemd, 'RIPEMD-160'],
  [enums.hash.sha224, 'SHA-224'],
]);

/** The policy of apt: gpgv's list of weak digests, and SHA-224, which sqv refuses too. */
export function refuseWeakDigest(signature: SignaturePacket): void {
  const digest = weakDigests.get(signature.hashAlgorithm ?? 0);
  if (digest) throw new Refusal(`${digest} digest is too weak`);
}

const minRsaBits = 2048;

function refuseWeakAlgorithm(name: string, key: Key | Subkey): void {
  const { algorithm, bits } = key.getAlgorithmInfo();
  if (algorithm === 'dsa' || algorithm === 'elgamal') {
    throw new Refusal(`${name} is a ${algorithm.toUpperCase()} key, which is too weak`);
  }
  if (bits !== undefined && bits < minRsaBits) {
    throw new Refusal(`${name} has ${bits} bits, fewer than ${minRsaBits}`);
  }
}

/** How far the clock of the one who signed may be ahead of ours. */
const allowedSkewMs = 10 * 60_000;

export function refuseWrongTime(signature: SignaturePacket, signer: Signer, now: Date): void {
  const { created } = signature;
  if (!created) throw new Refusal('the signature says nothing about when it was made');
  if (created.getTime() > now.getTime() + allowedSkewMs) {
    throw new Refusal(`the signature was made in the future, on ${day(created)}`);
  }
  const expires = signature.getExpirationTime();
  if (expires instanceof Date && expires <= now) {
    throw new Refusal(`the signature expired on ${day(expires)}`);
  }
  const key = signer.subkey ?? signer.primary;
  if (key.getCreationTime() > created) {
    throw new Refusal(
      `${nameOf(key)} was made after the signature, on ${day(key.getCreationTime())}`,
    );
  }
}

/**
 * Refuses a key that does not count now, whenever it signed: apt trusts no expired or revoked key
 * (gpgv's EXPKEYSIG and REVKEYSIG). Returns the warnings about a key that does count.
 */
export async function judgeSigner(signer: Signer, now: Date): Promise<string[]> {
  const { primary, subkey } = signer;
  const selfSignature = await judgePrimary(primary, now);
  if (!subkey) {
    refuseNonSigning(nameOf(primary), selfSignature);
    return bindingWarnings(primary, selfSignature);
  }
  const binding = await judgeSubkey(primary, subkey, now);
  return [...bindingWarnings(primary, selfSignature), ...bindingWarnings(subkey, binding)];
}

async function judgePrimary(primary: Key, now: Date): Promise<SignaturePacket> {
  const name = nameOf(primary);
  refuseWeakAlgorithm(name, primary);
  if (await primary.isRevoked(undefined, undefined, now)) throw new Refusal(`${name} is revoked`);
  const expires = await primary.getExpirationTime();
  refuseExpired(name, expires, now);
  try {
    await primary.verifyPrimaryKey(now);
    return (await primary.getPrimaryUser(now)).selfCertification;
  } catch (cause) {
    throw new Refusal(`${name} is not valid: ${clause(cause)}`);
  }
}

async function judgeSubkey(primary: Key, subkey: Subkey, now: Date): Promise<SignaturePacket> {
  const name = nameOf(subkey);
  refuseWeakAlgorithm(name, subkey);
  refuseExpired(name, await subkey.getExpirationTime(now), now);
  const binding = await subkey.verify(now).catch((cause: unknown) => {
    throw new Refusal(`${name} is not valid: ${clause(cause)}`);
  });
  refuseNonSigning(name, binding);
  await refuseWithoutBackSignature(primary, subkey, binding, now);
  return binding;
}

function refuseExpired(name: string, expires: Date | number | null, now: Date): void {
  if (expires instanceof Date && expires <= now) {
    throw new Refusal(`${name} expired on ${day(expires)}`);
  }
}

/** A key without flags may do everything, as in gpgv. */
function refuseNonSigning(name: string, selfSignature: SignaturePacket): void {
  const flags = selfSignature.keyFlags?.[0];
  if (flags !== undefined && (flags & enums.keyFlags.signData) === 0) {
    throw new Refusal(`${name} is not meant for signing`);
  }
}

/** Without the subkey's own consent anybody could adopt it (RFC 9580 section 10.1.5). */
async function refuseWithoutBackSignature(
  primary: Key,
  subkey: Subkey,
  binding: SignaturePacket,
  now: Date,
): Promise<void> {
  const bound = { key: primary.keyPacket, bind: subkey.keyPacket };
  try {
    if (!binding.embeddedSignature) throw new Error('it is missing');
    const { keyBinding } = enums.signature;
    await binding.embeddedSignature.verify(subkey.keyPacket, keyBinding, bound, now);
  } catch (cause) {
    throw new Refusal(`${nameOf(subkey)} has no good back-signature: ${clause(cause)}`);
  }
}

function bindingWarnings(key: Key | Subkey, selfSignature: SignaturePacket): string[] {
  if (selfSignature.hashAlgorithm !== enums.hash.sha1) return [];
  return [`${nameOf(key)} is bound by a SHA-1 self-signature, which apt 3 refuses`];
}

/** `key 6ED0…` or `subkey 4CB5…`. */
export function nameOf(key: Key | Subkey): string {
  const kind = 'mainKey' in key ? 'subkey' : 'key';
  return `${kind} ${key.getFingerprint().toUpperCase()}`;
}

export function day(date: Date): string {
  return date.toISOString().slice(0, 10);
}

export function clause(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
