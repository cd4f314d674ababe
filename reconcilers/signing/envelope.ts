import { detachSignBytes, type SigningKey } from '../../apt/openpgp.ts';

/**
 * What is signed in an envelope: the type goes along with the content, so that a signature for one is none for the other
 * (DSSE v1, "Pre-Authentication Encoding").
 */
export function preAuthEncoding(payloadType: string, payload: Uint8Array): Buffer {
  const head = `DSSEv1 ${Buffer.byteLength(payloadType)} ${payloadType} ${payload.length} `;
  return Buffer.concat([Buffer.from(head), payload]);
}

/**
 * A DSSE envelope (github.com/secure-systems-lab/dsse, v1), as JSON. Each key signs: `keyid` is its fingerprint, `sig` a detached
 * OpenPGP signature, which gpgv and sqv read.
 */
export async function sealEnvelope(
  payload: Uint8Array,
  payloadType: string,
  { keys, date }: { readonly keys: readonly SigningKey[]; readonly date: Date },
): Promise<string> {
  const signed = preAuthEncoding(payloadType, payload);
  const signatures = await Promise.all(
    keys.map(async (key) => ({
      keyid: key.fingerprint,
      sig: base64(await detachSignBytes(signed, key, date)),
    })),
  );
  return `${JSON.stringify({ payloadType, payload: base64(payload), signatures })}\n`;
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
