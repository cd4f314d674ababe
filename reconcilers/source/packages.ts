import type { Build } from '../../crds/build.ts';
import { mostPackages, type Source } from '../../crds/source.ts';

/** A source package in a Repository. */
export type MadePackage = NonNullable<Source['status']['packages']>[number];

/**
 * The source packages that Builds of a Source have made: those that are known already, and those of the Builds
 * that are there. One counts as soon as its name is known, before anything of it can be published.
 */
export function packagesOf(
  { status }: Pick<Source, 'status'>,
  builds: readonly Build[],
): readonly MadePackage[] {
  const made = builds
    .toSorted((a, b) => a.spec.counter - b.spec.counter)
    .flatMap(({ spec, status: { sourceName } }) =>
      sourceName === undefined ? [] : [{ repository: spec.repositoryRef.name, source: sourceName }],
    );
  const known = [...(status.packages ?? [])];
  for (const one of made) if (!known.some((other) => isSame(one, other))) known.push(one);
  return known.slice(-mostPackages);
}

export function isSame(one: MadePackage, other: MadePackage): boolean {
  return one.repository === other.repository && one.source === other.source;
}
