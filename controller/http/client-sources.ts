import { CairnError } from '../../crds/reasons.ts';
import type { MirroredSuite } from '../../crds/mirror.ts';
import { formatDeb822Source, type ClientSource } from '../../apt/sources-list.ts';
import type { Mount } from './mount-table.ts';
import { urlPath } from './request-path.ts';
import { isFlat } from './suites.ts';

export interface ClientMount {
  readonly mount: Mount;
  /** Where clients find it. */
  readonly uri: string;
  /** Armored keys that sign it, in one block; none for an archive that nobody signs. */
  readonly key: string | undefined;
}

export interface ClientSourcesOptions {
  readonly mounts: readonly ClientMount[];
  /** Frozen upstream Release files pass their Valid-Until one day. */
  readonly frozen: boolean;
  /** Lines above it all. */
  readonly title: string;
}

/** A `.sources` file (sources.list(5)), with the keys inside. */
export function clientSources({ mounts, frozen, title }: ClientSourcesOptions): string {
  const stanzas = mounts.flatMap((mount) => stanzasOf(mount, frozen));
  const head = title.split('\n').map((line) => `# ${line}`);
  return [`${head.join('\n')}\n`, ...stanzas].join('\n');
}

/** The URI of a mount below a prefix: `http://host/snapshots/a/ftp.debian.org/debian`. */
export function mountUri(base: string, prefix: readonly string[], path: string): string {
  const segments = path.split('/').filter((segment) => segment !== '');
  // `:` may stand in a path as it is, and people read `host:port`
  return `${base}${urlPath([...prefix, ...segments]).replaceAll('%3A', ':')}`;
}

/** Suites that differ in nothing else share a stanza. */
function stanzasOf({ mount, uri, key }: ClientMount, frozen: boolean): readonly string[] {
  const groups = Map.groupBy(mount.suites, likeness);
  return [...groups.values()].map((suites) => {
    const [first] = suites;
    if (!first) throw new CairnError('InternalError', 'a group without a suite');
    const flat = isFlat(first);
    const source: ClientSource = {
      types: first.sources ? ['deb', 'deb-src'] : ['deb'],
      uris: [uri],
      suites: suites.map(({ suite }) => (suite === '/' ? './' : suite)),
      components: flat ? [] : first.components,
      architectures: first.architectures.filter((name) => name !== 'all' && name !== 'source'),
      ...(key === undefined
        ? {
            trusted: true,
            comment: 'Nobody signs this archive: whoever is on the way can change it.',
          }
        : { signedByKey: key }),
      ...(frozen && { checkValidUntil: false }),
    };
    return formatDeb822Source(source);
  });
}

function likeness(suite: MirroredSuite): string {
  const { components, architectures, sources } = suite;
  return JSON.stringify([isFlat(suite), components, architectures, sources]);
}
