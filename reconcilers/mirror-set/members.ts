import { MirrorKind, type Mirror } from '../../crds/mirror.ts';
import type { MirrorSet } from '../../crds/mirror-set.ts';
import { mountPath } from '../../crds/mount-path.ts';
import type { StoreReader } from '../../crds/store.ts';
import type { Dependency } from '../reconciler.ts';

/** The members of a set as one list of the store shows them: all read at the same instant. */
export interface Members {
  /** Sorted by name. */
  readonly found: readonly Mirror[];
  /** Names in the spec that no Mirror has. */
  readonly absent: readonly string[];
  readonly resourceVersion: string;
}

/** Finds a set's members, by name and by label. */
export async function membersOf(set: MirrorSet, store: StoreReader): Promise<Members> {
  const { namespace } = set.metadata;
  const named = set.spec.mirrors.map(({ name }) => name);
  const among = { names: named, labels: set.spec.selector?.matchLabels };
  const { items, resourceVersion } = await store.list(MirrorKind.kind, { namespace, among });
  const mirrors = items as readonly Mirror[]; // the store validated them as such
  const found = mirrors.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  const names = new Set(found.map(({ metadata }) => metadata.name));
  const absent = [...new Set(named)].filter((name) => !names.has(name));
  return { found, absent, resourceVersion };
}

/** What may change a set's members, or what they hold: nothing else of all the Mirrors there are. */
export function dependenciesOf({ metadata, spec }: MirrorSet): readonly Dependency[] {
  const { namespace } = metadata;
  const labels = spec.selector?.matchLabels;
  return [
    ...spec.mirrors.map(({ name }) => ({ kind: MirrorKind.kind, namespace, name })),
    ...(labels ? [{ kind: MirrorKind.kind, namespace, labels }] : []),
  ];
}

/**
 * Two members that would serve the same suite at the same place, as a sentence; undefined when
 * there are none.
 */
export function conflictIn(members: readonly Mirror[]): string | undefined {
  const owners = new Map<string, string>();
  for (const { metadata, spec } of members) {
    for (const suite of spec.suites) {
      const place = `${mountPath(spec.url)} ${suite}`;
      const other = owners.get(place);
      if (other) return `Mirrors ${other} and ${metadata.name} both hold ${suite} of ${spec.url}`;
      owners.set(place, metadata.name);
    }
  }
  return undefined;
}
