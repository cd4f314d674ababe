import { compareVersions } from '../../apt/version.ts';
import type { PackageChange } from './diff-shape.ts';
import { parseVersions, type ListedPackage, type PackageTable } from './diff-table.ts';

/** A change with what its roll-up by source needs. */
export interface TracedChange {
  readonly entry: PackageChange;
  readonly before?: ListedPackage;
  readonly after?: ListedPackage;
}

/** Every change between two tables of the same index, sorted by package. */
export function compareTables(
  before: PackageTable | undefined,
  after: PackageTable | undefined,
): readonly TracedChange[] {
  const changes: TracedChange[] = [];
  for (const [name, lines] of before ?? []) {
    const now = after?.get(name);
    if (now !== lines)
      changes.push(...comparePackage(name, parseVersions(lines), parseVersions(now)));
  }
  for (const [name, lines] of after ?? []) {
    if (!before?.has(name)) changes.push(...comparePackage(name, [], parseVersions(lines)));
  }
  return changes.sort(byPackage);
}

/**
 * An archive may list several versions of one package. apt takes the newest, so newest against
 * newest decides between upgrade and downgrade; the other versions come or go.
 */
function comparePackage(
  name: string,
  before: readonly ListedPackage[],
  after: readonly ListedPackage[],
): readonly TracedChange[] {
  const old = newest(before);
  const now = newest(after);
  const changes: TracedChange[] = [];
  const moved = old !== undefined && now !== undefined && old.version !== now.version;
  if (moved) {
    const order = compareVersions(old.version, now.version);
    // 1.0 and 1.0-0 are one version to apt: nothing that is installed will move.
    const change = order < 0 ? 'upgraded' : order > 0 ? 'downgraded' : 'changed';
    changes.push(traced(name, change, old, now));
  }
  for (const [version, gone] of versionsOf(before)) {
    if (moved && version === old.version) continue;
    const kept = versionsOf(after).get(version);
    if (!kept) changes.push(traced(name, 'removed', gone[0], undefined));
    else if (!sameBytes(gone, kept)) changes.push(traced(name, 'changed', gone[0], kept[0]));
  }
  for (const [version, come] of versionsOf(after)) {
    if (moved && version === now.version) continue;
    if (!versionsOf(before).has(version)) changes.push(traced(name, 'added', undefined, come[0]));
  }
  return changes;
}

function traced(
  name: string,
  change: PackageChange['change'],
  before: ListedPackage | undefined,
  after: ListedPackage | undefined,
): TracedChange {
  const entry: PackageChange = {
    change,
    package: name,
    source: after?.source ?? before?.source ?? name,
    ...(before && { before: before.version }),
    ...(after && { after: after.version }),
    ...(change === 'changed' && before && { beforeSha256: before.sha256 }),
    ...(change === 'changed' && after && { afterSha256: after.sha256 }),
  };
  return { entry, ...(before && { before }), ...(after && { after }) };
}

function newest(versions: readonly ListedPackage[]): ListedPackage | undefined {
  let best = versions[0];
  for (const listed of versions) {
    if (best && compareVersions(listed.version, best.version) > 0) best = listed;
  }
  return best;
}

/** One version may be listed twice with other bytes; both files count. */
function versionsOf(listed: readonly ListedPackage[]): Map<string, ListedPackage[]> {
  return Map.groupBy(listed, ({ version }) => version);
}

function sameBytes(before: readonly ListedPackage[], after: readonly ListedPackage[]): boolean {
  const digests = (all: readonly ListedPackage[]) => new Set(all.map(({ sha256 }) => sha256));
  return digests(before).symmetricDifference(digests(after)).size === 0;
}

function byPackage({ entry: a }: TracedChange, { entry: b }: TracedChange): number {
  return (
    compareText(a.package, b.package) ||
    compareText(a.change, b.change) ||
    compareText(a.before ?? '', b.before ?? '') ||
    compareText(a.after ?? '', b.after ?? '')
  );
}

/** By code units: the same on every machine, whatever its locale. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
