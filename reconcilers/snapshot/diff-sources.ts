import { compareVersions } from '../../apt/version.ts';
import { compareText, type TracedChange } from './diff-compare.ts';
import type { Change, SourceChange } from './diff-shape.ts';

/**
 * Rolls changes of binary packages up by source package. The changes of one scope (a suite of one
 * archive) that share a source become one row: a binary that a new version brings or drops belongs
 * to that upgrade. Equal rows of several scopes become one.
 */
export function rollUpBySource(scopes: Iterable<readonly TracedChange[]>): readonly SourceChange[] {
  const rows = new Map<string, { row: Row; packages: Set<string>; architectures: Set<string> }>();
  for (const scope of scopes) {
    for (const [source, changes] of Map.groupBy(scope, ({ entry }) => entry.source)) {
      const row = rowOf(source, changes);
      const key = JSON.stringify([row.source, row.change, row.before, row.after]);
      const merged = rows.get(key) ?? { row, packages: new Set(), architectures: new Set() };
      rows.set(key, merged);
      for (const { entry, before, after } of changes) {
        merged.packages.add(entry.package);
        merged.architectures.add((after ?? before)?.architecture ?? '');
      }
    }
  }
  return [...rows.values()]
    .map(({ row, packages, architectures }) => ({
      ...row,
      packages: [...packages].sort(compareText),
      architectures: [...architectures].sort(compareText),
    }))
    .sort(bySource);
}

type Row = Pick<SourceChange, 'source' | 'change' | 'before' | 'after'>;

function rowOf(source: string, changes: readonly TracedChange[]): Row {
  const [first] = changes;
  const kinds = new Set(changes.map(({ entry }) => entry.change));
  const before = newestOf(changes.map((change) => change.before?.sourceVersion));
  const after = newestOf(changes.map((change) => change.after?.sourceVersion));
  if (
    first &&
    kinds.size === 1 &&
    (kinds.has('added') || kinds.has('removed') || kinds.has('changed'))
  ) {
    return named(source, first.entry.change, before, after);
  }
  const order = compareVersions(before ?? '', after ?? '');
  if (order !== 0) return named(source, order < 0 ? 'upgraded' : 'downgraded', before, after);
  return rebuilt(source, changes, after);
}

/** The source stayed: it was built again (`1.0-1+b1`), or only some of its files came or changed. */
function rebuilt(source: string, changes: readonly TracedChange[], version?: string): Row {
  const moved = changes.filter(({ entry }) => /graded$/.test(entry.change));
  if (moved.length === 0) return named(source, 'changed', version, version);
  const before = newestOf(moved.map(({ entry }) => entry.before));
  const after = newestOf(moved.map(({ entry }) => entry.after));
  const down = compareVersions(before ?? '', after ?? '') > 0;
  return named(source, down ? 'downgraded' : 'upgraded', before, after);
}

function named(source: string, change: Change, before?: string, after?: string): Row {
  return {
    source,
    change,
    ...(before !== undefined && { before }),
    ...(after !== undefined && { after }),
  };
}

function newestOf(versions: readonly (string | undefined)[]): string | undefined {
  let best: string | undefined;
  for (const version of versions) {
    if (version === undefined) continue;
    if (best === undefined || compareVersions(version, best) > 0) best = version;
  }
  return best;
}

function bySource(a: SourceChange, b: SourceChange): number {
  return (
    compareText(a.source, b.source) ||
    compareText(a.change, b.change) ||
    compareText(a.before ?? '', b.before ?? '') ||
    compareText(a.after ?? '', b.after ?? '')
  );
}
