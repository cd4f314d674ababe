import { compare, fieldSetOf } from './compare.ts';
import { difference, FieldSet, union } from './field-set.ts';
import type { Tracked } from './ownership.ts';
import type { Type } from './structure.ts';

/** What `kubectl apply` without `--server-side` remembers of the last time. */
const annotation = 'kubectl.kubernetes.io/last-applied-configuration';

/**
 * The fields that kubectl may take though another manager is written down for them: it gave them
 * itself, by a client-side apply, and nobody has changed them since. So one can go over to
 * `--server-side` without a conflict with oneself.
 */
export function allowedByLastApplied(live: Tracked, type: Type): FieldSet {
  const applied = lastApplied(live);
  if (!applied) return new FieldSet();
  const { added, modified, removed } = compare(applied, live, type);
  return difference(fieldSetOf(applied, type), union(added, modified, removed));
}

function lastApplied({ metadata }: Tracked): Tracked | undefined {
  const { annotations } = (metadata ?? {}) as { annotations?: Record<string, string> };
  try {
    const parsed: unknown = JSON.parse(annotations?.[annotation] ?? 'null');
    if (typeof parsed !== 'object' || parsed === null) return undefined;
    const { metadata: given, spec } = parsed as { metadata?: object; spec?: object };
    return { ...(given && { metadata: given }), ...(spec && { spec }) };
  } catch {
    return undefined; // somebody's own annotation
  }
}
