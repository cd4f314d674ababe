import { formatStanza, type Field } from '../apt/deb822.ts';
import { describe } from './description.ts';
import { isRelation } from './debian/relations.ts';
import { manualPages, readmesOf, serviceUnit } from './documents.ts';
import { formatCopyright } from './copyright.ts';
import { publicUrl } from './debian/changelog.ts';
import type { Look, Names, Recipe } from './recipe.ts';
import type { PlannedFile } from './request.ts';
import { formatRules } from './rules.ts';

/** Debian Policy that the generated packaging was written for. */
const standardsVersion = '4.7.2';

export interface Generated {
  readonly files: readonly PlannedFile[];
  readonly buildDependencies: readonly string[];
  readonly notes: readonly string[];
}

/** Everything in `debian/` but the changelog, for a project that has none. */
export async function generate(look: Look, recipe: Recipe, names: Names): Promise<Generated> {
  const buildDependencies = distinct([
    'debhelper-compat (= 13)',
    ...recipe.buildDepends,
    ...look.config.buildDependencies,
  ]);
  const unit = recipe.installsItself ? undefined : await serviceUnit(look.tree);
  const pages = recipe.installsItself ? [] : await manualPages(look.tree);
  const lists = {
    docs: readmesOf(look.tree).filter((file) => !/\s/.test(file)),
    manpages: pages,
    ...recipe.files?.(names),
  };
  const listed = Object.entries(lists).filter(([, lines]) => lines.length > 0);
  const files = [
    file('control', await formatControl(look, recipe, names, buildDependencies)),
    file('rules', formatRules(look, recipe, names, unit !== undefined), 0o755),
    file('copyright', await formatCopyright(look, names.source)),
    file('source/format', '3.0 (native)\n'),
    ...listed.map(([name, lines]) => file(listName(name, names), `${lines.join('\n')}\n`)),
    ...(unit ? [file(`${names.binary}.service`, unit.text)] : []),
  ];
  const notes = unit ? [`${unit.file} is installed, and neither enabled nor started`] : [];
  return { files, buildDependencies, notes };
}

function listName(name: string, { binary }: Names): string {
  return name === 'py3dist-overrides' ? name : `${binary}.${name}`;
}

function file(name: string, content: string, mode: 0o644 | 0o755 = 0o644): PlannedFile {
  return { path: `debian/${name}`, mode, content };
}

async function formatControl(
  look: Look,
  recipe: Recipe,
  names: Names,
  buildDependencies: readonly string[],
): Promise<string> {
  const section = look.config.section ?? recipe.section ?? 'misc';
  const home = homepage(recipe.homepage) ?? homepage(publicUrl(look.request.source.url));
  const provides = recipe.provides?.(names.source);
  const depends = distinct(['${misc:Depends}', ...recipe.depends, ...look.config.depends]);
  const source: Field[] = [
    { name: 'Source', value: names.source },
    { name: 'Section', value: section },
    { name: 'Priority', value: 'optional' },
    { name: 'Maintainer', value: look.request.maintainer },
    { name: 'Build-Depends', value: buildDependencies.join(',\n') },
    { name: 'Standards-Version', value: standardsVersion },
    { name: 'Rules-Requires-Root', value: 'no' },
    ...(home === undefined ? [] : [{ name: 'Homepage', value: home }]),
    ...Object.entries(recipe.sourceFields ?? {}).map(([name, value]) => ({ name, value })),
  ];
  const binary: Field[] = [
    { name: 'Package', value: names.binary },
    { name: 'Architecture', value: recipe.architecture },
    { name: 'Depends', value: depends.join(',\n') },
    ...(provides === undefined || provides === names.binary
      ? []
      : [{ name: 'Provides', value: `${provides} (= \${binary:Version})` }]),
    { name: 'Description', value: await describe(look, recipe, names.binary) },
  ];
  return `${formatStanza(source)}\n${formatStanza(binary)}`;
}

/** A link for people that fits on a line; nothing else counts. */
function homepage(text: string | undefined): string | undefined {
  const plain = text?.trim() ?? '';
  return /^https?:\/\/[\w.-]+(:\d+)?(\/[\w.~%/+@:,=-]*)?$/.test(plain) && plain.length <= 300
    ? plain
    : undefined;
}

/** Every relation once; of several for one package, the first. */
function distinct(relations: readonly string[]): string[] {
  const byName = new Map<string, string>();
  for (const relation of relations) {
    if (!isRelation(relation)) continue;
    const key = relation.includes('|') ? relation : (relation.split(/[ (]/)[0] ?? relation);
    if (!byName.has(key)) byName.set(key, relation);
  }
  return [...byName.values()];
}
