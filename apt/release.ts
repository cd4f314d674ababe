import { CairnError } from '../crds/reasons.ts';
import { parseStanzas, type Stanza } from './deb822.ts';
import { parseReleaseDate } from './release-date.ts';
import { parseReleaseFiles, type ReleaseFile } from './release-files.ts';

export { safePath } from './path.ts';
export { formatReleaseDate } from './release-date.ts';
export type { HashName, ReleaseFile } from './release-files.ts';
export { reissue, type Reissue } from './reissue.ts';

/**
 * A Release file: what its fields mean to apt (apt-secure(8), the Debian wiki's RepositoryFormat).
 * `stanza` has the fields as they are written.
 */
export interface Release {
  readonly origin?: string;
  readonly label?: string;
  readonly suite?: string;
  readonly codename?: string;
  readonly version?: string;
  readonly description?: string;
  readonly date: Date;
  readonly validUntil?: Date;
  readonly acquireByHash: boolean;
  readonly notAutomatic?: boolean;
  readonly butAutomaticUpgrades?: boolean;
  /** As written: debian-security writes `updates/main`. See `componentDirectory`. */
  readonly components: readonly string[];
  readonly architectures: readonly string[];
  /** `Packages`: `binary-all` indexes repeat what the other architectures list. */
  readonly noSupportForArchitectureAll?: string;
  readonly signedBy?: string;
  readonly snapshots?: string;
  /** By path relative to the Release; only those with a SHA-256 or SHA-512. */
  readonly files: ReadonlyMap<string, ReleaseFile>;
  readonly stanza: Stanza;
}

/** Reads a Release file, or the signed text of an InRelease. Throws ReleaseInvalid, PathUnsafe. */
export function parseRelease(text: string): Release {
  const [stanza, another] = parseStanzas(text, 'ReleaseInvalid');
  if (!stanza) throw new CairnError('ReleaseInvalid', 'Release is empty');
  if (another) {
    throw new CairnError('ReleaseInvalid', `line ${another.line}: a second paragraph in Release`);
  }
  return {
    ...texts(stanza),
    ...flags(stanza),
    ...dates(stanza),
    acquireByHash: isYes(stanza.get('Acquire-By-Hash')),
    components: words(stanza.get('Components')),
    architectures: words(stanza.get('Architectures')),
    files: parseReleaseFiles(stanza),
    stanza,
  };
}

const textFields = {
  origin: 'Origin',
  label: 'Label',
  suite: 'Suite',
  codename: 'Codename',
  version: 'Version',
  description: 'Description',
  noSupportForArchitectureAll: 'No-Support-for-Architecture-all',
  signedBy: 'Signed-By',
  snapshots: 'Snapshots',
} as const;

function texts(stanza: Stanza): { readonly [Name in keyof typeof textFields]?: string } {
  const found = Object.entries(textFields).flatMap(([name, field]) => {
    const value = stanza.get(field);
    return value === undefined ? [] : [[name, value] as const];
  });
  return Object.fromEntries(found);
}

function flags(stanza: Stanza): Pick<Release, 'notAutomatic' | 'butAutomaticUpgrades'> {
  const notAutomatic = stanza.get('NotAutomatic');
  const butAutomaticUpgrades = stanza.get('ButAutomaticUpgrades');
  return {
    ...(notAutomatic !== undefined && { notAutomatic: isYes(notAutomatic) }),
    ...(butAutomaticUpgrades !== undefined && {
      butAutomaticUpgrades: isYes(butAutomaticUpgrades),
    }),
  };
}

function dates(stanza: Stanza): Pick<Release, 'date' | 'validUntil'> {
  const date = stanza.get('Date');
  if (date === undefined) throw new CairnError('ReleaseInvalid', 'Release has no Date field');
  const validUntil = stanza.get('Valid-Until');
  return {
    date: parseReleaseDate('Date', date),
    ...(validUntil !== undefined && { validUntil: parseReleaseDate('Valid-Until', validUntil) }),
  };
}

/** The words that apt takes for yes. */
function isYes(value: string | undefined): boolean {
  return /^(yes|true|with|on|enable|1)$/i.test(value ?? '');
}

function words(value: string | undefined): string[] {
  return (value ?? '').split(/\s+/).filter((word) => word !== '');
}

/**
 * The directory that a component's paths start with: debian-security lists `updates/main` under
 * Components while its paths start with `main/`, and apt calls that component `main`. Undefined
 * when the Release neither lists the component nor has any file of it.
 */
export function componentDirectory(
  release: Pick<Release, 'components' | 'files'>,
  component: string,
): string | undefined {
  const listed = release.components.filter(
    (name) => name === component || name.endsWith(`/${component}`),
  );
  const candidates = [component, ...listed].flatMap(suffixes);
  const used = candidates.find((directory) => hasFileBelow(release.files, directory));
  return used ?? (listed.length > 0 ? component : undefined);
}

/** `a/b/c`, `b/c`, `c`. */
function suffixes(name: string): string[] {
  const parts = name.split('/');
  return parts.map((_, index) => parts.slice(index).join('/'));
}

function hasFileBelow(files: Release['files'], directory: string): boolean {
  const prefix = `${directory}/`;
  for (const path of files.keys()) {
    if (path.startsWith(prefix)) return true;
  }
  return false;
}
