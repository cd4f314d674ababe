import { compareVersions } from '../../apt/version.ts';
import { fieldOf, type Entry } from '../../apt/write/stanzas.ts';
import { CairnError } from '../../crds/reasons.ts';
import type { Upload } from '../../crds/upload.ts';

/** Which Source has published a package: in the paragraph itself, so that it comes and goes with it. */
const ownerField = 'Cairn-Source';

/** For whom an Upload is, and in whose place. */
export type Claim = Pick<Upload['spec'], 'sourceRef' | 'takesOver'>;

/** A Source may not publish a package that another one publishes. */
export class PackageHeld extends CairnError {
  /** The other one. */
  readonly source: string;

  constructor(message: string, source: string) {
    super('PackageConflict', message);
    this.source = source;
  }
}

/** A paragraph, with whose it is. */
export function ownedText(text: string, { sourceRef }: Claim): string {
  return sourceRef ? `${text}${ownerField}: ${sourceRef.name}\n` : text;
}

/** The Source that has published a package; undefined when nobody knows of one. */
export function ownerOf({ text }: Entry): string | undefined {
  return fieldOf(text, ownerField);
}

/**
 * Throws `PackageHeld` when a Source brings a package that is another one's: that of the highest version which any
 * has published into this suite. dak and Launchpad leave that to a person (overrides); here, people publish what they
 * like, and have to tell Sources apart by themselves. `alike`: what there is of that name.
 */
export function checkHolder(
  entry: Entry,
  alike: readonly Entry[],
  suite: string,
  { sourceRef, takesOver = [] }: Claim,
): void {
  if (!sourceRef) return;
  const holder = highest(
    alike.filter((one) => {
      const owner = ownerOf(one);
      return owner !== undefined && !takesOver.includes(owner);
    }),
  );
  const other = holder && ownerOf(holder);
  if (!holder || other === undefined || other === sourceRef.name) return;
  const what = entry.architecture === 'source' ? 'source package' : 'package';
  throw new PackageHeld(
    `${what} ${entry.package} is Source ${other}'s, which has published ${holder.version} into suite ${suite}: ` +
      'give it another name, have one of the two Sources publish into another suite or Repository, or delete that one',
    other,
  );
}

/** The first one with the highest version. */
export function highest(entries: readonly Entry[]): Entry | undefined {
  let best: Entry | undefined;
  for (const entry of entries) {
    if (!best || compareVersions(entry.version, best.version) > 0) best = entry;
  }
  return best;
}
