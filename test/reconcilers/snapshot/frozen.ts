/** Frozen members whose Packages indexes are written out by hand. */
import { createHash } from 'node:crypto';
import { zstdCompressSync, gzipSync } from 'node:zlib';
import type { FrozenMember } from '../../../crds/snapshot.ts';
import { openBlobs, type FileBlobs } from '../../../depot/file-blobs.ts';
import { Trees } from '../../../depot/tree-reader.ts';
import { comparePaths, writeTree } from '../../../depot/tree-writer.ts';
import { tempDir, type Scope } from '../../world/temp.ts';

export interface Listed {
  readonly name: string;
  readonly version: string;
  readonly architecture?: string;
  /** As in the Source field: `name` or `name (version)`. */
  readonly source?: string;
  /** Stands for the bytes of the .deb. */
  readonly content?: string;
}

export interface TestDepot {
  readonly root: string;
  readonly blobs: FileBlobs;
  readonly trees: Trees;
  /** A member that holds indexes: path in the archive → packages, or the bytes of the file. */
  freeze(
    indexes: Readonly<Record<string, readonly Listed[] | Buffer>>,
    given?: Partial<FrozenMember> & { readonly suitePaths?: Readonly<Record<string, string>> },
  ): Promise<FrozenMember>;
}

export async function testDepot(t: Scope): Promise<TestDepot> {
  const root = tempDir(t);
  const blobs = await openBlobs(root);
  const trees = new Trees(blobs);
  t.after(() => trees.close());
  return {
    root,
    blobs,
    trees,
    async freeze(indexes, { suitePaths = { stable: 'dists/stable' }, ...given } = {}) {
      const entries = Object.entries(indexes).map(([path, content]) => ({
        path,
        ...blobs.put(Buffer.isBuffer(content) ? content : packed(path, packagesText(content))),
      }));
      const { digest } = await writeTree(
        blobs,
        entries.sort((a, b) => comparePaths(a.path, b.path)),
      );
      return { ...blankMember, tree: digest, suites: suitesAt(suitePaths), ...given };
    },
  };
}

const blankMember: Omit<FrozenMember, 'tree' | 'suites'> = {
  mirror: 'debian',
  path: 'deb.example.org/debian',
  url: 'http://deb.example.org/debian',
  generation: 1,
  public: true,
  download: 'Eager',
  packages: 0,
};

function suitesAt(paths: Readonly<Record<string, string>>): FrozenMember['suites'] {
  return Object.entries(paths).map(([suite, path]) => ({
    suite,
    path,
    release: '0'.repeat(64),
    date: '2026-08-01T00:00:00Z',
    publishedAt: '2026-08-01T00:00:00Z',
    components: ['main'],
    architectures: ['amd64'],
    sources: false,
    signedBy: [],
  }));
}

export function packagesText(packages: readonly Listed[]): Buffer {
  return Buffer.from(packages.map(stanza).join('\n'));
}

function stanza({ name, version, architecture = 'amd64', source, content = version }: Listed) {
  const sha256 = createHash('sha256').update(`${name} ${architecture} ${content}`).digest('hex');
  return [
    `Package: ${name}`,
    ...(source === undefined ? [] : [`Source: ${source}`]),
    `Version: ${version}`,
    `Architecture: ${architecture}`,
    `Filename: pool/${name}_${version}_${architecture}.deb`,
    'Size: 1000',
    `SHA256: ${sha256}`,
    '',
  ].join('\n');
}

function packed(path: string, text: Buffer): Buffer {
  if (path.endsWith('.gz')) return gzipSync(text);
  if (path.endsWith('.zst')) return zstdCompressSync(text);
  return text;
}
