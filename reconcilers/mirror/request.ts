import type { MirrorSpec, MirrorState, MirrorStatus } from '../../crds/mirror.ts';
import type { Credentials } from '../fetch/upstream.ts';

/** All that one refresh needs to know. Plain data: it crosses into the mirror thread. */
export interface RefreshRequest {
  /** The name of the Mirror, for messages. */
  readonly name: string;
  readonly spec: MirrorSpec;
  readonly generation: number;
  /** Armored public keys; undefined when the archive may be unsigned. */
  readonly keyring?: string | undefined;
  readonly credentials?: Credentials | undefined;
  readonly previous?: MirrorState | undefined;
  /** The digest of a held shrinking refresh that a person has approved. */
  readonly shrinkApproved?: string | undefined;
}

export type Progress = NonNullable<MirrorStatus['progress']>;

export interface Refreshed {
  /** Equal to `previous` when nothing changed upstream. */
  readonly state: MirrorState;
  readonly changed: boolean;
  /** Pool files that came and went, and what was fetched. */
  readonly added: number;
  readonly removed: number;
  readonly fetchedFiles: number;
  readonly fetchedBytes: number;
  readonly warnings: readonly string[];
}

/** A refresh that is held because too much would vanish. */
export interface Shrink {
  readonly digest: string;
  readonly vanishing: number;
  readonly of: number;
}
