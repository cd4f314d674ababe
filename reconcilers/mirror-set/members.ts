import { MirrorKind, type Mirror } from '../../crds/mirror.ts';
import type { MirrorSet } from '../../crds/mirror-set.ts';
import { mountPath } from '../../crds/mount-path.ts';
import { RepositoryKind, repositoryPath, type Repository } from '../../crds/repository.ts';
import type { ObjectList, StoreReader } from '../../crds/store.ts';
import type { Dependency } from '../reconciler.ts';

/** What can be frozen: both have a complete state, which is a tree. */
export type Member = Mirror | Repository;

/** The members of a set as they were at one instant. */
export interface Members {
  /** Sorted by kind and name. */
  readonly found: readonly Member[];
  /** Members that the spec names and that are not there, as people call them. */
  readonly absent: readonly Absent[];
}

export interface Absent {
  readonly kind: string;
  readonly name: string;
}

/** Somebody writes all the time: then what was read last has to do. */
const mostReadings = 5;

/** Finds a set's members, by name and by label. */
export async function membersOf(set: MirrorSet, store: StoreReader): Promise<Members> {
  const lists = await atOneInstant(set, store);
  const found = lists
    .flatMap(({ items }) => items as readonly Member[]) // the store validated them as such
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  const isThere = ({ kind, name }: Absent) =>
    found.some((member) => member.kind === kind && member.metadata.name === name);
  const named = new Map(namedIn(set).map((one) => [`${one.kind}/${one.name}`, one]));
  return { found, absent: [...named.values()].filter((one) => !isThere(one)) };
}

/**
 * Mirrors and Repositories are two lists. Read in turns until nothing has changed between two
 * readings of one, in which the other was read.
 */
async function atOneInstant(set: MirrorSet, store: StoreReader): Promise<readonly ObjectList[]> {
  const { namespace } = set.metadata;
  const labels = set.spec.selector?.matchLabels;
  const read = (kind: string) => {
    const names = namedIn(set).flatMap((one) => (one.kind === kind ? [one.name] : []));
    return store.list(kind, { namespace, among: { names, labels } });
  };
  let mirrors = await read(MirrorKind.kind);
  if (set.spec.repositories.length === 0 && !labels) return [mirrors];
  for (let reading = 1; ; reading += 1) {
    const repositories = await read(RepositoryKind.kind);
    if (repositories.items.length === 0) return [mirrors];
    const again = await read(MirrorKind.kind);
    if (isSame(mirrors, again) || reading === mostReadings) return [again, repositories];
    mirrors = again;
  }
}

function isSame(one: ObjectList, other: ObjectList): boolean {
  const versions = ({ items }: ObjectList) =>
    items.map(({ metadata }) => `${metadata.uid} ${metadata.resourceVersion}`).join();
  return versions(one) === versions(other);
}

function namedIn({ spec }: MirrorSet): readonly Absent[] {
  return [
    ...spec.mirrors.map(({ name }) => ({ kind: MirrorKind.kind, name })),
    ...spec.repositories.map(({ name }) => ({ kind: RepositoryKind.kind, name })),
  ];
}

/** What may change a set's members, or what they hold: nothing else of all that there is. */
export function dependenciesOf(set: MirrorSet): readonly Dependency[] {
  const { namespace } = set.metadata;
  const labels = set.spec.selector?.matchLabels;
  const kinds = [MirrorKind.kind, RepositoryKind.kind];
  return [
    ...namedIn(set).map(({ kind, name }) => ({ kind, namespace, name })),
    ...(labels ? kinds.map((kind) => ({ kind, namespace, labels })) : []),
  ];
}

/** The sentence for members that are named and not there; undefined when there are none. */
export function absence(absent: readonly Absent[]): string | undefined {
  if (absent.length === 0) return undefined;
  const groups = Map.groupBy(absent, ({ kind }) => kind);
  const told = [...groups].map(
    ([kind, ones]) => `${kind} ${ones.map(({ name }) => name).join(', ')}`,
  );
  return `there is no ${told.join(' and no ')} yet`;
}

/**
 * Two members that would serve the same suite at the same place, as a sentence; undefined when
 * there are none.
 */
export function conflictIn(members: readonly Member[]): string | undefined {
  const owners = new Map<string, string>();
  for (const member of members) {
    const { metadata } = member;
    for (const suite of suitesHeld(member)) {
      const place = `${pathOf(member)} ${suite}`;
      const other = owners.get(place);
      if (other)
        return `Mirrors ${other} and ${metadata.name} both hold ${suite} of ${urlOf(member)}`;
      owners.set(place, metadata.name);
    }
  }
  return undefined;
}

function suitesHeld(member: Member): readonly string[] {
  return isRepository(member) ? member.spec.suites.map(({ name }) => name) : member.spec.suites;
}

function pathOf(member: Member): string {
  return isRepository(member) ? repositoryPath(member) : mountPath(member.spec.url);
}

function urlOf(member: Member): string {
  return isRepository(member) ? repositoryPath(member) : member.spec.url;
}

export function isRepository(member: Member): member is Repository {
  return member.kind === RepositoryKind.kind;
}
