import type { Layout } from './archive-options.ts';
import { formatStanza } from './deb.ts';
import { hashOf } from './pool.ts';

/** A file below the directory of the Release files. */
export interface ReleaseEntry {
  readonly path: string;
  readonly content: Uint8Array;
  /** It exists. */
  readonly stored: boolean;
  /** Release names it. */
  readonly listed: boolean;
}

/** The text of a Release file, laid out as dak does. */
export function formatRelease(
  layout: Layout,
  entries: readonly ReleaseEntry[],
  { date, validUntil }: { date: Date; validUntil?: Date },
): string {
  const listed = entries.filter((entry) => entry.listed).toSorted(byPath);
  const fields: Record<string, string> = {
    Origin: layout.origin,
    Label: layout.label,
    Suite: layout.suiteField,
    Codename: layout.codename,
    Date: date.toUTCString().replace('GMT', 'UTC'),
    ...(validUntil && { 'Valid-Until': validUntil.toUTCString().replace('GMT', 'UTC') }),
    ...(layout.byHash && { 'Acquire-By-Hash': 'yes' }),
    ...(layout.allIndex && { 'No-Support-for-Architecture-all': 'Packages' }),
    ...(!layout.flat && dimensions(layout)),
    ...layout.releaseFields,
  };
  for (const hash of layout.hashes) {
    fields[hash] = listed
      .map(({ path, content }) => {
        const size = String(content.length).padStart(8);
        return `\n ${hashOf(hash, content)} ${size} ${path}`;
      })
      .join('');
  }
  return formatStanza(fields);
}

function dimensions({ allIndex, architectures, components, componentPrefix }: Layout) {
  const prefix = componentPrefix === '' ? '' : `${componentPrefix}/`;
  return {
    Architectures: [...(allIndex ? ['all'] : []), ...architectures].join(' '),
    Components: components.map((component) => `${prefix}${component}`).join(' '),
  };
}

function byPath(a: ReleaseEntry, b: ReleaseEntry): number {
  return a.path < b.path ? -1 : 1;
}
