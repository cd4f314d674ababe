/**
 * What an unknown field may have been meant to be: ``unknown field; did you mean `suites`?`` for
 * the known word that is nearest to what was written, else with a list of the known ones.
 */
export function unknownField(written: string, known: readonly string[]): string {
  const nearest = nearestWord(written, known);
  if (nearest !== undefined) return `unknown field; did you mean \`${nearest}\`?`;
  if (known.length === 0) return 'unknown field; expected none here';
  return `unknown field; known ones are ${[...known].sort().join(', ')}`;
}

/** The known word that is nearest to what was written, if one is near enough for a slip. */
export function nearestWord(written: string, known: readonly string[]): string | undefined {
  if (written.length > 64) return undefined;
  const ranked = known
    .map((word) => ({ word, distance: editDistance(written.toLowerCase(), word.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance);
  const [best] = ranked;
  const tolerated = Math.max(1, Math.floor(written.length / 3));
  return best && best.distance <= tolerated ? best.word : undefined;
}

/** Insertions, deletions, replacements and swaps of neighbours that turn one word into another. */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1];
      let cost = Math.min(
        at(last, column) + 1,
        at(current, column - 1) + 1,
        at(last, column - 1) + (same ? 0 : 1),
      );
      const swapped = a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      if (row > 1 && column > 1 && swapped) cost = Math.min(cost, at(beforeLast, column - 2) + 1);
      current.push(cost);
    }
    beforeLast = last;
    last = current;
  }
  return at(last, b.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY;
}
