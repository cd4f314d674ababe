/** What builders of every sort report: plain values, in Launchpad's vocabulary. */

/** Why a run was ended before its command was through, or failed although it was. */
export type RunEnd =
  | 'ExitCode'
  | 'OutOfMemory'
  | 'TimeLimit'
  | 'SilenceLimit'
  | 'DiskLimit'
  | 'ProcessLimit'
  | 'OutputLimit'
  | 'ArtifactsRefused';

/** One file that a build made, as it was handed to the sink. */
export interface Artifact {
  readonly name: string;
  /** In bytes. */
  readonly size: number;
  /** Hex digits. */
  readonly sha256: string;
}

/** When the container ran; RFC 3339. Undefined as long as it has not. */
export interface RunTimes {
  readonly startedAt?: string | undefined;
  readonly finishedAt?: string | undefined;
}

/**
 * How a run ended.
 *
 * - `Succeeded`: exit status 0, and every artifact was taken
 * - `FailedToBuild`: the build's own fault; the same inputs will most likely fail again
 * - `Cancelled`: somebody asked for it
 * - `BuilderLost`: the engine, or the container in it, is gone, most likely through no fault of the build: worth another attempt, but
 *   not for ever
 */
export type RunResult = RunTimes &
  (
    | { readonly result: 'Succeeded'; readonly artifacts: readonly Artifact[] }
    | {
        readonly result: 'FailedToBuild';
        readonly because: RunEnd;
        /** Of the command; undefined when it was killed. */
        readonly exitCode?: number | undefined;
        readonly message: string;
      }
    | { readonly result: 'Cancelled'; readonly message: string }
    | { readonly result: 'BuilderLost'; readonly message: string }
  );

/** The digest of one file that pins a suite of an archive. */
export interface ArchiveState {
  readonly uri: string;
  readonly suite: string;
  /** SHA-256 of InRelease, or of Release and Release.gpg one after the other. */
  readonly digest: string;
}

/** A root file system that is ready for a build. */
export interface Prepared {
  readonly result: 'Prepared';
  /** `sha256:…` of the image that runs. */
  readonly image: string;
  /** `sha256:…` of the base it was made from. */
  readonly base: string;
  readonly archives: readonly ArchiveState[];
  /** False when it was there already, and apt has not run. */
  readonly made: boolean;
}

/**
 * How preparing ended.
 *
 * - `DependencyWait`: the declared archives don't have what the build depends on
 * - `ChrootProblem`: there is no base, an archive does not answer or is not signed as declared, a package does not install
 * - `BuilderLost`: the engine was lost meanwhile
 */
export type PrepareResult =
  | Prepared
  | {
      readonly result: 'DependencyWait';
      /** Relations such as `libfoo-dev (>= 2)`; empty when apt did not say. */
      readonly missing: readonly string[];
      readonly message: string;
    }
  | {
      readonly result: 'ChrootProblem';
      /** A registry does not let those in who were named, or nobody. */
      readonly denied?: true | undefined;
      readonly message: string;
    }
  | { readonly result: 'BuilderLost'; readonly message: string };
