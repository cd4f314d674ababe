/** A small package with a debian/ of its own, as its git repository has it. */

export interface HelloOptions {
  /** Of the source package, and of the binary one. */
  readonly name?: string;
  readonly binary?: string;
  /** What its program says. */
  readonly says?: string;
  /** Targets of debian/rules, with what they do: lines of the shell. */
  readonly rules?: Readonly<Record<string, readonly string[]>>;
}

/** Files by their paths. */
export function helloTools({
  name = 'hello-tools',
  binary = name,
  says = 'hello',
  rules = {},
}: HelloOptions = {}): Readonly<Record<string, string>> {
  const control = [
    `Source: ${name}`,
    'Section: utils',
    'Priority: optional',
    'Maintainer: A <a@example.com>',
    'Build-Depends: debhelper-compat (= 13)',
    'Standards-Version: 4.7.0',
    '',
    `Package: ${binary}`,
    'Architecture: all',
    'Depends: ${misc:Depends}',
    'Description: says hello',
    ' To everybody.',
    '',
  ];
  const changelog = [
    `${name} (1.0) unstable; urgency=medium`,
    '',
    '  * First.',
    '',
    ' -- A <a@example.com>  Mon, 02 Jan 2023 10:00:00 +0000',
    '',
  ];
  const targets = Object.entries(rules).flatMap(([target, lines]) => [
    `${target}:`,
    ...lines.map((line) => `\t${line}`),
  ]);
  return {
    hello: `#!/bin/sh\necho ${says}\n`,
    'debian/control': control.join('\n'),
    'debian/changelog': changelog.join('\n'),
    'debian/rules': ['#!/usr/bin/make -f', '%:', '\tdh $@', ...targets, ''].join('\n'),
    'debian/install': 'hello usr/bin\n',
    'debian/source/format': '3.0 (native)\n',
  };
}
