/** The smallest package that can be built from git: it needs neither debhelper nor a compiler. */

/** Its files. `during` is a shell command that its build runs, with what it depends on installed. */
export function tinyPackage(
  says: string,
  during = 'true',
  depends?: string,
): Readonly<Record<string, string>> {
  return {
    says: `${says}\n`,
    'debian/control': [
      'Source: tiny',
      'Maintainer: A <a@example.com>',
      ...(depends === undefined ? [] : [`Build-Depends: ${depends}`]),
      'Standards-Version: 4.7.0',
      'Rules-Requires-Root: no',
      '',
      'Package: tiny',
      'Architecture: all',
      'Description: is small',
      '',
    ].join('\n'),
    'debian/changelog': [
      'tiny (1.0) unstable; urgency=medium',
      '',
      '  * First.',
      '',
      ' -- A <a@example.com>  Mon, 02 Jan 2023 10:00:00 +0000',
      '',
    ].join('\n'),
    'debian/rules': [
      '#!/usr/bin/make -f',
      'clean build build-arch build-indep binary-arch:',
      'binary: binary-indep',
      'binary-indep:',
      `\t${during}`,
      '\tmkdir -p debian/tmp/DEBIAN debian/tmp/usr/share/tiny',
      '\tcp says debian/tmp/usr/share/tiny/',
      '\tdpkg-gencontrol',
      '\tdpkg-deb --root-owner-group --build debian/tmp ..',
      '',
    ].join('\n'),
    'debian/source/format': '3.0 (native)\n',
  };
}
