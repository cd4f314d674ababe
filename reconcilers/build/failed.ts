import type { Build } from '../../crds/build.ts';
import type { CairnError } from '../../crds/reasons.ts';
import { RepositoryKind } from '../../crds/repository.ts';
import { baseRefs } from '../archives/served.ts';
import type { Dependency, Report } from '../reconciler.ts';
import type { Status } from './report.ts';

/** What was in the way of a Build that may go on later, and how often. */
export interface Failed {
  readonly failure: CairnError;
  readonly times: number;
  /** By the clock of `Date.now`. */
  readonly againAt: number;
}

const firstDelayMs = 1000;
/** What lasts longer than this is not in the way any more: something else is, such as other Builds. */
const mostRetryMs = 10_000;
/** What a Build waits for may come without anybody's telling it. */
const longestDelayMs = { retry: 60_000, wait: 10_000, stall: 60_000 } as const;

/** The same once more: it is tried again later and later. */
export function failedAgain(before: Failed | undefined, failure: CairnError): Failed {
  const times = (before?.times ?? 0) + 1;
  const delayMs = Math.min(firstDelayMs * 2 ** (times - 1), longestDelayMs[failure.remedy]);
  return { failure, times, againAt: Date.now() + delayMs };
}

/** Whether a retry has not come to the same end, as far as can be told. */
export function lasts(startedAt: number, now: number): boolean {
  return now - startedAt >= mostRetryMs;
}

export function failedReport(
  report: Report<Status>,
  build: Build,
  { failure, againAt }: Failed,
): Report<Status> {
  const ms = againAt - Date.now();
  // When it is being tried again at this moment, that tells when it is over; or it lasts.
  const again = { ms: ms > 0 ? ms : mostRetryMs };
  return { ...report, failure, progressing: false, dependsOn: waitsFor(build), again };
}

/** What a Build can't do without: any change of it may be what it waits for. */
export function waitsFor({ metadata: { namespace }, spec }: Build): readonly Dependency[] {
  const { name } = spec.repositoryRef;
  return [{ kind: RepositoryKind.kind, namespace, name }, ...baseRefs(namespace, spec.build.base)];
}
