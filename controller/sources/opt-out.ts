import type { SpecProblem } from '../../crds/kind.ts';
import { annotations, type KubeObject, type Manifest } from '../../crds/object.ts';

/** As of Flux' annotations `reconcile` and `ssa`, whose values mean the same. */
const values: Readonly<Record<string, readonly string[]>> = {
  [annotations.reconcileObject]: ['disabled', 'enabled'],
  [annotations.ssa]: ['Override', 'IfNotPresent', 'Ignore'],
};

/**
 * Whether a config source leaves an object alone: nothing is applied, reported or pruned. Either of
 * the two can say so; that it is made only where there is none, the manifest alone.
 */
export function isOptedOut(object: KubeObject | undefined, manifest?: Manifest): boolean {
  if (isIgnored(object?.metadata) || isIgnored(manifest?.metadata)) return true;
  return object !== undefined && manifest?.metadata.annotations?.[annotations.ssa] === ifNotPresent;
}

/** What is wrong with those annotations in a manifest. */
export function optOutProblems({ metadata }: Manifest): readonly SpecProblem[] {
  return Object.entries(values).flatMap(([name, allowed]): SpecProblem[] => {
    const value = metadata.annotations?.[name];
    if (value === undefined || allowed.includes(value)) return [];
    const message = `expected ${allowed.slice(0, -1).join(', ')} or ${allowed.at(-1)}`;
    return [{ path: ['metadata', 'annotations', name], message }];
  });
}

const ifNotPresent = 'IfNotPresent';

function isIgnored(metadata: Pick<Manifest['metadata'], 'annotations'> | undefined): boolean {
  const { [annotations.reconcileObject]: reconcile, [annotations.ssa]: ssa } =
    metadata?.annotations ?? {};
  return reconcile === 'disabled' || ssa === 'Ignore';
}
