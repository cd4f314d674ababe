/** Source packages of Debian, as the machine's own archive has them: fetched once, by the machine's apt. */
import { existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { mustRun } from './process.ts';

const cache = path.resolve(import.meta.dirname, '../../.cache/test/sources');

/** Files of the pool by their paths, each with its SHA-256; the one with `debian/` comes last. */
export type DebianSource = readonly (readonly [path: string, sha256: string])[];

/** A native package that every Debian has, and that is built in seconds. */
export const hostname: DebianSource = [
  [
    'pool/main/h/hostname/hostname_3.23+nmu1.tar.xz',
    'f3fb39f30b00ba7dba2cec013195d7e1bb215f241153208ccd52da3eedfe7a7d',
  ],
];

/** A program of an upstream part with many patches, `3.0 (quilt)`: the version of Debian 13. */
export const cowsay: DebianSource = [
  [
    'pool/main/c/cowsay/cowsay_3.03+dfsg2.orig.tar.gz',
    '3b89965c7d6b19f321867e59d14d4aec820d36068f56d2b1e783498beeb4183e',
  ],
  [
    'pool/main/c/cowsay/cowsay_3.03+dfsg2-8.debian.tar.xz',
    'd0c8832b05408498869603c8c7d30d75da72bd491561be598875529cd4980341',
  ],
];

/** Unpacks a source package into a folder as people keep them in git: with its patches not applied. */
export async function unpackSource(
  source: DebianSource,
  { archive, folder }: { readonly archive: string; readonly folder: string },
): Promise<void> {
  for (const [name, sha256] of source) {
    const file = path.join(cache, path.basename(name));
    if (!existsSync(file)) {
      mkdirSync(cache, { recursive: true });
      const url = `${archive.replace(/\/$/, '')}/${name}`;
      await mustRun('/usr/lib/apt/apt-helper', ['download-file', url, file, `SHA256:${sha256}`]);
    }
    const strip = name.includes('.debian.tar.') ? 0 : 1;
    await mustRun('tar', [
      ...['--extract', '--file', file, '--directory', folder, `--strip-components=${strip}`],
    ]);
  }
}
