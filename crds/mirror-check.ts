import type { Static } from 'typebox';
import type { Rule, SpecProblem } from './kind.ts';
import type { mirrorSpec } from './mirror-spec.ts';
import { scheduleProblem, scheduleRules, timeZoneProblem } from './schedule.ts';

const lists = ['suites', 'components', 'architectures'] as const;

const messages = {
  unsigned:
    'expected the keys that the archive is signed with (or allowUnsigned: true, if it is not)',
  oneSource: 'expected exactly one of file, inline and secretRef',
  signedOrNot: 'expected signedBy or allowUnsigned: true, not both',
  oneTime: 'expected interval or schedule, not both',
} as const;

/** What the schema alone can't say. */
export function checkMirror(mirror: Static<typeof mirrorSpec>): readonly SpecProblem[] {
  const problems: SpecProblem[] = [];
  const { signedBy } = mirror;
  const given = [signedBy?.file, signedBy?.inline, signedBy?.secretRef].filter(
    (source) => source !== undefined,
  );
  if (signedBy && given.length !== 1) {
    problems.push({ path: ['spec', 'signedBy'], message: messages.oneSource });
  }
  if (signedBy && mirror.allowUnsigned) {
    problems.push({ path: ['spec', 'allowUnsigned'], message: messages.signedOrNot });
  }
  if (!signedBy && !mirror.allowUnsigned) {
    problems.push({ path: ['spec', 'signedBy'], message: messages.unsigned });
  }
  if (mirror.interval !== undefined && mirror.schedule !== undefined) {
    problems.push({ path: ['spec', 'schedule'], message: messages.oneTime });
  }
  for (const list of lists) problems.push(...repetitions(list, mirror[list] ?? []));
  if (mirror.schedule !== undefined) {
    const [schedule, zone] = [scheduleProblem(mirror.schedule), timeZoneProblem(mirror.timeZone)];
    if (schedule) problems.push({ path: ['spec', 'schedule'], message: schedule });
    if (zone) problems.push({ path: ['spec', 'timeZone'], message: zone });
  }
  return problems;
}

/** The same in CEL. */
export const mirrorRules: readonly Rule[] = [
  {
    rule: 'has(self.signedBy) || self.allowUnsigned',
    message: messages.unsigned,
    fieldPath: '.signedBy',
  },
  {
    rule: '!has(self.signedBy) || [has(self.signedBy.file), has(self.signedBy.inline), has(self.signedBy.secretRef)].filter(x, x).size() == 1',
    message: messages.oneSource,
    fieldPath: '.signedBy',
  },
  {
    rule: '!(has(self.signedBy) && self.allowUnsigned)',
    message: messages.signedOrNot,
    fieldPath: '.allowUnsigned',
  },
  {
    rule: '!(has(self.interval) && has(self.schedule))',
    message: messages.oneTime,
    fieldPath: '.schedule',
  },
  ...lists.map((list) => ({
    rule: `!has(self.${list}) || self.${list}.all(x, self.${list}.indexOf(x) == self.${list}.lastIndexOf(x))`,
    message: 'expected each of them once',
    fieldPath: `.${list}`,
  })),
  {
    rule: "!('/' in self.suites && './' in self.suites)",
    message: '/ and ./ are the same directory',
    fieldPath: '.suites',
  },
  ...scheduleRules,
];

/** `/` and `./` are the same directory. */
function repetitions(list: string, names: readonly string[]): readonly SpecProblem[] {
  const plain = names.map((name) => (name === './' ? '/' : name));
  return plain.flatMap((name, at) =>
    plain.indexOf(name) === at
      ? []
      : [{ path: ['spec', list, at], message: `${names[at] ?? ''} is given before` }],
  );
}
