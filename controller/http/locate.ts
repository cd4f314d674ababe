import {
  mountsOf,
  type Area,
  type Mount,
  type MountTable,
  type SnapshotArea,
} from './mount-table.ts';

/** First segments that can't be a host. */
export const reserved: ReadonlySet<string> = new Set([
  'apis',
  'api',
  'snapshots',
  'environments',
  'mirrors',
  'repositories',
  'releases',
  'builds',
  'hooks',
  'flists',
  'images',
  'healthz',
  'livez',
  'readyz',
  'metrics',
  'version',
  'openapi',
]);

/** Where a path leads to. */
export interface Place {
  readonly area: Area;
  /** The URL means the same for ever: it names a snapshot by its uid. */
  readonly pinned: boolean;
  /** The mounts that may have the file, in the order to ask; none above all mount paths. */
  readonly mounts: readonly Mount[];
  /** The path inside their trees. */
  readonly rest: string;
  /** The path inside the area. */
  readonly inside: string;
}

/** Finds the place of decoded segments; undefined where nothing can be. */
export function locate(table: MountTable, segments: readonly string[]): Place | undefined {
  const [first = '', name = '', ...below] = segments;
  if (!reserved.has(first)) return placeIn(table.live, segments);
  if (first === 'snapshots') {
    const snapshot = snapshotOf(table, name, below);
    return snapshot && placeIn(snapshot, below, snapshot.uids.includes(name));
  }
  if (first === 'repositories') {
    const [own = '', ...inside] = below;
    const repository = table.repositories.get(`${name}/${own}`);
    return repository && placeIn(repository, inside);
  }
  const areas = { environments: table.environments, mirrors: table.mirrors }[first];
  const area = areas?.get(name);
  return area && placeIn(area, below);
}

function placeIn(area: Area, inside: readonly string[], pinned = false): Place {
  const path = inside.join('/');
  for (let depth = Math.min(area.depth, inside.length); depth >= 0; depth -= 1) {
    const mounts = area.mounts.get(inside.slice(0, depth).join('/'));
    if (mounts) return { area, pinned, mounts, rest: inside.slice(depth).join('/'), inside: path };
  }
  return { area, pinned, mounts: [], rest: '', inside: path };
}

/**
 * A snapshot by uid, name or time. A time (`20260801T120000Z`, or `<mirror set>@<time>`) means the
 * newest ready snapshot taken until then: of that set, or of those that have the path.
 */
function snapshotOf(
  { snapshots }: MountTable,
  id: string,
  below: readonly string[],
): SnapshotArea | undefined {
  const exact =
    snapshots.find(({ uids }) => uids.includes(id)) ?? snapshots.find(({ name }) => name === id);
  if (exact) return exact;
  const { set, time } = momentOf(id) ?? {};
  if (time === undefined) return undefined;
  return snapshots.find(
    (snapshot) =>
      snapshot.ready &&
      snapshot.takenAt < time + 1000 && // ids have whole seconds, takenAt may have more
      (set === undefined ? reaches(snapshot, below) : snapshot.mirrorSet === set),
  );
}

function reaches(snapshot: SnapshotArea, below: readonly string[]): boolean {
  if (placeIn(snapshot, below).mounts.length > 0) return true;
  const directory = below.map((segment) => `${segment}/`).join('');
  return mountsOf(snapshot).some(({ path }) => `${path}/`.startsWith(directory));
}

function momentOf(id: string): { set?: string; time: number } | undefined {
  const [, set, ...parts] = /^(?:([^@]+)@)?(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(id) ?? [];
  if (parts.length === 0) return undefined;
  const [year, month, day, hour, minute, second] = parts;
  const time = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  if (Number.isNaN(time)) return undefined;
  return set === undefined ? { time } : { set, time };
}
