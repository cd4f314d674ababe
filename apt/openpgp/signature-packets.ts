import { readSignature, SignaturePacket } from 'openpgp';
import { readArmor } from './armor.ts';

/** A signature, or what to tell people about one that cannot even be read. */
export type ReadPacket = SignaturePacket | { readonly unreadable: string };

const maxSignatures = 64;

/** The signatures of armored blocks, in their order; the first 64, for nobody has more. */
export async function readSignatures(blocks: readonly string[]): Promise<ReadPacket[]> {
  const packets = await Promise.all(blocks.slice(0, maxSignatures).map(readBlock));
  return packets.flat().slice(0, maxSignatures);
}

async function readBlock(block: string): Promise<ReadPacket[]> {
  const [armored] = readArmor(block);
  if (!armored || armored.bytes.length === 0) return [{ unreadable: 'a signature block is empty' }];
  try {
    const { packets } = await readSignature({ binarySignature: armored.bytes });
    return Array.from(packets, (packet) =>
      packet instanceof SignaturePacket
        ? packet
        : { unreadable: 'a signature is of a version that is not supported' },
    );
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    return [{ unreadable: `a signature cannot be read: ${why}` }];
  }
}

/** The fingerprint of who made it, or the key ID where an old signature tells no more. */
export function issuerOf({ issuerFingerprint, issuerKeyID }: SignaturePacket): string {
  return issuerFingerprint
    ? Buffer.from(issuerFingerprint).toString('hex').toUpperCase()
    : issuerKeyID.toHex().toUpperCase();
}
