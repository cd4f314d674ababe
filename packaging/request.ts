/** A checked-out tree that is to become a Debian source package, and what is known about it. */
export interface PackagingRequest {
  /** The folder of the checkout. Nothing in it is trusted; nobody may change it meanwhile. */
  readonly folder: string;
  /** What to package of it, relative to `folder`; all of it when left out. */
  readonly subdirectory?: string;
  readonly source: SourceFacts;
  readonly version: VersionFacts;
  /** `Name <address>`: who the packages come from. */
  readonly maintainer: string;
  /** The suite that the packages are for; the changelog names it. */
  readonly distribution: string;
  /**
   * Whether the archives that the build may use have a package of this name, virtual ones included.
   * Without it, names follow Debian's rules and may turn out not to exist.
   */
  readonly available?: (packageName: string) => boolean;
}

/** One commit of a git repository. */
export interface SourceFacts {
  /** The name of the package when the tree does not say one. */
  readonly name: string;
  /** Credentials in it are never written anywhere. */
  readonly url: string;
  /** 40 or 64 hex digits. */
  readonly commit: string;
  /** The commit's date, in seconds since 1970: the date of everything that is made. */
  readonly date: number;
  readonly subject: string;
  readonly author: string;
  /** What `git describe --tags` says, or just the tag: `v1.2.0`, `v1.2.0-5-g1234abc`. */
  readonly describe?: string;
}

export interface VersionFacts {
  /** Grows with every build of this source. */
  readonly counter: number;
  /** The highest version that was ever made of this source. */
  readonly last?: string;
  /** The highest version of a source package that others have made, by its name. */
  readonly lastOf?: (sourceName: string) => Promise<string | undefined>;
}

export type PackagingKind =
  | 'Debian'
  | 'Python'
  | 'Go'
  | 'Node'
  | 'Rust'
  | 'CMake'
  | 'Meson'
  | 'Autotools'
  | 'Make'
  | 'Generic';

/** A file to be written. */
export interface PlannedFile {
  /** Below the packaged folder. */
  readonly path: string;
  readonly mode: 0o644 | 0o755;
  readonly content: string;
  /** Put before what the file has, which is up to `maxChangelogBytes`; else it is replaced. */
  readonly prepend?: boolean;
}

/** All that is needed to make a source package of the tree; a plain value. */
export interface PackagingPlan {
  readonly kind: PackagingKind;
  readonly sourceName: string;
  /** What the version had to be higher than. */
  readonly last?: string;
  /** Higher than `last`. With its epoch, which file names don't have. */
  readonly version: string;
  readonly format: SourceFormat;
  /** Written beside the tree before the source package is made; for formats that want one. */
  readonly origTarball?: string;
  readonly subdirectory?: string;
  readonly files: readonly PlannedFile[];
  /** `foo (>= 1)`, `bar | baz [amd64]`: of the source package, and what `.cairn.yml` adds. */
  readonly buildDependencies: readonly string[];
  /** `foo`, `bar (<< 2)`: must not be there during the build. */
  readonly buildConflicts: readonly string[];
  readonly binaryPackages: readonly BinaryPackage[];
  readonly options: BuildOptions;
  /** What was found, and what was decided because of it; for people. */
  readonly notes: readonly string[];
  /** Seconds since 1970, for SOURCE_DATE_EPOCH. */
  readonly date: number;
}

export type SourceFormat = '1.0' | '3.0 (native)' | '3.0 (quilt)';

export interface BinaryPackage {
  readonly name: string;
  /** `any`, `all`, or what the control file says: `amd64 arm64`. */
  readonly architecture: string;
}

/** How to build, as `.cairn.yml` says. */
export interface BuildOptions {
  /** The number of parallel jobs; as many as the builder has processors when left out. */
  readonly parallel?: number;
  readonly profiles: readonly string[];
  /** Already in `buildDependencies`; not in the control file of an existing `debian/`. */
  readonly extraBuildDependencies: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Whether the tests of the software are run. */
  readonly tests: boolean;
}
