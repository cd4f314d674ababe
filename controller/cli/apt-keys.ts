import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { armorKeyring } from '../../apt/openpgp.ts';
import type { AptSource } from '../../apt/sources-list.ts';
import { CairnError } from '../../crds/reasons.ts';

/** The keys that apt would check an entry with. */
export interface SourceKeys {
  readonly armored: string;
  /** Only these of them; all when empty. */
  readonly fingerprints: readonly string[];
}

/**
 * The keys of an entry: those of its Signed-By, else all that the machine trusts. Throws
 * `KeyUnusable` that says which can't be had.
 */
export async function keysOf(source: AptSource, aptDirectory: string): Promise<SourceKeys> {
  const { paths = [], fingerprints = [], inline } = source.signedBy ?? {};
  const wrong = fingerprints.find((word) => !/^([0-9A-F]{40}|[0-9A-F]{64})!?$/.test(word));
  if (wrong !== undefined) {
    throw new CairnError('KeyUnusable', `${JSON.stringify(wrong)} in Signed-By is no fingerprint`);
  }
  if (inline !== undefined) return { armored: await armorKeyring(inline), fingerprints };
  if (paths.length === 0) return { armored: await trustedKeys(aptDirectory), fingerprints };
  const files = await Promise.all(paths.map((file) => keyFile(file, aptDirectory)));
  return { armored: await merged(files), fingerprints };
}

/** What apt uses without Signed-By: trusted.gpg and trusted.gpg.d. Bad files are passed over. */
async function trustedKeys(aptDirectory: string): Promise<string> {
  const folder = path.join(aptDirectory, 'trusted.gpg.d');
  const names = (await readdir(folder).catch((): string[] => [])).sort();
  const files = [
    path.join(aptDirectory, 'trusted.gpg'),
    ...names.filter((name) => /\.(gpg|asc)$/.test(name)).map((name) => path.join(folder, name)),
  ];
  const good: string[] = [];
  for (const file of files) {
    const bytes = await readFile(file).catch(() => undefined);
    const armored = bytes && (await armorKeyring(bytes).catch(() => undefined));
    if (armored) good.push(armored);
  }
  if (good.length > 0) return merged(good);
  throw new CairnError(
    'KeyUnusable',
    `it has no Signed-By, and there is no usable key in ${folder}`,
  );
}

async function merged(keyrings: readonly string[]): Promise<string> {
  return armorKeyring([...new Set(keyrings)].join('\n'));
}

/** Of another machine's /etc/apt, the keys are below that machine's root. */
async function keyFile(file: string, aptDirectory: string): Promise<string> {
  const [, root] = /^(.*)\/etc\/apt\/?$/.exec(aptDirectory) ?? [];
  const candidates = root ? [path.join(root, file), file] : [file];
  for (const candidate of candidates) {
    const bytes = await readFile(candidate).catch(() => undefined);
    if (bytes) return armorKeyring(bytes);
  }
  throw new CairnError('KeyUnusable', `its keyring ${file} can't be read`);
}
