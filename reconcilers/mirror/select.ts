import { classify, type IndexFile } from '../../apt/classify.ts';
import { componentDirectory, type Release, type ReleaseFile } from '../../apt/release.ts';
import type { MirrorSpec } from '../../crds/mirror.ts';
import { CairnError } from '../../crds/reasons.ts';

/** One index in all the compressions that are to be mirrored. */
export interface IndexGroup {
  /** The path without compression, relative to the Release: `main/binary-amd64/Packages`. */
  readonly base: string;
  readonly index: IndexFile;
  readonly variants: readonly ReleaseFile[];
  /** What Release says of the uncompressed index, whether or not upstream has it as a file. */
  readonly plain: ReleaseFile | undefined;
}

export interface Selection {
  /** As apt names them in its sources: the directories below the suite. */
  readonly components: readonly string[];
  readonly architectures: readonly string[];
  readonly groups: readonly IndexGroup[];
}

/**
 * A Release that lists itself, as tools do that find the one of before, or the beginning of the new
 * one, among the files. It can't be right, and apt doesn't look.
 */
const releaseNames: ReadonlySet<string> = new Set(['Release', 'Release.gpg', 'InRelease']);

/**
 * Which of the files that a Release lists belong into the mirror. Pure. The rule is the listing,
 * not a list of known names: what isn't of another component, another architecture or an
 * unwanted family is taken.
 *
 * Throws NotInRelease when the spec names what this Release does not have.
 */
export function select(suite: string, release: Release, spec: MirrorSpec): Selection {
  const components = wanted(suite, 'component', spec.components, release.components);
  const architectures = wanted(
    suite,
    'architecture',
    spec.architectures?.filter((name) => name !== 'all' && name !== 'source'),
    release.architectures.filter((name) => name !== 'all' && name !== 'source'),
  );
  const directoryOf = (name: string) => componentDirectory(release, name) ?? name;
  const directories = new Set(components.map(directoryOf));
  const every = release.components.map(directoryOf);
  const groups = new Map<string, { index: IndexFile; variants: ReleaseFile[] }>();
  const plain = new Map<string, ReleaseFile>();
  for (const file of release.files.values()) {
    if (releaseNames.has(file.path)) continue;
    const index = classify(file.path, every);
    if (index.component !== undefined && !directories.has(index.component)) continue;
    if (!ofArchitecture(index, architectures, release) || !included(index, spec.include)) continue;
    if (index.compression === '') plain.set(index.base, file);
    const group = groups.get(index.base) ?? { index, variants: [] };
    groups.set(index.base, group);
    group.variants.push(file);
  }
  return {
    components: [...directories],
    architectures,
    groups: [...groups].map(([base, { index, variants }]) => ({
      base,
      index,
      variants,
      plain: plain.get(base),
    })),
  };
}

/**
 * Archives list every index uncompressed as well, and mostly keep only the compressed ones: an
 * uncompressed one that isn't there is no fault.
 */
export function isOptional({ base, variants }: IndexGroup, file: ReleaseFile): boolean {
  return file.path === base && variants.length > 1;
}

/** Whether it lists boot images of the installer. */
export function isImageList({ index, base }: IndexGroup): boolean {
  return index.family === 'installer' && base.endsWith('/SHA256SUMS');
}

/** Whether pool files are named in it. */
export function namesPoolFiles({ index, base }: IndexGroup): 'packages' | 'sources' | undefined {
  if (index.family === 'sources') return 'sources';
  if (index.family === 'packages') return 'packages';
  return index.family === 'installer' && base.endsWith('/Packages') ? 'packages' : undefined;
}

function wanted(
  suite: string,
  what: string,
  asked: readonly string[] | undefined,
  listed: readonly string[],
): readonly string[] {
  if (asked === undefined) return listed;
  if (listed.length === 0) return asked;
  const absent = asked.filter((name) => listedAs(name, listed) === undefined);
  if (absent.length > 0) {
    throw new CairnError(
      'NotInRelease',
      `${suite} has no ${what} ${absent.join(', ')}; its Release lists: ${listed.join(', ')}`,
    );
  }
  return asked.map((name) => listedAs(name, listed) ?? name);
}

/** debian-security lists `updates/main` and people write `main`. */
function listedAs(name: string, listed: readonly string[]): string | undefined {
  return listed.find((one) => one === name) ?? listed.find((one) => one.endsWith(`/${name}`));
}

/** Like apt, `all` has indexes of its own only where Release lists it as an architecture. */
function ofArchitecture(
  { architecture }: IndexFile,
  wantedOnes: readonly string[],
  release: Release,
): boolean {
  if (architecture === undefined || architecture === 'source') return true;
  if (release.architectures.length === 0) return true;
  return architecture === 'all'
    ? release.architectures.includes('all')
    : wantedOnes.includes(architecture);
}

function included(index: IndexFile, include: MirrorSpec['include']): boolean {
  switch (index.family) {
    case 'packages':
      return true;
    case 'release':
      return index.architecture !== 'source' || include.sources;
    case 'sources':
      return include.sources;
    case 'translations':
      return (
        include.translations.includes('*') ||
        (index.language !== undefined && include.translations.includes(index.language))
      );
    case 'contents':
      return include.contents && (index.architecture !== 'source' || include.sources);
    case 'appstream':
      return include.appstream;
    case 'commandNotFound':
      return include.commandNotFound;
    case 'installer':
      return include.installer;
    case 'pdiff':
      return false; // patches between states that this mirror never had
    case 'other':
      return include.other;
  }
}
