import { setImmediate } from 'node:timers/promises';
import { decompress, type Compression } from '../../apt/decompress.ts';
import { scanInstallable, type Installable } from '../../apt/installable.ts';
import { componentDirectory, type Release } from '../../apt/release.ts';
import { CairnError } from '../../crds/reasons.ts';
import { releaseFolder, withSlash, type DeclaredArchive } from './archives.ts';
import { PackageSet } from './closure.ts';
import { ArchiveUnreachable, fetchExpected, type FetchOptions } from './fetch-file.ts';
import type { Pins } from './pins.ts';

/** A package, and the archive that has it. */
export interface ArchivePackage extends Installable {
  readonly archive: DeclaredArchive;
}

export interface IndexOptions extends Pick<FetchOptions, 'dispatcher' | 'signal'> {
  readonly architecture: string;
  readonly pins: Pins;
}

/** Of one index: the largest of Debian have 60 MB. */
const mostBytes = 512 << 20;
const mostCompressed = 128 << 20;
const mostPackages = 500_000;
const withinMs = 5 * 60_000;
const turnBytes = 1 << 18;

/** Fast ones first. An archive lists some that it does not have. */
const compressions: readonly Compression[] = ['.zst', '.gz', '.xz', '.bz2', ''];

/** All packages of the archives, in the state that the pins say. Throws `ArchiveUnreachable`. */
export async function readIndexes(
  archives: readonly DeclaredArchive[],
  options: IndexOptions,
): Promise<PackageSet<ArchivePackage>> {
  const packages = new PackageSet<ArchivePackage>();
  for (const archive of archives) {
    for (const suite of archive.suites) {
      try {
        await readSuite(archive, suite, options, packages);
      } catch (error) {
        if (!(error instanceof CairnError)) throw error;
        const message = `${archive.uri} ${suite}: ${error.message}`;
        throw new ArchiveUnreachable(message, { cause: error });
      }
    }
  }
  return packages;
}

async function readSuite(
  archive: DeclaredArchive,
  suite: string,
  options: IndexOptions,
  packages: PackageSet<ArchivePackage>,
): Promise<void> {
  const release = options.pins.releaseOf(archive, suite);
  for (const path of indexesOf(release, archive, options.architecture)) {
    const { extension, content } = await fetchIndex(archive, suite, { release, path }, options);
    const onPackage = (one: Installable) => {
      packages.add({ ...one, archive });
      if (packages.size > mostPackages) throw new ArchiveUnreachable(`${path}: too many packages`);
    };
    const bytes = decompress(inTurns(content), extension, { maxBytes: mostBytes });
    await scanInstallable(bytes, onPackage, { name: path });
  }
}

/** Where the Packages of a suite are, without the extensions; `binary-all` repeats nothing unless the Release says so. */
function indexesOf(
  release: Release,
  { components }: DeclaredArchive,
  architecture: string,
): readonly string[] {
  if (components.length === 0) return ['Packages'];
  const isRepeated = release.noSupportForArchitectureAll === 'Packages';
  const architectures = isRepeated ? [architecture] : [architecture, 'all'];
  return components
    .flatMap((component) => componentDirectory(release, component) ?? [])
    .flatMap((folder) => architectures.map((name) => `${folder}/binary-${name}/Packages`))
    .filter((path) => compressions.some((extension) => release.files.has(`${path}${extension}`)));
}

async function fetchIndex(
  archive: DeclaredArchive,
  suite: string,
  { release, path }: { readonly release: Release; readonly path: string },
  options: IndexOptions,
): Promise<{ readonly extension: Compression; readonly content: Buffer }> {
  for (const extension of compressions) {
    const file = release.files.get(`${path}${extension}`);
    const sha256 = file?.hashes.SHA256;
    if (!file || sha256 === undefined || file.size > mostCompressed) continue;
    const folder = path.slice(0, path.lastIndexOf('/') + 1);
    const place = release.acquireByHash
      ? `${folder}by-hash/SHA256/${sha256}`
      : `${path}${extension}`;
    const url = `${withSlash(archive.uri)}${releaseFolder(suite)}${place}`;
    const content = await fetchExpected(
      url,
      archive,
      { size: file.size, sha256 },
      { ...options, withinMs },
    );
    if (content) return { extension, content };
  }
  throw new ArchiveUnreachable(`${archive.uri} does not have ${path} of ${suite}`);
}

/** Decoders may run in this thread: others get a turn now and then. */
async function* inTurns(content: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < content.length; at += turnBytes) {
    yield content.subarray(at, at + turnBytes);
    await setImmediate();
  }
}
