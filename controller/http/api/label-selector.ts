import { ApiFailure } from './status.ts';

/** One term of a label selector. Numbers are compared as Kubernetes does: absent is not less. */
export interface LabelRequirement {
  readonly key: string;
  readonly operator: 'in' | 'notin' | 'exists' | '!' | '>' | '<';
  readonly values: readonly string[];
}

const key = String.raw`[A-Za-z0-9](?:[-A-Za-z0-9_./]*[A-Za-z0-9])?`;
const value = String.raw`[-A-Za-z0-9_.]*`;
const forms = {
  set: new RegExp(String.raw`^(${key})\s+(in|notin)\s*\(([^()]*)\)$`),
  equality: new RegExp(String.raw`^(${key})\s*(==|=|!=|>|<)\s*(${value})$`),
  existence: new RegExp(String.raw`^(!?)\s*(${key})$`),
};

/** Parses a label selector by the grammar of Kubernetes; throws 400 with the term at fault. */
export function labelRequirements(text: string): readonly LabelRequirement[] {
  if (text.trim() === '') return [];
  return termsOf(text).map((term) => requirementOf(term.trim()));
}

export function isMatching(
  labels: Readonly<Record<string, string>>,
  { key, operator, values }: LabelRequirement,
): boolean {
  const found = Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case 'in':
      return found !== undefined && values.includes(found);
    case 'notin':
      return found === undefined || !values.includes(found);
    case 'exists':
      return found !== undefined;
    case '!':
      return found === undefined;
    default:
      return isOrdered(found, operator, values[0]);
  }
}

function isOrdered(found: string | undefined, operator: '>' | '<', bound = ''): boolean {
  if (found === undefined || !/^-?\d{1,15}$/.test(found)) return false;
  return operator === '>' ? Number(found) > Number(bound) : Number(found) < Number(bound);
}

/** Commas separate terms, except inside of brackets. */
function termsOf(text: string): readonly string[] {
  const terms = text.match(/(?:[^,(]|\([^)]*\)?)+/g) ?? [];
  const commas = text.replace(/\([^)]*\)?/g, '').split(',').length;
  if (terms.length !== commas) throw unreadable(text);
  return terms;
}

function requirementOf(term: string): LabelRequirement {
  const set = forms.set.exec(term);
  if (set) return setOf(term, set);
  const [, name, sign, text = ''] = forms.equality.exec(term) ?? [];
  if (name !== undefined) return equalityOf(term, { name, sign: sign ?? '=', text });
  const [, not, present] = forms.existence.exec(term) ?? [];
  if (present === undefined) throw unreadable(term);
  return { key: present, operator: not === '!' ? '!' : 'exists', values: [] };
}

function setOf(term: string, [, key = '', operator, list = '']: RegExpExecArray): LabelRequirement {
  const values = list.split(',').map((one) => one.trim());
  if (values.some((one) => !/^[-A-Za-z0-9_.]*$/.test(one))) throw unreadable(term);
  return { key, operator: operator === 'in' ? 'in' : 'notin', values };
}

function equalityOf(
  term: string,
  { name, sign, text }: { readonly name: string; readonly sign: string; readonly text: string },
): LabelRequirement {
  if (sign === '>' || sign === '<') {
    if (!/^-?\d{1,15}$/.test(text)) throw unreadable(term);
    return { key: name, operator: sign, values: [text] };
  }
  return { key: name, operator: sign === '!=' ? 'notin' : 'in', values: [text] };
}

function unreadable(term: string): ApiFailure {
  return new ApiFailure(
    400,
    `labelSelector: can't understand ${JSON.stringify(term.slice(0, 200))}`,
  );
}
