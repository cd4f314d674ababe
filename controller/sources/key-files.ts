import { realpath } from 'node:fs/promises';
import { dirname, isAbsolute, join, normalize, sep } from 'node:path';
import type { Manifest } from '../../crds/object.ts';
import { isInside, type BoundedReader } from './files.ts';

const maxKeyFileBytes = 512 * 1024;

/** As the schema says of `signedBy.inline`. */
const maxArmoredLength = 512 * 1024;

export interface KeyFile {
  /** Relative to the root of the source. */
  readonly file: string;
  readonly bytes: Uint8Array;
}

/** The `signedBy` of a manifest, if it has one. */
export function signedByOf({ spec }: Manifest): { file?: string; inline?: string } {
  const { signedBy = {} } = spec as { signedBy?: { file?: string; inline?: string } }; // of Mirrors
  return signedBy;
}

/** Throws an Error for people when the keys in a manifest are of no use. */
export async function checkInlineKeys(inline: string): Promise<void> {
  const { readKeyring } = await import('../../apt/openpgp.ts');
  await readKeyring(inline);
}

/**
 * Reads the key file that a manifest names, relative to itself. Throws an Error for people when it
 * isn't there, is too large, or is outside the root of the source once all links are followed.
 */
export async function readKeyFile(
  place: { readonly root: string; readonly manifestFile: string; readonly reader: BoundedReader },
  name: string,
): Promise<KeyFile> {
  const file = normalize(join(dirname(place.manifestFile), name));
  if (isAbsolute(name) || file === '..' || file.startsWith(`..${sep}`)) {
    throw new Error('expected a file inside the config source, relative to this manifest');
  }
  const root = await realpath(place.root);
  const path = await realpath(join(root, file)).catch(() => {
    throw new Error(`there is no key file ${file}`);
  });
  if (!isInside(root, path)) throw new Error(`${file} is a link that leaves the config source`);
  const bytes = await place.reader.read(path, maxKeyFileBytes);
  return { file: file.split(sep).join('/'), bytes };
}

/** The manifest with the keys themselves in the place of `signedBy.file`. Throws an Error for people. */
export async function withInlineKeys(manifest: Manifest, bytes: Uint8Array): Promise<Manifest> {
  // Loaded when first needed: it is a large library.
  const { armorKeyring } = await import('../../apt/openpgp.ts');
  const inline = await armorKeyring(bytes);
  if (inline.length > maxArmoredLength) throw new Error('expected at most 512 KiB of armored keys');
  const spec = manifest.spec as { signedBy: { file?: string } }; // signedByOf has found one
  const { file: _, ...signedBy } = spec.signedBy;
  return { ...manifest, spec: { ...spec, signedBy: { ...signedBy, inline } } };
}
