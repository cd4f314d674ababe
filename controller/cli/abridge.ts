const mostItems = 12;
const mostText = 200;

/** A value short enough to read: long lists and texts (keys, above all) are cut, and say so. */
export function abridge(value: unknown): unknown {
  if (typeof value === 'string') return abridgeText(value);
  if (Array.isArray(value)) {
    const shown = value.slice(0, mostItems).map(abridge);
    const left = value.length - shown.length;
    return left > 0 ? [...shown, `… and ${left} more`] : shown;
  }
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, abridge(child)]));
}

function abridgeText(text: string): string {
  if (text.length <= mostText) return text;
  const [first = ''] = text.split('\n');
  return `${first.slice(0, mostText)} … (${text.length} characters)`;
}
