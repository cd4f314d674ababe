import { hash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { BuildKind, type Build } from '../../crds/build.ts';
import { annotations, apiVersion, type Manifest } from '../../crds/object.ts';
import { sourceLabel, SourceKind, type Source } from '../../crds/source.ts';
import type { Chosen } from './choose.ts';
import { hasFailed, isTriedAgain, type Then } from './retry.ts';

const longestLabel = 63;

/** The value of the label that Builds of a Source have. */
export function labelOf(source: string): string {
  return source.length <= longestLabel ? source : hash('sha256', source).slice(0, 60);
}

/** A Build that is there already, or what tells the one that is to be made from all others. */
export type Wanted =
  | { readonly existing: Build }
  | { readonly wish: string; readonly asked: string; readonly attempt: number };

/**
 * The Build that a commit is to have: one for each time that the ref comes to it or that a person has
 * asked, and some more where builders were lost or something was waited for (`isTriedAgain`). The same
 * state of things gives the same answer, however often it is acted on.
 */
export function wantedBuild(
  { metadata, spec }: Pick<Source, 'metadata' | 'spec'>,
  builds: readonly Build[],
  { commit }: Chosen,
  then: Then,
): Wanted {
  const asked = askedOf(metadata);
  const newest = newestOf(
    builds.filter((build) => build.spec.commit === commit && askedOf(build.metadata) === asked),
  );
  if (!newest) return { wish: asked, asked, attempt: 1 };
  // The ref went on, and is back: what was made of the other commit has the higher version.
  const last = newestOf(builds);
  if (last && last.spec.commit !== commit) {
    return { wish: `${asked}/back-after-${last.metadata.uid}`, asked, attempt: 1 };
  }
  const wish = `${asked}/after-${newest.metadata.uid}`;
  // What was in its way may be declared otherwise now.
  if (hasFailed(newest) && !isMadeFor(newest, spec)) return { wish, asked, attempt: 1 };
  const { attempt } = newest.spec;
  if (!isTriedAgain(newest, then)) return { existing: newest };
  return { wish, asked, attempt: attempt + 1 };
}

/** Whether a Build is what its Source declares now, but for the commit. */
function isMadeFor({ spec: made }: Build, spec: Source['spec']): boolean {
  return isDeepStrictEqual(declaredOf(made), declaredOf(spec));
}

/** What a Build takes over. */
function declaredOf({ url, path, submodules, secretRef, submoduleSecretRef, ...more }: Declared) {
  const { maintainer, repositoryRef, build } = more;
  const optional = { path, secretRef, submoduleSecretRef };
  return { ...optional, url, submodules, maintainer, repositoryRef, build };
}

type Declared = Pick<
  Source['spec'],
  | 'url'
  | 'path'
  | 'submodules'
  | 'secretRef'
  | 'submoduleSecretRef'
  | 'maintainer'
  | 'repositoryRef'
  | 'build'
>;

function askedOf(metadata: Build['metadata']): string {
  return metadata.annotations?.[annotations.build] ?? '';
}

export function newestOf(builds: readonly Build[]): Build | undefined {
  return builds.toSorted((a, b) => b.spec.counter - a.spec.counter)[0];
}

/** The name of the Build of a commit: told by the Source, the commit and the wish alone. */
export function buildName({ metadata }: Pick<Source, 'metadata'>, commit: string, wish: string) {
  const digest = hash('sha256', JSON.stringify([metadata.uid, commit, wish])).slice(0, 12);
  return `${metadata.name.slice(0, 180)}-${commit.slice(0, 8)}-${digest}`;
}

/** What to create, to have a commit built. */
export function buildManifest(
  source: Source,
  { ref, commit }: Chosen,
  more: {
    readonly name: string;
    readonly counter: number;
    readonly attempt: number;
    readonly asked: string;
  },
): Manifest {
  const { name: owner, namespace, uid } = source.metadata;
  const { path, secretRef, submoduleSecretRef, ...declared } = declaredOf(source.spec);
  const { version } = source.status;
  const metadata = {
    name: more.name,
    namespace,
    labels: { [sourceLabel]: labelOf(owner) },
    ...(more.asked === '' ? {} : { annotations: { [annotations.build]: more.asked } }),
    ownerReferences: [{ apiVersion, kind: SourceKind.kind, name: owner, uid, controller: true }],
  };
  return {
    apiVersion,
    kind: BuildKind.kind,
    metadata,
    spec: {
      ...{ ...declared, sourceRef: { name: owner }, commit, ref },
      ...{ attempt: more.attempt, counter: more.counter },
      ...(path === undefined ? {} : { path }),
      ...(secretRef === undefined ? {} : { secretRef }),
      ...(submoduleSecretRef === undefined ? {} : { submoduleSecretRef }),
      ...(version === undefined ? {} : { lastVersion: version }),
    },
  };
}
