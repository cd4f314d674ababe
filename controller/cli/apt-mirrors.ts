import type { AptSource, SignedBy } from '../../apt/sources-list.ts';
import type { AptMachine } from './apt-machine.ts';

/** One Mirror to declare: suites of one archive that are set up alike. */
export interface AptMirror {
  readonly url: string;
  readonly suites: readonly string[];
  /** Empty for flat repositories. */
  readonly components: readonly string[];
  readonly architectures: readonly string[];
  readonly sources: boolean;
  readonly trusted: boolean;
  readonly signedBy: SignedBy | undefined;
  /** An entry that it comes from, to blame. */
  readonly origin: AptSource;
}

/** Groups the entries of a machine into mirrors. What can't be mirrored is warned of and left out. */
export function groupSources(
  { sources, architectures }: AptMachine,
  warn: (message: string) => void,
): readonly AptMirror[] {
  const suites = new Map<string, AptMirror>();
  for (const source of sources) {
    const place = `${source.file}:${source.line}`;
    for (const uri of source.uris) {
      const { url, problem } = readUri(uri.replaceAll('$(ARCH)', architectures[0] ?? ''));
      if (url === undefined) {
        warn(`${place}: ${problem}; left out`);
        continue;
      }
      for (const mirror of suitesOf(source, url, architectures)) addSuite(suites, mirror);
    }
  }
  return mergeSuites([...suites.values()]);
}

/** The archive of a URI without a slash at the end, or why it can't be mirrored; never a password. */
function readUri(uri: string): { url?: string; problem?: string } {
  const [, scheme = ''] = /^([a-z0-9+.-]+):/i.exec(uri) ?? [];
  if (!/^https?$/i.test(scheme))
    return { problem: `${scheme || 'that'}: is no archive on the web` };
  const url = URL.parse(uri);
  if (!url) return { problem: 'its URI is no URL' };
  if (url.username || url.password) {
    return {
      problem:
        'its URI holds a password: write the Mirror by hand, and give it a secretRef for that',
    };
  }
  if (url.search || url.hash) return { problem: 'its URI has a query' };
  return { url: url.href.replace(/\/+$/, '') };
}

function suitesOf(
  source: AptSource,
  url: string,
  ofMachine: readonly string[],
): readonly AptMirror[] {
  const { components, architectures = ofMachine, types, trusted, signedBy } = source;
  return source.suites.map((suite) => ({
    url,
    suites: [suite.replaceAll('$(ARCH)', ofMachine[0] ?? '')],
    components,
    architectures,
    sources: types.includes('deb-src'),
    trusted,
    signedBy,
    origin: source,
  }));
}

/** One suite may be spread over entries: a line per component, or deb-src apart. */
function addSuite(suites: Map<string, AptMirror>, mirror: AptMirror): void {
  const { url, trusted, signedBy } = mirror;
  const key = JSON.stringify([url, mirror.suites, trusted, signedBy]);
  const known = suites.get(key);
  suites.set(key, known ? { ...known, ...union(known, mirror) } : mirror);
}

function union(a: AptMirror, b: AptMirror) {
  return {
    components: [...new Set([...a.components, ...b.components])],
    architectures: [...new Set([...a.architectures, ...b.architectures])],
    sources: a.sources || b.sources,
  };
}

/** Sources are mirrored for all suites of an archive as soon as one of them has a deb-src entry. */
function mergeSuites(mirrors: readonly AptMirror[]): readonly AptMirror[] {
  const groups = Map.groupBy(mirrors, (mirror) => {
    const { url, components, architectures, trusted, signedBy } = mirror;
    const sorted = [[...components].sort(), [...architectures].sort()];
    return JSON.stringify([url, ...sorted, trusted, signedBy]);
  });
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    const suites = [...new Set(group.flatMap((mirror) => mirror.suites))];
    const sources = group.some((mirror) => mirror.sources);
    return first ? [{ ...first, suites, sources }] : [];
  });
}
