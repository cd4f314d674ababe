import type { Rule, SpecProblem } from './kind.ts';
import type { RepositorySpec } from './repository-spec.ts';

const messages = {
  once: 'expected each of them once',
  architecture: 'expected single architectures: packages for all come along by themselves',
  suites: 'expected suites, each with a name of its own',
  oneKey: 'expected exactly one of key and keyRef',
  oneSuites: 'expected suites (or series, which is an older name of it)',
} as const;

const noArchitectures: ReadonlySet<string> = new Set(['all', 'any', 'source']);
const lists = ['components', 'architectures'] as const;

/** What the schema alone can't say. */
export function checkRepository(spec: RepositorySpec): readonly SpecProblem[] {
  const problems: SpecProblem[] = [];
  const add = (path: SpecProblem['path'], message: string) =>
    problems.push({ path: ['spec', ...path], message });
  const ofLists = (part: Pick<RepositorySpec['suites'][number], (typeof lists)[number]>) =>
    lists.flatMap((list) => {
      const words = part[list] ?? [];
      const isOdd = list === 'architectures' && words.some((word) => noArchitectures.has(word));
      return [
        ...(new Set(words).size < words.length ? [{ list, message: messages.once }] : []),
        ...(isOdd ? [{ list, message: messages.architecture }] : []),
      ];
    });
  for (const { list, message } of ofLists(spec)) add([list], message);
  const names = spec.suites.map(({ name }) => name);
  if (new Set(names).size < names.length) add(['suites'], messages.suites);
  for (const [at, suite] of spec.suites.entries()) {
    for (const { list, message } of ofLists(suite)) add(['suites', at, list], message);
  }
  for (const [at, { key, keyRef, suites, series }] of spec.externalDependencies.entries()) {
    const path = ['externalDependencies', at];
    if ((key === undefined) === (keyRef === undefined)) add(path, messages.oneKey);
    if ((suites === undefined) === (series === undefined)) add(path, messages.oneSuites);
  }
  return problems;
}

const once = (list: string) => `${list}.all(x, ${list}.exists_one(y, y == x))`;
const single = (list: string) => `!${list}.exists(x, x in ['all', 'any', 'source'])`;

/** The same in CEL. */
export const repositoryRules: readonly Rule[] = [
  { rule: once('self.components'), message: messages.once, fieldPath: '.components' },
  { rule: once('self.architectures'), message: messages.once, fieldPath: '.architectures' },
  {
    rule: single('self.architectures'),
    message: messages.architecture,
    fieldPath: '.architectures',
  },
  {
    rule: 'self.suites.all(s, self.suites.exists_one(t, t.name == s.name))',
    message: messages.suites,
    fieldPath: '.suites',
  },
  {
    rule: `self.suites.all(s, !has(s.components) || ${once('s.components')})`,
    message: messages.once,
    fieldPath: '.suites',
  },
  {
    rule: `self.suites.all(s, !has(s.architectures) || ${once('s.architectures')})`,
    message: messages.once,
    fieldPath: '.suites',
  },
  {
    rule: `self.suites.all(s, !has(s.architectures) || ${single('s.architectures')})`,
    message: messages.architecture,
    fieldPath: '.suites',
  },
  {
    rule: 'self.externalDependencies.all(d, has(d.key) != has(d.keyRef))',
    message: messages.oneKey,
    fieldPath: '.externalDependencies',
  },
  {
    rule: 'self.externalDependencies.all(d, has(d.suites) != has(d.series))',
    message: messages.oneSuites,
    fieldPath: '.externalDependencies',
  },
];
