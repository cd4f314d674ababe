import type { Build } from '../../crds/build.ts';
import { conditionOf } from '../../crds/object.ts';
import { CairnError } from '../../crds/reasons.ts';
import type { Source } from '../../crds/source.ts';
import { endingOf } from '../build-ending.ts';
import type { Report } from '../reconciler.ts';

/** What the Source says of itself is what its newest Build says. */
export function tell(
  build: Build | undefined,
): Pick<Report<Source['status']>, 'message' | 'progressing' | 'failure'> {
  if (!build) return { message: 'Asking the repository for its commits', progressing: true };
  const { metadata, spec, status } = build;
  const commit = spec.commit.slice(0, 12);
  const { result, sourceName, version, message = '' } = status;
  if (result === 'Succeeded') {
    const but = message === '' ? '' : `, but ${message}`;
    return { message: `Published ${sourceName ?? ''} ${version ?? ''} of ${commit}${but}` };
  }
  if (result === undefined) {
    const ready = conditionOf(build, 'Ready');
    const why = ready && ready.reason !== 'Progressing' ? `: ${ready.message}` : '';
    const told = `Build ${metadata.name} of ${commit}: ${status.phase ?? 'Queued'}${why}`;
    return { message: told, progressing: true };
  }
  const { line, rest } = endingOf(metadata, status);
  const why = `Build ${metadata.name} of ${commit}: ${line}\n${rest}`.trimEnd();
  return { message: '', failure: new CairnError('BuildFailed', why) };
}
