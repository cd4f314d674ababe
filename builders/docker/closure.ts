import { parseRelations, type Installable } from '../../apt/installable.ts';
import { compareVersions } from '../../apt/version.ts';

/** The newest version of each package, and what is provided by which. */
export class PackageSet<Package extends Installable> {
  readonly #newest = new Map<string, Package>();
  #providers: Map<string, Package[]> | undefined;

  get size(): number {
    return this.#newest.size;
  }

  add(one: Package): void {
    const known = this.#newest.get(one.package);
    if (known && compareVersions(known.version, one.version) >= 0) return;
    this.#newest.set(one.package, one);
    this.#providers = undefined;
  }

  get(name: string): Package | undefined {
    return this.#newest.get(name);
  }

  essential(): readonly Package[] {
    return [...this.#newest.values()].filter(({ isEssential }) => isEssential);
  }

  /** Those that provide a virtual package; the most important first, then by name. */
  providersOf(name: string): readonly Package[] {
    this.#providers ??= this.#findProviders();
    return this.#providers.get(name) ?? [];
  }

  #findProviders(): Map<string, Package[]> {
    const found = new Map<string, Package[]>();
    for (const one of this.#newest.values()) {
      for (const [name = ''] of parseRelations(one.provides)) {
        found.set(name, [...(found.get(name) ?? []), one]);
      }
    }
    for (const list of found.values()) list.sort(byImportance);
    return found;
  }
}

/** Policy 2.5, the most important first. */
const priorities = ['required', 'important', 'standard', 'optional'];

function byImportance(a: Installable, b: Installable): number {
  const rank = ({ priority }: Installable) => (priorities.indexOf(priority) + 5) % 5;
  return rank(a) - rank(b) || (a.package < b.package ? -1 : 1);
}

/** The archives lack something. */
export class PackageMissing extends Error {
  override readonly name = 'PackageMissing';
}

/** A toolbox has about a hundred. */
const mostPackages = 1000;

/**
 * These packages, every essential one, and all that they depend on; sorted by name. Of alternatives it takes the first that there is,
 * whatever its version: enough for a consistent archive, which Debian's are. Throws `PackageMissing`.
 */
export function closureOf<Package extends Installable>(
  packages: PackageSet<Package>,
  names: readonly string[],
): readonly Package[] {
  const chosen = new Map<string, Package>();
  const waiting = [...names.map((name) => find(name)), ...packages.essential()];
  for (let one = waiting.pop(); one; one = waiting.pop()) {
    if (chosen.has(one.package)) continue;
    if (chosen.size === mostPackages) {
      throw new PackageMissing(`${names.join(', ')} needs more than ${mostPackages} packages`);
    }
    chosen.set(one.package, one);
    const { depends, package: name } = one;
    for (const alternatives of parseRelations(depends)) waiting.push(choose(alternatives, name));
  }
  return [...chosen.values()].toSorted((a, b) => (a.package < b.package ? -1 : 1));

  function find(name: string): Package {
    const found = packages.get(name);
    if (found) return found;
    throw new PackageMissing(`the archives have no package ${name}`);
  }

  function choose(alternatives: readonly string[], by: string): Package {
    const providers = (name: string) => packages.providersOf(name);
    const found =
      alternatives.flatMap((name) => packages.get(name) ?? [])[0] ??
      alternatives.flatMap((name) => providers(name).filter((one) => chosen.has(one.package)))[0] ??
      alternatives.flatMap(providers)[0];
    if (found) return found;
    throw new PackageMissing(`the archives have no package ${alternatives.join(' | ')}, for ${by}`);
  }
}
