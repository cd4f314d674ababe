import { compareVersions } from '../../apt/version.ts';
import type { Entry } from '../../apt/write/stanzas.ts';
import type { HiddenPackage } from '../../crds/repository.ts';
import { highest, ownerOf } from './owners.ts';

/** In a status. */
const mostHidden = 50;

type Suspect = Pick<HiddenPackage, 'suite' | 'package' | 'source'>;

/**
 * Packages of Sources that apt does not take, since there is a higher version of somebody else. Only what comes is looked
 * at, and what was hidden before, so that it costs nothing in a large repository.
 */
export class HiddenPackages {
  readonly #suspects = new Map<string, Suspect>();

  constructor(before: readonly HiddenPackage[] = []) {
    for (const one of before) this.#suspect(one);
  }

  /** `alike`: what there is of the same name where it comes in. */
  note(entry: Entry, alike: readonly Entry[], suite: string): void {
    if (entry.architecture === 'source') return;
    const source = ownerOf(entry) ?? ownerOf(highestOwned(alike) ?? entry);
    if (source === undefined) return;
    const all = [...alike, entry];
    if (hider(all, source)) this.#suspect({ suite, package: entry.package, source });
  }

  /** What is hidden by now, given all that a suite has of a binary package. */
  now(versions: (suite: string, name: string) => readonly Entry[]): HiddenPackage[] {
    const found: HiddenPackage[] = [];
    for (const { suite, package: name, source } of this.#suspects.values()) {
      const hiding = hider(versions(suite, name), source);
      if (!hiding) continue;
      const { own, top } = hiding;
      found.push({ suite, package: name, source, version: own.version, by: top.version });
    }
    return found.slice(-mostHidden);
  }

  #suspect({ suite, package: name, source }: Suspect): void {
    this.#suspects.set(JSON.stringify([suite, name, source]), { suite, package: name, source });
  }
}

/** The highest version of a Source, and the higher one of somebody else. */
function hider(
  entries: readonly Entry[],
  source: string,
): { readonly own: Entry; readonly top: Entry } | undefined {
  const own = highest(entries.filter((entry) => ownerOf(entry) === source));
  const top = highest(entries);
  return own && top && compareVersions(top.version, own.version) > 0 ? { own, top } : undefined;
}

function highestOwned(entries: readonly Entry[]): Entry | undefined {
  return highest(entries.filter((entry) => ownerOf(entry) !== undefined));
}
