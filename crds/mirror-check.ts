import { validateCronExpression } from 'cron';
import type { Static } from 'typebox';
import type { SpecProblem } from './kind.ts';
import type { mirrorSpec } from './mirror-spec.ts';

/** What the schema alone can't say. */
export function checkMirror(mirror: Static<typeof mirrorSpec>): readonly SpecProblem[] {
  const problems: SpecProblem[] = [];
  const { signedBy } = mirror;
  const given = [signedBy?.file, signedBy?.inline, signedBy?.secretRef].filter(
    (source) => source !== undefined,
  );
  if (signedBy && given.length !== 1) {
    problems.push({
      path: ['spec', 'signedBy'],
      message: 'expected exactly one of file, inline and secretRef',
    });
  }
  if (signedBy && mirror.allowUnsigned) {
    problems.push({
      path: ['spec', 'allowUnsigned'],
      message: 'expected signedBy or allowUnsigned: true, not both',
    });
  }
  if (!signedBy && !mirror.allowUnsigned) {
    problems.push({
      path: ['spec', 'signedBy'],
      message:
        'expected the keys that the archive is signed with (or allowUnsigned: true, if it is not)',
    });
  }
  if (mirror.interval !== undefined && mirror.schedule !== undefined) {
    problems.push({
      path: ['spec', 'schedule'],
      message: 'expected interval or schedule, not both',
    });
  }
  for (const list of ['suites', 'components', 'architectures'] as const) {
    problems.push(...repetitions(list, mirror[list] ?? []));
  }
  return [...problems, ...scheduleProblems(mirror)];
}

/** `/` and `./` are the same directory. */
function repetitions(list: string, names: readonly string[]): readonly SpecProblem[] {
  const plain = names.map((name) => (name === './' ? '/' : name));
  return plain.flatMap((name, at) =>
    plain.indexOf(name) === at
      ? []
      : [{ path: ['spec', list, at], message: `${names[at] ?? ''} is given before` }],
  );
}

/** What is wrong with a schedule, if there is one. */
function scheduleProblems({
  schedule,
  timeZone,
}: Static<typeof mirrorSpec>): readonly SpecProblem[] {
  if (schedule === undefined) return [];
  const problems: SpecProblem[] = [];
  const isCron =
    schedule.trim().split(/\s+/).length === 5 && validateCronExpression(schedule).valid;
  if (!isCron) {
    const message = `expected five fields of cron, such as "0 3 * * *"; found "${schedule}"`;
    problems.push({ path: ['spec', 'schedule'], message });
  }
  if (!isTimeZone(timeZone)) {
    const message = `expected an IANA time zone such as UTC; found "${timeZone}"`;
    problems.push({ path: ['spec', 'timeZone'], message });
  }
  return problems;
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
