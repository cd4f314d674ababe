import { hash } from 'node:crypto';
import { BuildKind, type Build } from '../../crds/build.ts';
import { annotations, apiVersion, type Manifest } from '../../crds/object.ts';
import { sourceLabel, SourceKind, type Source } from '../../crds/source.ts';
import type { Chosen } from './choose.ts';

const longestLabel = 63;
/** How often a commit is tried again whose builder was lost. */
const mostLost = 3;

/** The value of the label that Builds of a Source have. */
export function labelOf(source: string): string {
  return source.length <= longestLabel ? source : hash('sha256', source).slice(0, 60);
}

/**
 * Why a commit is to be built once more: a person asked, or the builder was lost. The same wish gives the
 * same Build, however often it is acted on.
 */
export function wishOf(
  { metadata }: Pick<Source, 'metadata'>,
  builds: readonly Build[],
  { commit }: Chosen,
): string {
  const asked = metadata.annotations?.[annotations.build] ?? '';
  const ofCommit = builds.filter(({ spec }) => spec.commit === commit);
  const newest = newestOf(ofCommit);
  const isLost = newest?.status.result === 'BuilderLost' && ofCommit.length < mostLost;
  return isLost ? `${asked}/after-${newest.metadata.uid}` : asked;
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
  more: { readonly name: string; readonly counter: number; readonly attempt: number },
): Manifest {
  const { name: owner, namespace, uid } = source.metadata;
  const { url, path, submodules, secretRef, maintainer, repositoryRef, build } = source.spec;
  const { version } = source.status;
  const metadata = {
    name: more.name,
    namespace,
    labels: { [sourceLabel]: labelOf(owner) },
    ownerReferences: [{ apiVersion, kind: SourceKind.kind, name: owner, uid, controller: true }],
  };
  return {
    apiVersion,
    kind: BuildKind.kind,
    metadata,
    spec: {
      ...{ sourceRef: { name: owner }, url, commit, ref, submodules, maintainer, build },
      ...{ repositoryRef, attempt: more.attempt, counter: more.counter },
      ...(path === undefined ? {} : { path }),
      ...(secretRef === undefined ? {} : { secretRef }),
      ...(version === undefined ? {} : { lastVersion: version }),
    },
  };
}
