/** A piece of a YAML stream that holds one document: offsets, the end excluded. */
export interface Segment {
  readonly start: number;
  readonly end: number;
}

/**
 * Cuts a stream of YAML documents apart without parsing them, so that a syntax error stays inside
 * its document. A line that starts with `---` or `...` can't be anything but a marker, whatever the
 * document before it left open (YAML 1.2.2, production 206, c-forbidden).
 */
export function segments(text: string): readonly Segment[] {
  const cuts = [...cutsOf(text), text.length];
  const found: Segment[] = [];
  let start = 0;
  for (const end of cuts) {
    if (end <= start) continue;
    // Comments and directives in front of a marker belong to the document behind it.
    if (end < text.length && isPrologue(text.slice(start, end))) continue;
    found.push({ start, end });
    start = end;
  }
  return found;
}

function* cutsOf(text: string): Iterable<number> {
  for (const { index, 1: marker = '', 2: rest = '' } of text.matchAll(
    /(?<=^|[\r\n])(---|\.\.\.)(?=[ \t\r\n]|$)([^\r\n]*(?:\r\n|\r|\n)?)/g,
  )) {
    yield marker === '---' ? index : index + marker.length + rest.length;
  }
}

function isPrologue(segment: string): boolean {
  return /^(?:[ \t]*(?:#[^\r\n]*)?[\r\n]|%[^\r\n]*[\r\n])*$/.test(segment);
}
