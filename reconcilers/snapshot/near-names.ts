import { editDistance } from '../../crds/hint.ts';

/** Names longer than this are no slip of the keyboard, and the cost grows with the square. */
const maxLength = 64;

/** The names that a mistyped one may have meant, nearest first; what it begins counts as near. */
export function nearNames(wanted: string, names: Iterable<string>, limit = 3): readonly string[] {
  if (wanted.length > maxLength) return [];
  const tolerated = Math.max(1, Math.floor(wanted.length / 3));
  return [...new Set(names)]
    .map((name) => ({ name, distance: distanceOf(wanted, name) }))
    .filter(({ distance }) => distance <= tolerated)
    .sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1))
    .slice(0, limit)
    .map(({ name }) => name);
}

function distanceOf(wanted: string, name: string): number {
  if (wanted.length > 1 && name.startsWith(wanted)) return 1;
  return editDistance(wanted.toLowerCase(), name.slice(0, maxLength).toLowerCase());
}
