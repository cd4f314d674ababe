import type { CommonStatus } from '../crds/object.ts';
import type { Report } from './reconciler.ts';

/** A status as its reconciler reports it: without what belongs to the loop. */
export function keptStatus<Status extends CommonStatus>({
  status,
}: {
  readonly status: Status;
}): Report<Status>['status'] {
  const { conditions: _c, observedGeneration: _o, lastHandledReconcileAt: _l, ...kept } = status;
  return kept;
}
