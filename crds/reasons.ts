import { StoreError } from './store.ts';

/**
 * Every way that making a declared object true can fail, and what the reconcile loop does about it.
 *
 * - `retry`: the world may heal by itself; back off and try again
 * - `wait`:  a thing it depends on is not ready; that thing's change wakes it
 * - `stall`: only a person can help, by changing the spec, a secret or an approval
 *
 * The keys are the `reason` of conditions and events: they are API, and documented in `docs/reasons.md`.
 */
const remedies = {
  // The upstream archive, over the wire.
  UpstreamUnreachable: 'retry',
  UpstreamRefused: 'retry',
  UpstreamInconsistent: 'retry',
  FileMissing: 'retry',
  HashMismatch: 'retry',
  TooLarge: 'retry',
  // What the upstream archive says.
  ReleaseInvalid: 'retry',
  ReleaseExpired: 'retry',
  ReleaseWentBack: 'retry',
  SignatureInvalid: 'retry',
  NotInRelease: 'retry',
  IndexInvalid: 'retry',
  PathUnsafe: 'retry',
  ShrinkHeld: 'retry',
  // What the user declared.
  SpecInvalid: 'stall',
  KeyUnusable: 'stall',
  PackageInvalid: 'stall',
  SourceInvalid: 'stall',
  PackageConflict: 'stall',
  PackageMissing: 'stall',
  ReceiptInvalid: 'stall',
  SourceUnreachable: 'retry',
  BuildFailed: 'stall',
  BuilderUnavailable: 'retry',
  SecretMissing: 'retry',
  MountConflict: 'wait',
  DependencyNotReady: 'wait',
  SnapshotInUse: 'wait',
  Suspended: 'wait',
  PruneHeld: 'wait',
  DriftContested: 'wait',
  ConfigInvalid: 'wait',
  ConfigUnreachable: 'retry',
  // The store that everything is declared in.
  AccessDenied: 'retry',
  StoreUnavailable: 'retry',
  // Ourselves.
  DepotFull: 'retry',
  DepotUnavailable: 'retry',
  BlobMissing: 'retry',
  TreeInvalid: 'retry',
  SigningFailed: 'retry',
  RunTimeout: 'retry',
  InternalError: 'retry',
} as const satisfies Record<string, Remedy>;

export type Remedy = 'retry' | 'wait' | 'stall';
export type Reason = keyof typeof remedies;

/** All reasons with what the loop does about each. */
export const reasons: Readonly<Record<Reason, Remedy>> = remedies;

/** A failure with a name. `reason` goes into the object's conditions; `message` is read by people. */
export class CairnError extends Error {
  override readonly name = 'CairnError';
  readonly reason: Reason;

  constructor(reason: Reason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }

  get remedy(): Remedy {
    return remedies[this.reason];
  }
}

/** Refusals of the store that people can do something about; its others are bugs of the caller. */
const ofStore = { Forbidden: 'AccessDenied', Unavailable: 'StoreUnavailable' } as const;

/** Gives an unknown thrown value a name, so that callers handle one type only. */
export function asCairnError(thrown: unknown): CairnError {
  if (thrown instanceof CairnError) return thrown;
  if (thrown instanceof StoreError && thrown.reason in ofStore) {
    const reason = ofStore[thrown.reason as keyof typeof ofStore];
    return new CairnError(reason, thrown.message, { cause: thrown });
  }
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new CairnError('DepotFull', `no space left on the data directory: ${message}`, {
      cause: thrown,
    });
  }
  return new CairnError('InternalError', message, { cause: thrown });
}
