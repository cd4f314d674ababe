/** What happened to a package between two snapshots. `changed`: the same version to apt, other bytes. */
export const changes = ['upgraded', 'downgraded', 'added', 'removed', 'changed'] as const;
export type Change = (typeof changes)[number];

/** One binary package in one index. The digests are there when the versions say nothing. */
export interface PackageChange {
  readonly change: Change;
  readonly package: string;
  /** The name of its source package. */
  readonly source: string;
  readonly before?: string;
  readonly after?: string;
  readonly beforeSha256?: string;
  readonly afterSha256?: string;
}

/** The changes of one Packages index, sorted by package; a flat repository has no component. */
export interface IndexDiff {
  readonly suite: string;
  readonly component: string;
  readonly architecture: string;
  readonly entries: readonly PackageChange[];
}

/** One archive, by the path that it is mounted at: `<upstream host>/<upstream path>`. */
export interface MountDiff {
  readonly path: string;
  readonly suites: readonly IndexDiff[];
}

/** All binaries of one source package that changed alike; the versions are the source's. */
export interface SourceChange {
  readonly source: string;
  readonly change: Change;
  readonly before?: string;
  readonly after?: string;
  readonly packages: readonly string[];
  /** The packages' own, so `all` stands for every architecture. */
  readonly architectures: readonly string[];
}

/** The changes between two lists of frozen members; what did not change is not mentioned. */
export interface MembersDiff {
  /** Distinct binary packages: the same change in several indexes counts once. */
  readonly summary: Readonly<Record<Change, number>>;
  readonly mounts: readonly MountDiff[];
  readonly sources: readonly SourceChange[];
}

/** What a reference was found to mean. */
export interface DiffSide {
  readonly snapshot: string;
  readonly uid: string;
  /** Set when the reference named an environment: its published state is compared. */
  readonly environment?: string;
}

/** All package changes between two snapshots, in an order that depends on nothing but them. */
export interface SnapshotDiff extends MembersDiff {
  readonly from: DiffSide;
  readonly to: DiffSide;
}
