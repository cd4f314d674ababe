import { compareVersions } from '../../apt/version.ts';
import type { Entry } from '../../apt/write/stanzas.ts';

/**
 * What stays of all versions of one package: of each architecture the newest so many, and whatever
 * `isNew` says has just come, so that nobody's upload vanishes unseen.
 */
export function newest(
  versions: readonly Entry[],
  count: number,
  isNew: (entry: Entry) => boolean,
): readonly Entry[] {
  const descending = [...versions].sort((a, b) => compareVersions(b.version, a.version));
  const kept = new Map<string, Set<string>>();
  for (const { architecture, version } of descending) {
    const found = kept.get(architecture) ?? new Set();
    if (found.size < count) found.add(version);
    kept.set(architecture, found);
  }
  return versions.filter(
    (entry) => isNew(entry) || kept.get(entry.architecture)?.has(entry.version) === true,
  );
}
