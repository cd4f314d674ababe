import { formatStanza, type Field } from '../deb822.ts';
import { formatReleaseDate } from '../release-date.ts';
import { hashLengths, type HashName } from '../release-files.ts';
import type { FileFacts } from './file-facts.ts';

/** What a Release file of ours says, beside the files that it lists. */
export interface ReleaseFacts {
  readonly origin?: string | undefined;
  readonly label?: string | undefined;
  readonly suite: string;
  readonly codename: string;
  readonly version?: string | undefined;
  readonly description?: string | undefined;
  readonly date: Date;
  readonly validUntil?: Date | undefined;
  readonly notAutomatic?: boolean | undefined;
  readonly butAutomaticUpgrades?: boolean | undefined;
  readonly architectures: readonly string[];
  readonly components: readonly string[];
}

/**
 * The text of a Release file (https://wiki.debian.org/DebianRepository/Format), to be signed. Files
 * are listed by path relative to it, with every hash. `binary-all` indexes are not there: packages
 * for all architectures are in the index of each.
 */
export function formatRelease(facts: ReleaseFacts, files: ReadonlyMap<string, FileFacts>): string {
  const yes = (value: boolean | undefined) => (value ? 'yes' : undefined);
  const { validUntil } = facts;
  const fields: readonly (readonly [string, string | undefined])[] = [
    ['Origin', facts.origin],
    ['Label', facts.label],
    ['Suite', facts.suite],
    ['Codename', facts.codename],
    ['Version', facts.version],
    ['Date', formatReleaseDate(facts.date)],
    ['Valid-Until', validUntil && formatReleaseDate(validUntil)],
    ['NotAutomatic', yes(facts.notAutomatic)],
    ['ButAutomaticUpgrades', yes(facts.butAutomaticUpgrades)],
    ['Acquire-By-Hash', 'yes'],
    ['No-Support-for-Architecture-all', 'Packages'],
    ['Architectures', facts.architectures.join(' ')],
    ['Components', facts.components.join(' ')],
    ['Description', facts.description],
  ];
  const given = fields.flatMap(([name, value]) => (value === undefined ? [] : [{ name, value }]));
  return formatStanza([...given, ...sections(files)]);
}

function sections(files: ReadonlyMap<string, FileFacts>): readonly Field[] {
  const sorted = [...files].sort(([a], [b]) => (a < b ? -1 : 1));
  const width = String(Math.max(0, ...sorted.map(([, { size }]) => size))).length;
  return hashNames.map((name) => ({
    name,
    value: [
      '',
      ...sorted.map(
        ([path, { size, hashes }]) => `${hashes[name]} ${String(size).padStart(width)} ${path}`,
      ),
    ].join('\n'),
  }));
}

const hashNames = Object.keys(hashLengths) as readonly HashName[]; // weakest first
