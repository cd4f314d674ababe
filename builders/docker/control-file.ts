/** The fields of a source package that say what has to be installed (Policy 7.7). */
const fields = [
  ...['build-depends', 'build-depends-arch', 'build-depends-indep'],
  ...['build-conflicts', 'build-conflicts-arch', 'build-conflicts-indep'],
];

const names: Readonly<Record<string, string>> = {
  'build-depends': 'Build-Depends',
  'build-depends-arch': 'Build-Depends-Arch',
  'build-depends-indep': 'Build-Depends-Indep',
  'build-conflicts': 'Build-Conflicts',
  'build-conflicts-arch': 'Build-Conflicts-Arch',
  'build-conflicts-indep': 'Build-Conflicts-Indep',
};

/** What a build depends on: the text of a debian/control, and relations beside it. */
export interface Dependencies {
  readonly control?: string | undefined;
  readonly relations?: readonly string[] | undefined;
}

/** It is no debian/control, or no relation. */
export class DependenciesInvalid extends Error {
  override readonly name = 'DependenciesInvalid';
}

const mostCharacters = 256 << 10;
const mostRelations = 2000;
const relationForm =
  /^[a-z0-9${}][\w+.:${}-]*( ?\([<>=]{1,2} ?[\w.+~:${}-]+\))?( ?\[[!\w -]+\])?( ?<[!\w. -]+>)*$/i;

/**
 * The paragraph that apt gets to see: these fields and nothing else of what a stranger wrote, in one form, so that the same
 * dependencies are the same text.
 */
export function dependencyParagraph({ control = '', relations = [] }: Dependencies): string {
  if (control.length > mostCharacters) throw new DependenciesInvalid('debian/control is too long');
  const declared = firstParagraph(control);
  const lists = fields.map((field) => {
    const value = declared.get(field) ?? '';
    const all = [...value.split(','), ...(field === 'build-depends' ? relations : [])];
    return [field, normalized(all)] as const;
  });
  const lines = lists
    .filter(([, list]) => list.length > 0)
    .map(([field, list]) => `${names[field] ?? field}: ${list.join(', ')}\n`);
  return `Source: cairn-build\n${lines.join('')}`;
}

function normalized(relations: readonly string[]): readonly string[] {
  const list = relations
    .map((text) => text.replace(/\s+/g, ' ').trim())
    .filter((text) => text !== '');
  if (list.length > mostRelations)
    throw new DependenciesInvalid(`more than ${mostRelations} dependencies`);
  for (const relation of list) {
    if (!relation.split('|').every((part) => relationForm.test(part.trim()))) {
      throw new DependenciesInvalid(`not a dependency: ${JSON.stringify(relation.slice(0, 200))}`);
    }
  }
  return [...new Set(list)].toSorted();
}

/** Fields by their names in lower case; folded lines are joined, comments left out (deb822(5)). */
function firstParagraph(text: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  let current = '';
  for (const line of text.replace(/^\s*\n/, '').split(/\r?\n/)) {
    if (line.startsWith('#')) continue;
    if (line.trim() === '') break;
    const [, name, value = ''] = /^([!-9;-~]+):(.*)$/.exec(line) ?? [];
    if (name !== undefined) {
      current = name.toLowerCase();
      if (found.has(current)) throw new DependenciesInvalid(`debian/control has ${name} twice`);
      found.set(current, value);
    } else if (/^[ \t]/.test(line) && current !== '') {
      found.set(current, `${found.get(current) ?? ''} ${line}`);
    } else {
      throw new DependenciesInvalid(
        `debian/control has a line without a field: ${JSON.stringify(line.slice(0, 100))}`,
      );
    }
  }
  return found;
}
