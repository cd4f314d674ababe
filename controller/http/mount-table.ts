import type { Environment } from '../../crds/environment.ts';
import { mountPath } from '../../crds/mount-path.ts';
import { isPublic, type Mirror, type MirroredSuite } from '../../crds/mirror.ts';
import { isReady } from '../../crds/object.ts';
import { repositoryPath, type Repository } from '../../crds/repository.ts';
import { SnapshotKind, type FrozenMember, type Snapshot } from '../../crds/snapshot.ts';
import type { StorePeek } from '../../crds/store.ts';

/** One tree at one place, with all that is needed to answer for it. */
export interface Mount {
  readonly mirror: string;
  readonly namespace: string;
  /** The upstream archive. */
  readonly url: string;
  /** Below its area: `<host>/<path>`, or empty. */
  readonly path: string;
  /** `<host>/<path>` in any case. */
  readonly livePath: string;
  readonly tree: string;
  /** The tree of the Release files that replace upstream's. */
  readonly overlay?: string;
  /** Trees of before, newest first: they still answer by-hash requests. */
  readonly previous: readonly string[];
  readonly public: boolean;
  readonly download: 'Eager' | 'Lazy';
  /** The armored upstream keys. */
  readonly keyring?: string;
  readonly suites: readonly MirroredSuite[];
  /** Last-Modified of all files below a suite's directory; else that suite's own. Milliseconds. */
  readonly suitesModified?: number;
  /** Last-Modified of all other files, in milliseconds. */
  readonly modified: number;
}

/** Everything below one prefix of the URL space: a snapshot, an environment, the live mirrors. */
export interface Area {
  readonly kind: 'live' | 'mirror' | 'snapshot' | 'environment' | 'repository';
  readonly name: string;
  /** Mounts by mount path, sorted; of those that share a path, the first that has a file answers. */
  readonly mounts: ReadonlyMap<string, readonly Mount[]>;
  /** Segments of the longest mount path. */
  readonly depth: number;
  /** Nothing of it needs a token. */
  readonly isPublic: boolean;
}

/** There may be ten thousand of these: what is in one is read when somebody asks for it. */
export interface SnapshotArea extends Area {
  readonly uids: readonly string[];
  readonly mirrorSet: string;
  readonly ready: boolean;
  /** Milliseconds. */
  readonly takenAt: number;
}

/** All areas, by name, as the stored objects describe them at one instant. */
export interface MountTable {
  readonly live: Area;
  readonly mirrors: ReadonlyMap<string, Area>;
  /** Newest first. */
  readonly snapshots: readonly SnapshotArea[];
  readonly environments: ReadonlyMap<string, Area>;
  /** By `<namespace>/<name>`. */
  readonly repositories: ReadonlyMap<string, Area>;
}

export interface Mountable {
  readonly mirrors: Iterable<Mirror>;
  readonly snapshots: Iterable<SnapshotArea>;
  readonly environments: Iterable<Environment>;
  readonly repositories: Iterable<Repository>;
}

/** Lays out the URL space. Pure: equal objects give an equal table. */
export function mountTable(objects: Mountable): MountTable {
  const { mirrors, snapshots, environments } = objects;
  const live: Mount[] = [];
  const byMirror = new Map<string, Area>();
  for (const mirror of mirrors) {
    const mount = liveMount(mirror);
    if (!mount) continue;
    live.push(mount);
    const name = mirror.metadata.name;
    byMirror.set(name, area('mirror', name, [{ ...mount, path: '' }]));
  }
  const taken = [...snapshots].sort((a, b) => b.takenAt - a.takenAt || (a.name < b.name ? -1 : 1));
  const served = [...environments].map((environment) => environmentArea(environment, taken));
  return {
    live: area('live', '', live),
    mirrors: byMirror,
    snapshots: taken,
    environments: new Map(served.map((found) => [found.name, found])),
    repositories: new Map(
      Array.from(objects.repositories, repositoryArea).map((found) => [found.name, found]),
    ),
  };
}

/** The mounts of an area in one list. */
export function mountsOf({ mounts }: Area): readonly Mount[] {
  return [...mounts.values()].flat();
}

function liveMount(mirror: Mirror): Mount | undefined {
  const { metadata, status } = mirror;
  const state = status?.state;
  if (!state) return undefined;
  return {
    mirror: metadata.name,
    namespace: metadata.namespace,
    url: state.url,
    path: mountPath(state.url),
    livePath: mountPath(state.url),
    tree: state.tree,
    previous: (status.predecessors ?? []).map(({ tree }) => tree),
    public: isPublic(mirror),
    download: state.download,
    ...(state.keyring === undefined ? {} : { keyring: state.keyring }),
    suites: state.suites,
    modified: Date.parse(metadata.creationTimestamp),
  };
}

/** The area of a snapshot; undefined before it is taken. */
export function snapshotArea(snapshot: Snapshot, store: StorePeek): SnapshotArea | undefined {
  const { members, takenAt } = snapshot.status ?? {};
  return members && takenAt !== undefined ? new FrozenArea(snapshot, store) : undefined;
}

