import type { Entry } from '../../apt/write/stanzas.ts';
import { CairnError } from '../../crds/reasons.ts';
import type { RepositorySpec } from '../../crds/repository.ts';
import type { Removal, Upload } from '../../crds/upload.ts';
import type { IndexPlace } from './places.ts';
import { suiteFor } from './read-upload.ts';

/** What an Upload takes out, and of which part of its repository. */
export type Leaving = Pick<Upload['spec'], 'suite' | 'component' | 'remove' | 'ignoreMissing'>;

/**
 * Tells the indexes that a removal is about: those of its suite and component, or all. Throws
 * `PackageInvalid` when there is no such.
 */
export function concerns(
  spec: RepositorySpec,
  { suite, component }: Pick<Leaving, 'suite' | 'component'>,
): (place: IndexPlace) => boolean {
  const wanted = suite === undefined ? undefined : suiteFor(spec, suite, undefined);
  const components =
    wanted?.components ?? spec.suites.flatMap((one) => one.components ?? spec.components);
  if (component !== undefined && !components.includes(component)) {
    const has = [...new Set(components)].join(', ');
    throw new CairnError('PackageInvalid', `there is no component ${component}; there is ${has}`);
  }
  return (place) =>
    (wanted === undefined || place.suite === wanted.name) &&
    (component === undefined || place.component === component);
}

/** Whether a paragraph is of the package that is to go, whatever its version. */
export function isOf({ package: name, architecture }: Removal, entry: Entry): boolean {
  if (entry.package !== name || entry.architecture === 'source') return false;
  return architecture === undefined || entry.architecture === architecture;
}

/** Whether a paragraph of what is to go is of the version that is. */
export function isVersion({ source, version }: Removal, entry: Entry): boolean {
  if (version === undefined) return true;
  return version === (source === undefined ? entry.version : sourceOf(entry).version);
}

/** `Source: name (version)`, each of which is left out where it is the package's own (policy 5.6.1). */
export function sourceOf({ package: name, version, text }: Entry): {
  name: string;
  version: string;
} {
  const [, source = name, of = version] =
    /^source: *([^\s(]+)(?: +\(([^\s)]+)\))? *$/im.exec(text) ?? [];
  return { name: source, version: of };
}

const mostVersions = 10;

/** Nothing is there of what is to go; `others` are of other versions. */
export function missing(
  removal: Removal,
  { suite }: Leaving,
  others: readonly Entry[],
): CairnError {
  const { package: name, source = '', version, architecture } = removal;
  const what = name === undefined ? `source package ${source}` : `package ${name}`;
  const words = [what, version, architecture && `for ${architecture}`].filter((word) => word);
  const where = suite === undefined ? '' : ` in suite ${suite}`;
  const versions = others.map((entry) => (name === undefined ? sourceOf(entry) : entry).version);
  const has = [...new Set(versions)].slice(0, mostVersions).join(', ');
  const hint = has === '' ? '' : `: its versions here are ${has}`;
  return new CairnError('PackageMissing', `there is no ${words.join(' ')}${where}${hint}`);
}
