import { boolCoreTag, floatCoreTag, intCoreTag, NOT_RESOLVED, nullCoreTag } from 'js-yaml';

const quote = 'put it in quotes if you mean the text';

/**
 * Why a plain (unquoted) scalar would not mean the same to everybody. Cairn reads YAML 1.2 and
 * kubectl YAML 1.1, where `yes` is true, `0644` is 420 and `1:30` is 90: one manifest must not mean
 * two things. Undefined when there is no doubt.
 */
export function ambiguity(text: string): string | undefined {
  if (/^(y|n|yes|no|on|off)$/i.test(text)) {
    const truth = /^(y|yes|on)$/i.test(text);
    return `${text} is ${truth} in YAML 1.1 and text in YAML 1.2: write ${truth}, or ${quote}`;
  }
  if (/^[-+]?0[0-9_]+$/.test(text) && /[1-9]/.test(text)) {
    return `${text} is octal in YAML 1.1 and decimal in YAML 1.2: write it without the zero, or ${quote}`;
  }
  if (/^[-+]?0[ob][0-7]+$/i.test(text) || /^[-+]?[0-9][0-9_.]*_[0-9_.]*$/.test(text)) {
    return `${text} is a number in one version of YAML and text in the other: write it in decimal, or ${quote}`;
  }
  if (/^[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?$/.test(text)) {
    return `${text} is a number to the base of 60 in YAML 1.1: ${quote}`;
  }
  if (isNumberToKubectl(text) && isPlainText(text)) {
    return `${text} is a number to kubectl and text in YAML 1.2: write it in decimal, or ${quote}`;
  }
  return unfitNumber(text);
}

/** Underscores mean nothing there, and prefixes have any case and a sign. */
function isNumberToKubectl(text: string): boolean {
  const plain = text.replaceAll('_', '');
  const number =
    /^[-+]?(0x[0-9a-f]+|0o?[0-7]+|0b[01]+|([0-9]+\.?[0-9]*|\.[0-9]+)(e[-+]?[0-9]+)?)$/i;
  return /^[-+0-9]/.test(text) && number.test(plain);
}

/** Whether a plain scalar is read as text, not as a number, a truth value or null. */
export function isPlainText(text: string): boolean {
  return [intCoreTag, floatCoreTag, boolCoreTag, nullCoreTag].every(
    (tag) => tag.resolve(text, false, tag.tagName) === NOT_RESOLVED,
  );
}

function unfitNumber(text: string): string | undefined {
  const whole = intCoreTag.resolve(text, false, intCoreTag.tagName);
  if (whole !== NOT_RESOLVED && !Number.isSafeInteger(whole)) {
    return `${text} is too large for a number: ${quote}`;
  }
  const number = floatCoreTag.resolve(text, false, floatCoreTag.tagName);
  return number === NOT_RESOLVED || Number.isFinite(number)
    ? undefined
    : `${text} is a number that JSON can't express: ${quote}`;
}
