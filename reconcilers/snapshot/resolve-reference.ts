import { EnvironmentKind, type Environment } from '../../crds/environment.ts';
import { conditionOf } from '../../crds/object.ts';
import { CairnError } from '../../crds/reasons.ts';
import { SnapshotKind, type FrozenMember, type Snapshot } from '../../crds/snapshot.ts';
import type { StoreReader } from '../../crds/store.ts';
import type { DiffSide } from './diff-shape.ts';
import { nearNames } from './near-names.ts';

export interface ResolvedSide {
  readonly side: DiffSide;
  readonly members: readonly FrozenMember[];
}

/**
 * What a reference to frozen content means: the name or uid of a Snapshot, `snapshot/NAME`, the
 * name of an Environment or `environment/NAME`. A bare name that is both is the Snapshot. Throws
 * `DependencyNotReady` when there is none, or nothing frozen yet. Only objects of one namespace have
 * URLs, and names that need no more.
 */
export async function resolveReference(
  store: StoreReader,
  reference: string,
  namespace = 'default',
): Promise<ResolvedSide> {
  const [, kind, name = ''] = /^(?:(snapshot|environment)s?\/)?(.*)$/is.exec(reference) ?? [];
  const wanted = kind?.toLowerCase();
  // The store holds what its kinds' schemas accept.
  const snapshots = (await store.list(SnapshotKind.kind, { namespace }))
    .items as readonly Snapshot[];
  const environments = (await store.list(EnvironmentKind.kind, { namespace }))
    .items as readonly Environment[];
  const snapshot = snapshots.find(
    ({ metadata }) => metadata.name === name || metadata.uid === name,
  );
  if (snapshot && wanted !== 'environment') return asFrozen(snapshot);
  const environment = environments.find(({ metadata }) => metadata.name === name);
  if (environment && wanted !== 'snapshot') return asPublished(environment);
  throw unknown(reference, [
    ...snapshots.map(({ metadata }) => ({ kind: 'snapshot', name: metadata.name })),
    ...environments.map(({ metadata }) => ({ kind: 'environment', name: metadata.name })),
  ]);
}

function asFrozen(snapshot: Snapshot): ResolvedSide {
  const { name, uid } = snapshot.metadata;
  if (!snapshot.status.members) {
    const why = conditionOf(snapshot, 'Ready')?.message;
    throw notReady(`snapshot ${name} is not taken yet${why ? `: ${why}` : ''}`);
  }
  return { side: { snapshot: name, uid }, members: snapshot.status.members };
}

function asPublished({ metadata, status }: Environment): ResolvedSide {
  if (!status.published) {
    const why = conditionOf({ status }, 'Ready')?.message;
    throw notReady(`environment ${metadata.name} serves nothing yet${why ? `: ${why}` : ''}`);
  }
  const { snapshot, snapshotUid, members } = status.published;
  return { side: { snapshot, uid: snapshotUid, environment: metadata.name }, members };
}

function unknown(reference: string, known: readonly { kind: string; name: string }[]): CairnError {
  const wanted = reference.slice(reference.indexOf('/') + 1);
  const near = nearNames(
    wanted,
    known.map(({ name }) => name),
  );
  const meant = near.flatMap((name) => known.filter((one) => one.name === name));
  const listed = (meant.length > 0 ? meant : known).slice(0, 5);
  const names = listed.map(({ kind, name }) => `${kind}/${name}`).join(', ');
  const hint =
    known.length === 0
      ? 'there are no snapshots yet'
      : meant.length > 0
        ? `did you mean ${names}?`
        : `there are, for example, ${names}`;
  return notReady(`no snapshot or environment is called ${JSON.stringify(reference)}; ${hint}`);
}

function notReady(message: string): CairnError {
  return new CairnError('DependencyNotReady', message);
}
