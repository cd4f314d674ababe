import { scanPackageFacts } from '../../apt/index-scan.ts';

/** No field of an index that anyone reads holds these. */
const nextField = '\0';
const nextVersion = '\n\0';

/** One version of a package, as an index lists it. */
export interface ListedPackage {
  readonly version: string;
  readonly sha256: string;
  readonly architecture: string;
  readonly source: string;
  readonly sourceVersion: string;
}

/**
 * The packages of one index: name → its versions, a string of fields each. Strings, because there
 * may be hundreds of thousands, and nearly all of them are only ever compared.
 */
export type PackageTable = Map<string, string>;

/** Tables by architecture: the index's own, or, in a flat repository, those of its packages. */
export type PackageTables = Map<string, PackageTable>;

/** Adds the packages of an index, or of some of its stanzas, to tables. Throws `IndexInvalid`. */
export async function readTables(
  tables: PackageTables,
  chunks: AsyncIterable<Uint8Array>,
  indexArchitecture: string,
): Promise<void> {
  await scanPackageFacts(chunks, (listed) => {
    const architecture = indexArchitecture || listed.architecture;
    let table = tables.get(architecture);
    if (!table) tables.set(architecture, (table = new Map()));
    const text = formatVersion(listed);
    const before = table.get(listed.package);
    table.set(listed.package, before === undefined ? text : before + nextVersion + text);
  });
}

export function parseVersions(text: string | undefined): readonly ListedPackage[] {
  if (text === undefined) return [];
  return text.split(nextVersion).map((fields) => {
    const [version = '', sha256 = '', architecture = '', source = '', sourceVersion = version] =
      fields.split(nextField);
    return { version, sha256, architecture, source, sourceVersion };
  });
}

function formatVersion(listed: Omit<ListedPackage, 'sourceVersion'> & { sourceVersion?: string }) {
  const { version, sha256, architecture, source, sourceVersion } = listed;
  const fields = [version, sha256, architecture, source, ...(sourceVersion ? [sourceVersion] : [])];
  return fields.join(nextField);
}
