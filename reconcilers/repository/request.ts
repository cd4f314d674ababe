import type { RepositorySpec, RepositoryState, UploadResult } from '../../crds/repository.ts';
import type { Upload } from '../../crds/upload.ts';
import type { SlowFiles } from './slow-files.ts';

/** One Upload, as it is asked for. */
export interface Wish {
  readonly uid: string;
  readonly spec: Upload['spec'];
}

/** What the repository thread is asked to publish. */
export interface PublishRequest {
  readonly name: string;
  readonly namespace: string;
  readonly spec: RepositorySpec;
  readonly generation: number;
  readonly previous: RepositoryState | undefined;
  readonly uploads: readonly Wish[];
  /** What the receipts of their files were made with. */
  readonly receiptSecret: string;
  /** The Date of the Release files; with its Valid-Until, if it has one. ISO 8601. */
  readonly date: string;
  readonly validUntil: string | undefined;
  /** What a state before lacked, and what has been made since. */
  readonly slow?: SlowFiles | undefined;
  /** Issue the Release files anew even if nothing else has changed. */
  readonly renew: boolean;
  /** Armored private keys that all sign, the newest first. */
  readonly keys: readonly string[];
  /** Digest of all but the packages that decides what the Release files say. */
  readonly inputs: string;
}

export interface Published {
  /** That of before, when nothing has changed. */
  readonly state: RepositoryState | undefined;
  readonly results: readonly UploadResult[];
  /** What slow files lack, in words for people. */
  readonly notes?: readonly string[];
}
