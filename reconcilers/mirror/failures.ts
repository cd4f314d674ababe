import type { Mirror } from '../../crds/mirror.ts';
import { conditionOf } from '../../crds/object.ts';
import { CairnError, reasons, type Reason } from '../../crds/reasons.ts';
import type { Shrink } from './request.ts';

/** A refresh that would make too much vanish, with what a person needs to approve it. */
export class ShrinkHeldError extends CairnError {
  readonly shrink: Shrink;

  /** `name` is that of the Mirror. */
  constructor(name: string, shrink: Shrink) {
    super(
      'ShrinkHeld',
      `${shrink.vanishing} of ${shrink.of} files would vanish; the last state stays in service. ` +
        'If that is right, let it pass with: cairn approve mirror/' +
        name,
    );
    this.shrink = shrink;
  }
}

/** Those that are noticed before each refresh, so that they are over when they are not. */
const notOfRefreshes: ReadonlySet<string> = new Set([
  'SpecInvalid',
  'SecretMissing',
  'Suspended',
  'AccessDenied',
  'StoreUnavailable',
  'InternalError',
]);

/**
 * Why the last refresh failed, as its status tells: after a restart it counts until another refresh
 * has ended, so that a Mirror whose upstream is away does not look good in between.
 */
export function failureTold({ metadata, status }: Mirror): CairnError | undefined {
  const ready = conditionOf({ status }, 'Ready');
  if (ready?.status !== 'False' || ready.observedGeneration !== metadata.generation) {
    return undefined;
  }
  const { reason, message } = ready;
  const isOfRefresh = reason in reasons && !notOfRefreshes.has(reason);
  return isOfRefresh ? new CairnError(reason as Reason, message) : undefined; // it is a key of `reasons`
}
