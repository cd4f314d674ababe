import { timestamp } from '../crds/timestamp.ts';

/** A state that was served before. */
export interface Predecessor {
  tree: string;
  until: string;
}

const forMs = 48 * 3_600_000;

/**
 * The states before the one of now, newest first, with the one that has just been replaced: clients
 * that have read its Release files go on to ask for its indexes, by-hash.
 */
export function remember(
  predecessors: readonly Predecessor[] | undefined,
  { tree, now, most }: { readonly tree: string; readonly now: Date; readonly most: number },
): Predecessor[] {
  const recent = (predecessors ?? []).filter(
    (old) => old.tree !== tree && now.getTime() - Date.parse(old.until) < forMs,
  );
  return [{ tree, until: timestamp(now) }, ...recent].slice(0, most);
}
