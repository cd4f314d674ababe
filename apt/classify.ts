import { compressionOf, type Compression, type UnsupportedCompression } from './decompress.ts';

export type IndexFamily =
  | 'packages'
  | 'sources'
  | 'translations'
  | 'contents'
  | 'appstream'
  | 'commandNotFound'
  | 'installer'
  | 'release'
  | 'pdiff'
  | 'other';

/** What a file that a Release lists is for. */
export interface IndexFile {
  /** As the path begins; left out for files that belong to no component. */
  readonly component?: string;
  readonly family: IndexFamily;
  /** `source` for Sources and for the Contents of source packages. */
  readonly architecture?: string;
  /** Of a translation, as its file name says: `en`, `pt_BR`. */
  readonly language?: string;
  /** The path without the extension of its compression. */
  readonly base: string;
  readonly compression: Compression | UnsupportedCompression;
}

type Kind = Pick<IndexFile, 'family' | 'architecture' | 'language'>;

/**
 * Tells from its path what an index is for, in the layouts that Debian and Ubuntu use (the Debian
 * wiki's RepositoryFormat). `components` are the directories of the components, as
 * `componentDirectory` gives them; a path below none of them is a file of the suite as a whole.
 */
export function classify(path: string, components: readonly string[]): IndexFile {
  const compression = compressionOf(path);
  const base = path.slice(0, path.length - compression.length);
  const component = componentOf(path, components);
  const inside = component === undefined ? base : base.slice(component.length + 1);
  return {
    ...(component !== undefined && { component }),
    ...kindOf(inside),
    base,
    compression,
  };
}

/** The longest that fits: `main/debian` is not of `main` where both exist. */
function componentOf(path: string, components: readonly string[]): string | undefined {
  return components
    .filter((component) => path.startsWith(`${component}/`))
    .reduce<string | undefined>(
      (best, component) => (component.length > (best?.length ?? -1) ? component : best),
      undefined,
    );
}

/** The first rule that fits decides; named groups become the fields. */
const rules: readonly (readonly [RegExp, IndexFamily])[] = [
  [/(^|\/)[^/]+\.diff\//, 'pdiff'],
  [/^debian-installer\/binary-(?<architecture>[^/]+)\//, 'installer'],
  [/^installer-(?<architecture>[^/]+)\//, 'installer'],
  [/^Contents-udeb-(?<architecture>[^/]+)$/, 'installer'],
  [/^binary-(?<architecture>[^/]+)\/Packages$/, 'packages'],
  [/^binary-(?<architecture>[^/]+)\/Release$/, 'release'],
  [/^(?<architecture>source)\/Sources$/, 'sources'],
  [/^(?<architecture>source)\/Release$/, 'release'],
  [/^i18n\/Translation-(?<language>[^/]+)$/, 'translations'],
  [/^i18n\/Index$/, 'translations'],
  [/^Contents-(?<architecture>[^/]+)$/, 'contents'],
  [/^dep11\/Components-(?<architecture>[^/]+)\.yml$/, 'appstream'],
  [/^dep11\/CID-Index-(?<architecture>[^/]+)\.json$/, 'appstream'],
  [/^dep11\//, 'appstream'],
  [/^cnf\/Commands-(?<architecture>[^/]+)$/, 'commandNotFound'],
  [/^Packages$/, 'packages'],
  [/^Sources$/, 'sources'],
  [/^Release$/, 'release'],
];

function kindOf(path: string): Kind {
  for (const [pattern, family] of rules) {
    const match = pattern.exec(path);
    if (!match) continue;
    const { architecture, language } = match.groups ?? {};
    return {
      family,
      ...(architecture !== undefined && { architecture }),
      ...(language !== undefined && { language }),
      ...(path === 'Sources' && { architecture: 'source' }),
    };
  }
  return { family: 'other' };
}
