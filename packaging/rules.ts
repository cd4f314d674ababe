import { CairnError } from '../crds/reasons.ts';
import type { Look, Names, Recipe } from './recipe.ts';

/** `debian/rules` for a recipe: dh with its arguments, and the targets that it overrides. */
export function formatRules(look: Look, recipe: Recipe, names: Names, hasUnit: boolean): string {
  const { exports = {}, targets = {} } = recipe.rules(names);
  const all: Record<string, readonly string[]> = {
    // One more file, shared by all debugging symbols, is what lintian takes for a stripped library.
    ...(recipe.architecture === 'any' ? { override_dh_dwz: ['dh_dwz --no-dwz-multifile'] } : {}),
    ...targets,
    ...(hasUnit
      ? { override_dh_installsystemd: ['dh_installsystemd --no-enable --no-start'] }
      : {}),
    ...(look.config.tests ? {} : { override_dh_auto_test: [] }),
  };
  const lines = [
    '#!/usr/bin/make -f',
    'export DEB_BUILD_MAINT_OPTIONS = hardening=+all',
    ...Object.entries({ ...exports, ...escaped(look.config.environment) }).map(
      ([name, value]) => `export ${name} = ${value}`,
    ),
    '',
    '%:',
    `\tdh $@ ${recipe.dhArguments ?? ''}`.trimEnd(),
    ...Object.entries(all).flatMap(([target, commands]) => [
      '',
      `${target}:`,
      ...commands.map((command) => `\t${command}`),
    ]),
  ];
  const odd = lines.find((line) => line.includes('\n'));
  if (odd !== undefined)
    throw new CairnError('InternalError', 'a line of debian/rules has two lines');
  return `${lines.join('\n')}\n`;
}

/** Values for make as they are: `$` is `$$`, and `#` starts no comment. */
function escaped(environment: Readonly<Record<string, string>>): Record<string, string> {
  const entries = Object.entries(environment).map(
    ([name, value]) =>
      [name, value.replace(/\$/g, '$$$$').replace(/#/g, '\\#').replace(/\n/g, ' ')] as const,
  );
  return Object.fromEntries(entries);
}
