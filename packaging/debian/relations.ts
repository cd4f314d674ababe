import { packageNamePattern } from './names.ts';

/**
 * Splits a list of relations (Policy 7.1). Comments and empty places are left out, blanks made one.
 * Throws what `failure` makes of the first that dpkg would not understand and the number of its
 * line in the value, counted from 0.
 */
export function splitRelations(
  value: string,
  failure: (relation: string, line: number) => Error,
): string[] {
  const relations: string[] = [];
  let line = 0;
  for (const part of value.replace(/^#.*$/gm, '').split(',')) {
    const relation = part.trim().split(/\s+/).join(' ');
    const lead = part.length - part.trimStart().length;
    if (relation !== '' && !isRelation(relation)) {
      throw failure(relation, line + part.slice(0, lead).split('\n').length - 1);
    }
    if (relation !== '') relations.push(relation);
    line += part.split('\n').length - 1;
  }
  return relations;
}

/** `foo`, `foo:any (>= 1) [amd64 !i386] <!nocheck>`, `${shlibs:Depends}`, and `|` between such. */
export function isRelation(text: string): boolean {
  return text.length <= 2000 && text.split('|').every((one) => isSingle(one.trim()));
}

function isSingle(text: string): boolean {
  if (/^\$\{[A-Za-z0-9:-]+\}$/.test(text)) return true;
  const [, name = '', rest = ''] = /^([^\s:(<[]+)(?::[a-z0-9-]+)?(.*)$/.exec(text) ?? [];
  if (!packageNamePattern.test(name)) return false;
  return /^ ?(\((<<|<=|=|>=|>>|<|>) ?[^\s()]+ ?\))? ?(\[[^\][]*\])? ?(<[^<>]*> ?)*$/.test(rest);
}

/** The names in a relation: those of all alternatives. */
export function namesIn(relation: string): string[] {
  return relation.split('|').map((one) => /^[^\s:(<[]*/.exec(one.trim())?.[0] ?? '');
}
