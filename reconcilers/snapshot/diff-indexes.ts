import type { FrozenMember } from '../../crds/snapshot.ts';
import type { Tree } from '../../depot/depot.ts';

/** The forms of an index, fastest to decode first. */
export const decodings = ['', '.zst', '.gz', '.xz', '.bz2'] as const;
export type Decoding = (typeof decodings)[number];

/** One Packages index of a frozen member, in all the forms that its tree holds. */
export interface PackagesIndex {
  readonly suite: string;
  /** Empty in a flat repository, as is the architecture. */
  readonly component: string;
  readonly architecture: string;
  /** Form → sha256. */
  readonly forms: ReadonlyMap<Decoding, string>;
}

type Suite = FrozenMember['suites'][number];

/** All Packages indexes of a member, keyed so that the same index of another tree has the same key. */
export async function packagesIndexes(
  tree: Tree,
  suites: readonly Suite[],
): Promise<Map<string, PackagesIndex>> {
  const found = new Map<string, PackagesIndex & { forms: Map<Decoding, string> }>();
  for (const suite of suites) {
    for await (const { component, architecture, decoding, sha256 } of packagesFiles(
      tree,
      suite,
      suites,
    )) {
      const key = JSON.stringify([suite.suite, component, architecture]);
      const index = found.get(key) ?? {
        suite: suite.suite,
        component,
        architecture,
        forms: new Map<Decoding, string>(),
      };
      index.forms.set(decoding, sha256);
      found.set(key, index);
    }
  }
  return found;
}

/** Whether two forms of one index are known to say the same without being read. */
export function sameIndex(before: PackagesIndex, after: PackagesIndex): boolean {
  const shared = [...before.forms].filter(([form]) => after.forms.has(form));
  return shared.length > 0 && shared.every(([form, sha256]) => after.forms.get(form) === sha256);
}

interface PackagesFile {
  readonly component: string;
  readonly architecture: string;
  readonly decoding: Decoding;
  readonly sha256: string;
}

async function* packagesFiles(
  tree: Tree,
  suite: Suite,
  all: readonly Suite[],
): AsyncGenerator<PackagesFile> {
  const directory = directoryOf(suite);
  yield* flatFiles(tree, directory);
  if (directory === '') return; // a flat repository at the root: its pool lies beside the index
  const nested = all.map(directoryOf).filter((other) => other.startsWith(`${directory}/`));
  for await (const { path, sha256 } of tree.entries(directory)) {
    if (nested.some((other) => path.startsWith(`${other}/`))) continue;
    const file = parsePath(path.slice(directory.length + 1));
    if (file) yield { ...file, sha256 };
  }
}

async function* flatFiles(tree: Tree, directory: string): AsyncGenerator<PackagesFile> {
  for (const decoding of decodings) {
    const name = `Packages${decoding}`;
    const entry = await tree.get(directory === '' ? name : `${directory}/${name}`);
    if (entry) yield { component: '', architecture: '', decoding, sha256: entry.sha256 };
  }
}

/** `main/binary-amd64/Packages.xz`; the installer's are a component of their own, as in the path. */
function parsePath(path: string): Omit<PackagesFile, 'sha256'> | undefined {
  const match = /^(?:(.+)\/)?binary-([^/]+)\/Packages(\.[a-z0-9]+)?$/.exec(path);
  const decoding = decodings.find((form) => form === (match?.[3] ?? ''));
  if (!match || decoding === undefined) return undefined;
  return { component: match[1] ?? '', architecture: match[2] ?? '', decoding };
}

function directoryOf(suite: Suite): string {
  return suite.path
    .replace(/^(\.\/|\/)+/, '')
    .replace(/\/+$/, '')
    .replace(/^\.$/, '');
}