class FrozenArea implements SnapshotArea {
  readonly kind = 'snapshot';
  readonly name: string;
  readonly uids: readonly string[];
  readonly mirrorSet: string;
  readonly ready: boolean;
  readonly takenAt: number;
  readonly isPublic: boolean;
  readonly #namespace: string;
  readonly #store: StorePeek;
  #laidOut: WeakRef<Area> | undefined;

  constructor(snapshot: Snapshot, store: StorePeek) {
    const { metadata, status, spec } = snapshot;
    this.#store = store;
    this.name = metadata.name;
    this.#namespace = metadata.namespace;
    this.uids = [...new Set([metadata.uid, status.id ?? metadata.uid])];
    this.mirrorSet = status.mirrorSet ?? spec.mirrorSetRef.name;
    this.ready = isReady(snapshot);
    this.takenAt = Date.parse(status.takenAt ?? '');
    this.isPublic = status.members?.every((member) => member.public) ?? true;
  }

  get mounts(): Area['mounts'] {
    return this.#layOut().mounts;
  }

  get depth(): number {
    return this.#layOut().depth;
  }

  #layOut(): Area {
    const known = this.#laidOut?.deref();
    if (known) return known;
    const mounts = this.#members().map((member) =>
      frozenMount(member, this.#namespace, this.takenAt),
    );
    const made = area('snapshot', this.name, mounts);
    this.#laidOut = new WeakRef(made);
    return made;
  }

  /** They never change: what is stored now is what was stored when this was made, or is gone. */
  #members(): readonly FrozenMember[] {
    const key = { kind: SnapshotKind.kind, namespace: this.#namespace, name: this.name };
    const found = this.#store.peek(key) as Snapshot | undefined; // the store validates its kind
    return found && found.metadata.uid === this.uids[0] ? (found.status.members ?? []) : [];
  }
}

function frozenMount(member: FrozenMember, namespace: string, takenAt: number): Mount {
  const modified = { suitesModified: takenAt, modified: takenAt };
  return { ...member, livePath: member.path, namespace, previous: [], ...modified };
}

function environmentArea(
  { metadata, status }: Environment,
  snapshots: readonly SnapshotArea[],
): Area {
  const published = status?.published;
  if (!published) return area('environment', metadata.name, []);
  const history = status.history ?? [];
  const allPublic = published.members.every((member) => member.public);
  const mounts = published.members.map((member): Mount => ({
    ...member,
    livePath: member.path,
    namespace: metadata.namespace,
    previous: history.flatMap((entry) => formerTrees(entry, member, snapshots, allPublic)),
    suitesModified: Date.parse(published.date),
    modified: Date.parse(metadata.creationTimestamp),
  }));
  return area('environment', metadata.name, mounts);
}

interface FormerPublication {
  readonly snapshotUid: string;
  readonly trees: readonly string[];
  readonly overlays: readonly string[];
}

/**
 * What was at a mount path before. When its snapshot is gone, nobody knows any more which of its
 * trees was at which mount, so they answer only where none of them needs a token.
 */
function formerTrees(
  entry: FormerPublication,
  member: { readonly path: string; readonly public: boolean },
  snapshots: readonly SnapshotArea[],
  allPublic: boolean,
): readonly string[] {
  if (allPublic) return [...entry.overlays, ...entry.trees];
  const snapshot = snapshots.find(({ uids }) => uids.includes(entry.snapshotUid));
  const mounts = snapshot?.mounts.get(member.path) ?? [];
  return mounts.filter((mount) => mount.public || !member.public).map(({ tree }) => tree);
}

function repositoryArea(repository: Repository): Area {
  const { metadata, spec, status } = repository;
  const { state, predecessors = [] } = status ?? {};
  const name = `${metadata.namespace}/${metadata.name}`;
  if (!state) return area('repository', name, []);
  const path = repositoryPath(repository);
  const mount: Mount = {
    mirror: metadata.name,
    namespace: metadata.namespace,
    url: `/${path}`,
    path: '',
    livePath: path,
    tree: state.tree,
    previous: predecessors.map(({ tree }) => tree),
    public: spec.public,
    download: 'Eager',
    keyring: state.keyring,
    suites: state.suites,
    modified: Date.parse(metadata.creationTimestamp),
  };
  return area('repository', name, [mount]);
}

function area<Kind extends Area['kind']>(
  kind: Kind,
  name: string,
  mounts: readonly Mount[],
): Area & { kind: Kind } {
  const sorted = [...mounts].sort((a, b) => order(a.path, b.path) || order(a.mirror, b.mirror));
  const byPath = new Map<string, Mount[]>();
  for (const mount of sorted) {
    byPath.set(mount.path, [...(byPath.get(mount.path) ?? []), mount]);
  }
  const depth = Math.max(0, ...sorted.map(({ path }) => path.split('/').length));
  const isPublic = mounts.every((mount) => mount.public);
  return { kind, name, mounts: byPath, depth, isPublic };
}

function order(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
