import { compareVersions } from './version.ts';

/** One alternative of a relation between packages, as in `libfoo-dev (>= 1.2)`: Policy 7.1. */
export interface Relation {
  readonly name: string;
  /** Which versions are meant; left out: any. */
  readonly range?: { readonly operator: string; readonly version: string };
}

/** A name that a package provides beside its own. */
export interface Provided {
  readonly name: string;
  /** Left out: it satisfies no relation that asks for a version. */
  readonly version?: string;
}

/** At the start of an alternative; qualifiers such as `:any`, architectures and profiles are for others. */
const alternative =
  /^\s*([a-z0-9][a-z0-9+.-]*)(?::[a-z0-9-]+)?\s*(?:\(\s*(<<|<=|=|>=|>>|<|>)\s*([^\s()]+)\s*\))?/;

/** All alternatives of a list of relations, in their order. What is none is left out. */
export function alternativesOf(list: string): Relation[] {
  return list.split(/[|,]/).flatMap((text) => {
    const [, name, operator, version] = alternative.exec(text) ?? [];
    if (name === undefined) return [];
    return operator !== undefined && version !== undefined
      ? [{ name, range: { operator, version } }]
      : [{ name }];
  });
}

/** What a Provides field names: Policy 7.5 knows `=` alone. */
export function providedBy(field: string): Provided[] {
  return alternativesOf(field).flatMap(({ name, range }) => {
    if (!range) return [{ name }];
    return range.operator === '=' ? [{ name, version: range.version }] : [];
  });
}

/** Whether what is provided satisfies a relation: Policy 7.5. */
export function satisfies(provided: Provided, { name, range }: Relation): boolean {
  if (provided.name !== name) return false;
  if (!range) return true;
  if (provided.version === undefined) return false;
  const order = compareVersions(provided.version, range.version);
  // In the oldest syntax, < means <=: deb-control(5) of those days, and dpkg still.
  if (range.operator === '<<') return order < 0;
  if (range.operator === '>>') return order > 0;
  if (range.operator === '=') return order === 0;
  return range.operator.startsWith('<') ? order <= 0 : order >= 0;
}
