import {
  boolCoreTag,
  CORE_SCHEMA,
  floatCoreTag,
  intCoreTag,
  NOT_RESOLVED,
  nullCoreTag,
} from 'js-yaml';

const truths: ReadonlyMap<string, boolean> = new Map([
  ...['y', 'Y', 'yes', 'Yes', 'YES', 'on', 'On', 'ON'].map((word) => [word, true] as const),
  ...['n', 'N', 'no', 'No', 'NO', 'off', 'Off', 'OFF'].map((word) => [word, false] as const),
]);

const boolTag: typeof boolCoreTag = {
  ...boolCoreTag,
  implicitFirstChars: [...'yYnNtTfFoO'],
  resolve: (text, ...rest) => truths.get(text) ?? boolCoreTag.resolve(text, ...rest),
};

const intTag: typeof intCoreTag = {
  ...intCoreTag,
  resolve: (text) => numberOf(text) ?? NOT_RESOLVED,
};

/**
 * YAML as kubectl reads it, so that one manifest means one thing: version 1.1 without numbers to the
 * base of 60. `yes` is true, `0644` is 420, `1_000` is 1000.
 */
export const kubectlSchema = CORE_SCHEMA.withTags(boolTag, intTag);

/** What to know about a plain scalar that is something else than text here, and text in YAML 1.2. */
export function surprise(text: string): string | undefined {
  const quote = 'put it in quotes if you mean the text';
  if (truths.has(text)) return `${text} is ${truths.get(text)} in YAML 1.1; ${quote}`;
  const number = numberOf(text);
  if (number === undefined || number === coreNumber(text)) return undefined;
  return `${text} is ${number} in YAML 1.1; ${quote}`;
}

/** Why a plain scalar can't be a value of JSON, if it can't. */
export function unfitNumber(text: string): string | undefined {
  const number = numberOf(text) ?? coreNumber(text);
  if (number === undefined) return undefined;
  const quote = 'put it in quotes if you mean the text';
  if (!Number.isFinite(number)) return `${text} is a number that JSON can't express: ${quote}`;
  const isTooLarge = Number.isInteger(number) && !Number.isSafeInteger(number);
  return isTooLarge ? `${text} is too large for a number: ${quote}` : undefined;
}

/** Whether a plain scalar is read as text, not as a number, a truth value or null. */
export function isPlainText(text: string): boolean {
  return [boolTag, intTag, floatCoreTag, nullCoreTag].every(
    (tag) => tag.resolve(text, false, tag.tagName) === NOT_RESOLVED,
  );
}

/** Underscores mean nothing there, prefixes have any case and a sign, and 08 is 8. */
function numberOf(text: string): number | undefined {
  if (!/^[-+0-9]/.test(text)) return undefined;
  const plain = text.replaceAll('_', '');
  for (const [form, base] of forms) {
    const [, sign = '', digits] = form.exec(plain) ?? [];
    if (digits !== undefined) return Number.parseInt(`${sign}${digits}`, base) + 0;
  }
  const decimal = /^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)(e[-+]?[0-9]+)?$/i;
  return decimal.test(plain) ? Number(plain) + 0 : undefined; // never -0
}

const forms: readonly (readonly [RegExp, number])[] = [
  [/^([-+]?)0x([0-9a-f]+)$/i, 16],
  [/^([-+]?)0o?([0-7]+)$/i, 8],
  [/^([-+]?)0b([01]+)$/i, 2],
];

function coreNumber(text: string): number | undefined {
  for (const tag of [intCoreTag, floatCoreTag]) {
    const number = tag.resolve(text, false, tag.tagName);
    if (typeof number === 'number') return number;
  }
  return undefined;
}
