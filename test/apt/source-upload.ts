import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run, temporaryFolder } from './tools.ts';

/**
 * What dpkg's own tools make of a source package with one binary package: a folder with a .dsc and
 * its parts, a .deb, x.changes and x.buildinfo.
 */
export function makeUpload(): string {
  const folder = temporaryFolder();
  const tree = join(folder, 'hello-src-1.0+x~1');
  const files = {
    'debian/changelog':
      'hello-src (1:1.0+x~1-2) unstable; urgency=low\n\n  * Born ☃.\n\n' +
      ' -- X <x@example.com>  Thu, 01 Jan 2026 00:00:00 +0000\n',
    'debian/control':
      'Source: hello-src\nSection: misc\nPriority: optional\nMaintainer: X <x@example.com>\n' +
      'Build-Depends: debhelper-compat (= 13),\n b\nStandards-Version: 4.7.0\n\n' +
      'Package: hello-x\nArchitecture: all\nDescription: short\n long\n\n' +
      'Package: hello-y\nSection: libs\nArchitecture: any\nDescription: short\n long\n',
    'debian/rules': '#!/usr/bin/make -f\n',
    'debian/source/format': '3.0 (quilt)\n',
    'debian/files': '',
    'a file': 'x',
  };
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(tree, path, '..'), { recursive: true });
    writeFileSync(join(tree, path), content);
  }
  const orig = ['-czf', 'hello-src_1.0+x~1.orig.tar.gz', '--exclude=debian'];
  run('tar', [...orig, 'hello-src-1.0+x~1'], { cwd: folder });
  run('dpkg-source', ['-b', 'hello-src-1.0+x~1'], { cwd: folder });
  mkdirSync(join(tree, 'debian/tmp/DEBIAN'), { recursive: true });
  run('dpkg-gencontrol', ['-phello-x', '-Pdebian/tmp'], { cwd: tree });
  run('dpkg-deb', ['-b', 'debian/tmp', '..'], { cwd: tree });
  const out = (name: string) => `-O../${name}`;
  run('dpkg-genbuildinfo', [out('x.buildinfo')], { cwd: tree });
  run('dpkg-genchanges', [out('x.changes')], { cwd: tree });
  return folder;
}
