import type { PackagingConfig } from './settings/settings.ts';
import type { PackagingKind, PackagingRequest } from './request.ts';
import type { Tree } from './tree.ts';

/** What a kind of project is looked at with. */
export interface Look {
  readonly tree: Tree;
  readonly config: PackagingConfig;
  readonly request: PackagingRequest;
  /** The name when the project does not say one. */
  readonly fallbackName: string;
}

/** How a project without `debian/` is packaged: what is to be generated, before it is text. */
export interface Recipe {
  readonly kind: Exclude<PackagingKind, 'Debian'>;
  /** What the project calls itself, its version as it is written there. */
  readonly name?: string;
  readonly version?: string;
  readonly summary?: string;
  readonly homepage?: string;
  /** The name of the binary package for the name of the source package; the same when left out. */
  readonly binaryName?: (sourceName: string) => string;
  readonly architecture: 'any' | 'all';
  readonly section?: string;
  readonly buildDepends: readonly string[];
  readonly depends: readonly string[];
  readonly provides?: (sourceName: string) => string | undefined;
  /** More fields of the source's paragraph in the control file. */
  readonly sourceFields?: Readonly<Record<string, string>>;
  readonly packageFields?: Readonly<Record<string, string>>;
  /** After `dh $@`. */
  readonly dhArguments?: string;
  readonly rules: (names: Names) => Rules;
  /** Files below `debian/`, by their names there; lines without an end. */
  readonly files?: (names: Names) => Readonly<Record<string, readonly string[]>>;
  /** Whether pages and units that lie in the tree are left to the build system to install. */
  readonly installsItself: boolean;
  readonly notes: readonly string[];
}

export interface Names {
  readonly source: string;
  readonly binary: string;
  /** The upstream version as the project writes it, if it is plain. */
  readonly version: string;
}

export interface Rules {
  readonly exports?: Readonly<Record<string, string>>;
  /** Lines of a target of debhelper, such as `override_dh_auto_test`. */
  readonly targets?: Readonly<Record<string, readonly string[]>>;
}

/** Finds out whether a tree is a project of some kind, and how to package it then. */
export type Detector = (look: Look) => Promise<Recipe | undefined>;
