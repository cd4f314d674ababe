const units: readonly (readonly [string, number])[] = [
  ['y', 365 * 86_400],
  ['d', 86_400],
  ['h', 3600],
  ['m', 60],
  ['s', 1],
];

/** From this many on, the next smaller unit says nothing any more; kubectl's rules. */
const alone: Readonly<Record<string, number>> = { y: 8, d: 8, h: 8, m: 10, s: 0 };
/** A unit counts from twice itself: 90 minutes are `90m`, two minutes `2m`, 47 hours `47h`. */
const starts: Readonly<Record<string, number>> = {
  y: 2 * 365 * 86_400,
  d: 48 * 3600,
  h: 3 * 3600,
  m: 120,
  s: 0,
};

/** How long ago a time was, the way kubectl prints ages: `45s`, `5m30s`, `3h`, `12d`. */
export function ageOf(timestamp: string, now: Date): string {
  const time = Date.parse(timestamp);
  if (Number.isNaN(time)) return '<invalid>';
  return formatAge(Math.max(0, Math.floor((now.getTime() - time) / 1000)));
}

function formatAge(seconds: number): string {
  const at = units.findIndex(([name]) => seconds >= (starts[name] ?? 0));
  const [name = 's', size = 1] = units[at] ?? [];
  const count = Math.floor(seconds / size);
  const [smaller, smallerSize = 1] = units[at + 1] ?? [];
  const rest = Math.floor((seconds - count * size) / smallerSize);
  const detailed = smaller !== undefined && count < (alone[name] ?? 0) && rest > 0;
  return detailed ? `${count}${name}${rest}${smaller}` : `${count}${name}`;
}
