/** A place in a text. Both count from one; columns in UTF-16 code units. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** The text of a UTF-8 file without its byte order mark, or where it stops being UTF-8. */
export function decodeUtf8(
  bytes: Uint8Array,
): { readonly text: string } | { readonly invalidAt: Position } {
  try {
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch {
    const lenient = new TextDecoder('utf-8').decode(bytes);
    return { invalidAt: positionAt(lineStarts(lenient), lenient.indexOf('\ufffd')) };
  }
}

/** Offsets of the first character of each line. Lines end in LF, CR LF or CR, as in YAML. */
export function lineStarts(text: string): readonly number[] {
  const starts = [0];
  for (const { index, 0: lineBreak } of text.matchAll(/\r\n|\n|\r/g)) {
    starts.push(index + lineBreak.length);
  }
  return starts;
}

/** The line and column of an offset, by binary search. */
export function positionAt(starts: readonly number[], offset: number): Position {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((starts[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return { line: low + 1, column: Math.max(0, offset - (starts[low] ?? 0)) + 1 };
}
