/** A small C program with a debian/ of its own: what is measured is what Cairn adds, not the compiler. */
export function packageFiles(says: string): Readonly<Record<string, string>> {
  return {
    'hello.c': `#include <stdio.h>\nint main(void) { return puts("${says}") == EOF; }\n`,
    Makefile: [
      'hello: hello.c',
      '\t$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $<',
      'clean:',
      '\trm -f hello',
      '',
    ].join('\n'),
    'debian/control': [
      'Source: bench-hello',
      'Section: utils',
      'Priority: optional',
      'Maintainer: A <a@example.com>',
      'Build-Depends: debhelper-compat (= 13)',
      'Standards-Version: 4.7.0',
      '',
      'Package: bench-hello',
      'Architecture: any',
      'Depends: ${misc:Depends}, ${shlibs:Depends}',
      'Description: says hello',
      ' To everybody.',
      '',
    ].join('\n'),
    'debian/changelog': [
      'bench-hello (1.0) unstable; urgency=medium',
      '',
      '  * First.',
      '',
      ' -- A <a@example.com>  Mon, 02 Jan 2023 10:00:00 +0000',
      '',
    ].join('\n'),
    'debian/rules': '#!/usr/bin/make -f\n%:\n\tdh $@\n',
    'debian/install': 'hello usr/bin\n',
    'debian/source/format': '3.0 (native)\n',
  };
}
