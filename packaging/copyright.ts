import type { Look } from './recipe.ts';
import { publicUrl } from './debian/changelog.ts';
import { readTop, type Tree } from './tree.ts';

const maxLicenseBytes = 128 * 1024;

/** Where a text says what it is; further down, licenses speak of each other. */
const titleLength = 3000;

interface License {
  readonly name: string;
  /** Its text is on every system, and must not be repeated (Policy 12.5). */
  readonly common?: string;
  readonly test: RegExp;
}

/** By words of their texts; the first that fits counts. */
const licenses: readonly License[] = [
  { name: 'Apache-2.0', common: 'Apache-2.0', test: /Apache License,?\s{1,200}Version 2\.0/ },
  { name: 'AGPL-3', test: /GNU AFFERO GENERAL PUBLIC LICENSE/i },
  {
    name: 'LGPL-3',
    common: 'LGPL-3',
    test: /GNU LESSER GENERAL PUBLIC LICENSE\s{1,200}Version 3/i,
  },
  {
    name: 'LGPL-2.1',
    common: 'LGPL-2.1',
    test: /GNU LESSER GENERAL PUBLIC LICENSE\s{1,200}Version 2\.1/i,
  },
  { name: 'GPL-3', common: 'GPL-3', test: /GNU GENERAL PUBLIC LICENSE\s{1,200}Version 3/i },
  { name: 'GPL-2', common: 'GPL-2', test: /GNU GENERAL PUBLIC LICENSE\s{1,200}Version 2/i },
  { name: 'MPL-2.0', common: 'MPL-2.0', test: /Mozilla Public License,? (Version|v\.?) ?2\.0/i },
  { name: 'CC0-1.0', common: 'CC0-1.0', test: /CC0 1\.0 Universal/ },
  { name: 'Expat', test: /Permission is hereby granted, free of charge, to any person/ },
  { name: 'ISC', test: /Permission to use, copy, modify, and\/or distribute this software/ },
  { name: 'BSD-3-clause', test: /Redistribution and use in source[^]{0,2000}Neither the name/ },
  { name: 'BSD-2-clause', test: /Redistribution and use in source and binary forms/ },
  { name: 'Unlicense', test: /This is free and unencumbered software/ },
  { name: 'Artistic-2.0', test: /The Artistic License 2\.0/ },
];

/** `debian/copyright` (DEP 5), from the license file of the project, or of the repository that it is part of. */
export async function formatCopyright(
  { tree, request }: Look,
  sourceName: string,
): Promise<string> {
  const whole = licenseFile(tree) === undefined ? await readTop(request.folder) : tree;
  const file = licenseFile(whole);
  const text = file === undefined ? '' : ((await whole.head(file, maxLicenseBytes)) ?? '');
  const license = licenses.find(({ test }) => test.test(text.slice(0, titleLength)));
  const name = license?.name ?? (file === undefined ? 'not-stated' : 'custom');
  return [
    'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/',
    `Upstream-Name: ${sourceName}`,
    `Source: ${publicUrl(request.source.url)}`,
    '',
    'Files: *',
    ...continued('Copyright: ', holders(text, sourceName, request.source.date)),
    `License: ${name}`,
    '',
    `License: ${name}`,
    ...licenseText(text, license, file),
    '',
  ].join('\n');
}

/** The license file of a project, whatever its ending. */
export function licenseFile(tree: Tree): string | undefined {
  const found = tree.files.filter((file) =>
    /^(LICEN[CS]E|COPYING)([.-][\w.-]{1,30})?$/i.test(file),
  );
  return found.find((file) => !file.includes('-')) ?? found[0];
}

/** Who holds the rights, as the license file says; those of the texts of licenses don't count. */
function holders(text: string, sourceName: string, date: number): string[] {
  const lines = [...text.matchAll(/^[ \t]{0,20}(?:Copyright|©)([^\n]{1,200})$/gim)]
    .map(([, rest = '']) => plainLine(rest.replace(/^[ \t:]*(\([cC]\)|©)?[ \t]*/, '')))
    .filter(
      (line) => /[0-9]{4}/.test(line) && !/Free Software Foundation|\[yyyy\]|<year>/i.test(line),
    );
  const year = new Date(date * 1000).getUTCFullYear();
  const all = lines.length > 0 ? lines : [`${year} the authors of ${sourceName}`];
  return [...new Set(all)].slice(0, 20);
}

function continued(head: string, lines: readonly string[]): string[] {
  const indent = ' '.repeat(head.length);
  return lines.map((line, index) => (index === 0 ? head : indent) + line);
}

function licenseText(
  text: string,
  license: License | undefined,
  file: string | undefined,
): string[] {
  if (license?.common !== undefined) {
    const path = `/usr/share/common-licenses/${license.common}`;
    return [` On Debian systems, the text of this license is in ${path}.`];
  }
  if (file === undefined) return [' The source says nothing of its license.'];
  return text
    .replace(/\r/g, '')
    .trim()
    .split('\n')
    .map((line) => ` ${plainLine(line) || '.'}`);
}

/** Printable, and on one line. */
export function plainLine(text: string): string {
  return text
    .replace(/[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069\ufeff\ufffd]+/g, ' ')
    .toWellFormed()
    .trimEnd();
}
