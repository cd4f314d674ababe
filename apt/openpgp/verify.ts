import { createMessage, enums, type Key, type SignaturePacket, type Subkey } from 'openpgp';
import { CairnError } from '../../crds/reasons.ts';
import { splitSignatures, type Cleartext } from '../cleartext.ts';
import { canonicalCleartext, canonicalText } from './canonical.ts';
import {
  clause,
  judgeSigner,
  nameOf,
  Refusal,
  refuseWeakDigest,
  refuseWrongTime,
  type Signer,
} from './judge.ts';
import type { Keyring } from './keyring.ts';
import { issuerOf, readSignatures, type ReadPacket } from './signature-packets.ts';

export interface VerifyOptions {
  /**
   * Count only these keys of the keyring. A primary key's fingerprint stands for its subkeys too,
   * unless it ends in `!`. Left out or empty: every key counts.
   */
  readonly fingerprints?: readonly string[];
  readonly now: Date;
}

export interface Verified {
  /** Of the keys (subkeys too) that made the good signatures, in upper case, without repeats. */
  readonly fingerprints: string[];
  /** What will break for clients some day, and signatures that did not count. */
  readonly warnings: string[];
}

/**
 * Checks an InRelease that `splitCleartext` took apart. One good signature by a key that counts is
 * enough, as for apt. Otherwise throws `SignatureInvalid`, which tells for every signature why it
 * does not count.
 */
export async function verifyRelease(
  cleartext: Cleartext,
  keyring: Keyring,
  options: VerifyOptions,
): Promise<Verified> {
  const content = canonicalCleartext(cleartext.text);
  return verify({ binary: content, text: content }, cleartext.signatures, keyring, options);
}

/**
 * The same for a Release and the text of its Release.gpg, which must be armored: binary signatures
 * are refused with `ReleaseInvalid`, as apt does.
 */
export async function verifyDetached(
  content: string | Uint8Array,
  releaseGpg: string | Uint8Array,
  keyring: Keyring,
  options: VerifyOptions,
): Promise<Verified> {
  const binary = typeof content === 'string' ? Buffer.from(content) : content;
  const signed = { binary, text: canonicalText(binary) };
  return verify(signed, splitSignatures(releaseGpg), keyring, options);
}

/** What is hashed for signatures of type 0x00 and 0x01. */
interface Signed {
  readonly binary: Uint8Array;
  readonly text: Uint8Array;
}

async function verify(
  signed: Signed,
  blocks: readonly string[],
  keyring: Keyring,
  options: VerifyOptions,
): Promise<Verified> {
  const packets = await readSignatures(blocks);
  const outcomes = await Promise.all(
    packets.map((packet) => judge(packet, signed, keyring, options)),
  );
  const good = outcomes.flatMap((outcome) => ('signer' in outcome ? [outcome] : []));
  const refusals = outcomes.flatMap((outcome) => ('refusal' in outcome ? [outcome.refusal] : []));
  if (good.length === 0) {
    const why = refusals.length > 0 ? refusals.join('; ') : 'there is no signature';
    throw new CairnError('SignatureInvalid', `no good signature: ${why}`);
  }
  return {
    fingerprints: [...new Set(good.map(({ signer }) => fingerprintOf(signer)))],
    warnings: [...new Set([...good.flatMap(({ warnings }) => warnings), ...refusals])],
  };
}

type Outcome =
  { readonly signer: Signer; readonly warnings: readonly string[] } | { readonly refusal: string };

async function judge(
  packet: ReadPacket,
  signed: Signed,
  keyring: Keyring,
  options: VerifyOptions,
): Promise<Outcome> {
  if ('unreadable' in packet) return { refusal: packet.unreadable };
  let refusal = `no key for ${issuerOf(packet)} in the keyring`;
  for (const signer of signersOf(packet, keyring)) {
    try {
      return { signer, warnings: await judgeBy(signer, packet, signed, options) };
    } catch (thrown) {
      if (!(thrown instanceof Refusal)) throw thrown;
      refusal = thrown.message;
    }
  }
  const issuer = issuerOf(packet);
  return { refusal: refusal.includes(issuer) ? refusal : `signature by ${issuer}: ${refusal}` };
}

/** Mostly one; more when a keyring has several editions of a key: any of them will do. */
function signersOf(packet: SignaturePacket, { keys }: Keyring): Signer[] {
  return keys.flatMap((primary) =>
    primary
      .getKeys()
      .filter((key) => isIssuer(packet, key))
      .map((key) => ('mainKey' in key ? { primary, subkey: key } : { primary })),
  );
}

async function judgeBy(
  signer: Signer,
  packet: SignaturePacket,
  signed: Signed,
  { fingerprints = [], now }: VerifyOptions,
): Promise<string[]> {
  refuseWeakDigest(packet);
  refuseOthers(signer, fingerprints);
  await refuseBadSignature(packet, signer, signed);
  refuseWrongTime(packet, signer, now);
  // Seen from a clock that is behind, a new key must not look as if it came from the future.
  const { created } = packet;
  return judgeSigner(signer, created && created > now ? created : now);
}

function isIssuer(packet: SignaturePacket, key: Key | Subkey): boolean {
  const { issuerFingerprint } = packet;
  if (issuerFingerprint) return issuerOf(packet) === key.getFingerprint().toUpperCase();
  return key.getKeyID().equals(packet.issuerKeyID);
}

function refuseOthers(signer: Signer, fingerprints: readonly string[]): void {
  if (fingerprints.length === 0) return;
  const own = fingerprintOf(signer);
  const primary = signer.primary.getFingerprint().toUpperCase();
  const counts = fingerprints
    .map((fingerprint) => fingerprint.toUpperCase())
    .some((listed) => listed === own || listed === `${own}!` || listed === primary);
  if (counts) return;
  const name = nameOf(signer.subkey ?? signer.primary);
  throw new Refusal(`signed by ${name}, which is not in signedBy.fingerprints`);
}

function fingerprintOf({ primary, subkey }: Signer): string {
  return (subkey ?? primary).getFingerprint().toUpperCase();
}

/** Only the mathematics; dates are looked at elsewhere. */
async function refuseBadSignature(
  packet: SignaturePacket,
  signer: Signer,
  signed: Signed,
): Promise<void> {
  const { signatureType: type, created } = packet;
  if (type !== enums.signature.binary && type !== enums.signature.text) {
    throw new Refusal(`it is a signature of type ${type}, not one over a file`);
  }
  const binary = type === enums.signature.text ? signed.text : signed.binary;
  const { packets } = await createMessage({ binary });
  const { keyPacket } = signer.subkey ?? signer.primary;
  try {
    await packet.verify(keyPacket, type, packets[0] ?? {}, created ?? undefined, true);
  } catch (cause) {
    throw new Refusal(`it does not match the content (${clause(cause)})`);
  }
}
