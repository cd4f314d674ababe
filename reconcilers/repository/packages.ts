import type { Entry } from '../../apt/write/stanzas.ts';
import { CairnError } from '../../crds/reasons.ts';
import type { TreeEntry } from '../../depot/depot.ts';

/** A package that comes into a repository: its paragraph, and its files at their places in the pool. */
export interface NewPackage {
  readonly suite: string;
  readonly component: string;
  /** For an index; its architecture is `source` for a source package. */
  readonly entry: Entry;
  readonly files: readonly TreeEntry[];
}

/** Finds a file of a repository as it will be, by its path. */
export type Find = (path: string) => Promise<TreeEntry | undefined>;

/** As people name it. */
export function nameOf({ package: name, version, architecture }: Entry): string {
  return `${name} ${version} ${architecture}`;
}

/** The pool files that a paragraph names, by path. */
export function filesOf({ architecture, text }: Entry): readonly string[] {
  if (architecture !== 'source') return matches(text, /^Filename: (.+)$/gm);
  const [directory = ''] = matches(text, /^Directory: (.+)$/gm);
  const [list = ''] = matches(text, /^Checksums-Sha256:\n((?: .+\n)+)/gm);
  return matches(list, /^ \S+ \d+ (\S+)$/gm).map((name) => `${directory}/${name}`);
}

/** Somebody has published other bytes under the same name, version and architecture. */
export function conflict(what: string, path?: string): CairnError {
  const where = path === undefined ? '' : `, at ${path}`;
  return new CairnError(
    'PackageConflict',
    `${what} is there already${where}, with other bytes: a version that was published never ` +
      'changes; give the new one another version',
  );
}

function matches(text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].map(([, found = '']) => found);
}
