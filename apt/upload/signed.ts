import { createHash } from 'node:crypto';
import { CairnError } from '../../crds/reasons.ts';
import { splitCleartext, type Cleartext } from '../cleartext.ts';
import { parseControl, type ControlParagraph } from '../deb/control.ts';
import type { Digests } from '../deb/hashing-reader.ts';
import { invalid } from '../deb/invalid.ts';
import { verifyRelease, type Keyring, type VerifyOptions } from '../openpgp.ts';

export interface ReadUploadOptions {
  /** How the file is called in errors. */
  readonly name?: string;
  /** Refuse the file unless one of these keys signed it. Without it, signatures mean nothing. */
  readonly verify?: VerifyOptions & { readonly keyring: Keyring };
}

/** A .dsc, .changes or .buildinfo, of which only what was signed is left, if it was signed. */
export interface SignedControl {
  readonly control: ControlParagraph;
  /** Fingerprints of the keys with good signatures; none where nobody asked for verification. */
  readonly signedBy: readonly string[];
  /** Of the file as it came, with its signature. */
  readonly digests: Digests;
}

const begin = '-----BEGIN PGP';
/** As for an InRelease; the largest .buildinfo of Debian is below 1 MiB. */
const maxBytes = 16 * 1024 * 1024;

/**
 * Takes the signature off and reads the paragraph. Throws `PackageInvalid`, and `SignatureInvalid`
 * when a signature was asked for and there is no good one.
 */
export async function readSigned(
  bytes: Uint8Array,
  kind: string,
  { name = kind, verify }: ReadUploadOptions,
): Promise<SignedControl> {
  if (bytes.length > maxBytes) throw invalid(name, `more than the ${maxBytes} bytes allowed`);
  const start = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, begin.length));
  const cleartext = start.toString('latin1') === begin ? split(bytes, name) : undefined;
  const signedBy = verify ? await signers(cleartext, name, verify) : [];
  const text = cleartext ? Buffer.from(cleartext.text) : bytes;
  return { control: parseControl(text, name), signedBy, digests: digestsOf(bytes) };
}

function split(bytes: Uint8Array, name: string): Cleartext {
  try {
    return splitCleartext(bytes, name);
  } catch (thrown) {
    if (!(thrown instanceof CairnError)) throw thrown;
    throw invalid(name, thrown.message, thrown);
  }
}

async function signers(
  cleartext: Cleartext | undefined,
  name: string,
  { keyring, ...options }: VerifyOptions & { readonly keyring: Keyring },
): Promise<readonly string[]> {
  if (!cleartext) throw new CairnError('SignatureInvalid', `${name}: it is not signed`);
  try {
    return (await verifyRelease(cleartext, keyring, options)).fingerprints;
  } catch (thrown) {
    if (!(thrown instanceof CairnError)) throw thrown;
    throw new CairnError(thrown.reason, `${name}: ${thrown.message}`, { cause: thrown });
  }
}

function digestsOf(bytes: Uint8Array): Digests {
  const hash = (algorithm: string) => createHash(algorithm).update(bytes).digest('hex');
  return {
    size: bytes.length,
    md5: hash('md5'),
    sha1: hash('sha1'),
    sha256: hash('sha256'),
    sha512: hash('sha512'),
  };
}
