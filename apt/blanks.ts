/**
 * A line without the blanks, tabs and carriage returns at its end. A loop, for a regular expression
 * takes quadratic time over a long run of blanks.
 */
export function withoutTrailingBlanks(line: string): string {
  let end = line.length;
  while (end > 0 && isBlank(line.charCodeAt(end - 1))) end -= 1;
  return end === line.length ? line : line.slice(0, end);
}

/** Blank, tab or carriage return. */
export function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09 || code === 0x0d;
}
