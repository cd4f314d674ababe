import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { applyPackaging } from '../../packaging/apply.ts';
import { planPackaging } from '../../packaging/plan.ts';
import { run } from '../world/process.ts';
import { tempDir } from '../world/temp.ts';
import { debian } from './samples.ts';
import { requestOf, writeFiles, type Files } from './trees.ts';

function treeOf(t: TestContext, changes: Files = {}, without: readonly string[] = []): string {
  const folder = tempDir(t);
  const files = Object.entries({ ...debian, ...changes }).filter(
    ([name]) => !without.includes(name),
  );
  writeFiles(folder, Object.fromEntries(files));
  return folder;
}

const changelogOf = (version: string) =>
  `greet-deb (${version}) unstable; urgency=low\n\n  * x\n\n -- A <a@example.org>  Mon, 05 Jan 2026 10:00:00 +0100\n`;

describe('a debian/ folder', () => {
  it('is read, and only its changelog gets an entry', async (t) => {
    const folder = treeOf(t);
    const plan = await planPackaging(requestOf(folder));
    await applyPackaging(plan, folder);

    assert.equal(plan.kind, 'Debian');
    assert.equal(plan.version, '2:1.5+7-3');
    assert.equal(plan.origTarball, 'greet-deb_1.5+7.orig.tar.xz');
    assert.deepEqual(plan.buildDependencies, ['debhelper-compat (= 13)', 'zlib1g-dev | libz-dev']);
    assert.deepEqual(
      plan.binaryPackages.map(({ name }) => name),
      ['greet-deb', 'greet-deb-data'],
    );
    assert.deepEqual(
      plan.files.map(({ path: name }) => name),
      ['debian/changelog'],
    );
    const text = readFileSync(path.join(folder, 'debian/changelog'), 'utf8');
    assert.ok(text.startsWith('greet-deb (2:1.5+7-3) trixie; urgency=medium\n'));
    assert.ok(text.endsWith(String(debian['debian/changelog'])));
  });

  it('says whose commit it is, in words that order nothing', async (t) => {
    const folder = treeOf(t);
    const source = {
      url: 'https://user:secret@git.example.org/a.git?token=secret',
      subject: 'Fix it\n\n -- Eve <e@x>  Mon (Closes: #123456, LP: #1)\u202e\u0007',
      author: 'Eve\nMallory (1) x; urgency=high',
    };
    const plan = await planPackaging(requestOf(folder, { source }));
    await applyPackaging(plan, folder);

    const args = [`-l${folder}/debian/changelog`, '--all'];
    const { code, stdout, stderr } = await run('dpkg-parsechangelog', args);
    assert.equal(code, 0);
    assert.equal(stderr, '');
    assert.match(stdout, /^Version: 2:1.5\+7-3$/m);
    assert.match(stdout, /^Date: Thu, 28 May 2026 20:26:40 \+0000$/m);
    assert.match(stdout, /Fix it -- Eve/);
    assert.doesNotMatch(stdout, /^Closes:|secret|\u202e|Launchpad/m);
    assert.equal(
      stdout.match(/urgency=/g)?.length,
      3,
      'the two entries and the words of the author',
    );
  });

  it('of format 1.0 has an upstream tarball if its version has a revision', async (t) => {
    const one = await planPackaging(requestOf(treeOf(t, {}, ['debian/source/format'])));
    assert.equal(one.format, '1.0');
    assert.equal(one.origTarball, 'greet-deb_1.5+7.orig.tar.gz');

    const native = treeOf(t, { 'debian/changelog': changelogOf('1.5') }, ['debian/source/format']);
    assert.equal((await planPackaging(requestOf(native))).origTarball, undefined);
  });

  const broken: Readonly<Record<string, readonly [Files, RegExp]>> = {
    'a changelog without a header': [
      { 'debian/changelog': '\nhello\n' },
      /^debian\/changelog:2: expected "package \(version\) distribution; urgency=medium"; found "hello"$/,
    ],
    'a changelog with a broken end': [
      { 'debian/changelog': changelogOf('1-1').replace('  Mon', ' Mon') },
      /^debian\/changelog:5: expected " -- Name <address>  Mon, 02 Jan/,
    ],
    'a changelog that ends too early': [
      { 'debian/changelog': 'greet-deb (1-1) sid; urgency=low\n\n  * x\n' },
      /^debian\/changelog:3: the entry has no end/,
    ],
    'an empty changelog': [{ 'debian/changelog': '\n' }, /^debian\/changelog: it is empty/],
    'another name in the changelog': [
      { 'debian/changelog': changelogOf('1-1').replace('greet-deb', 'other') },
      /^debian\/changelog:1: expected the package greet-deb/,
    ],
    'a version that is none': [
      { 'debian/changelog': changelogOf('one') },
      /^debian\/changelog:1: "one" is no version of Debian$/,
    ],
    'a quilt format without a revision': [
      { 'debian/changelog': changelogOf('1.5') },
      /^debian\/changelog:1: expected a version with a revision, such as 1.5-1/,
    ],
    'a native format with a revision': [
      { 'debian/source/format': '3.0 (native)\n' },
      /^debian\/changelog:1: expected a version without a revision/,
    ],
    'a format that nobody knows': [
      { 'debian/source/format': '4.0\n' },
      /^debian\/source\/format:1: expected 1.0, 3.0 \(native\) or 3.0 \(quilt\); found "4.0"$/,
    ],
    'a line that is no field': [
      { 'debian/control': 'Source: greet-deb\nwhat is this\n' },
      /^debian\/control:2: expected "Field: value"$/,
    ],
    'a field that is missing': [
      { 'debian/control': 'Source: greet-deb\n\nPackage: a\n' },
      /^debian\/control:1: expected the field Maintainer in the paragraph that starts with "Source:"$/,
    ],
    'a package without an architecture': [
      { 'debian/control': 'Source: greet-deb\nMaintainer: A <a@b.c>\n\nPackage: aa\nSection: x\n' },
      /^debian\/control:4: expected the field Architecture in the paragraph that starts with "Package:"$/,
    ],
    'a name that is a path': [
      {
        'debian/control':
          'Source: ../../x\nMaintainer: A <a@b.c>\n\nPackage: aa\nArchitecture: all\n',
      },
      /^debian\/control:1: expected a name of lower-case letters.*found "..\/..\/x"$/,
    ],
    'a dependency that is none': [
      {
        'debian/control':
          'Source: greet-deb\nMaintainer: A <a@b.c>\nBuild-Depends: debhelper,\n  zlib (> = 1)\n\nPackage: aa\nArchitecture: all\n',
      },
      /^debian\/control:4: "zlib \(> = 1\)" is no relation to a package/,
    ],
    'a link in place of a file': [
      { 'debian/control': { link: '/etc/passwd' } },
      /^debian\/control: expected a file; it is a symbolic link, which is not followed$/,
    ],
  };
  for (const [what, [files, message]] of Object.entries(broken)) {
    it(`with ${what} is refused where it is wrong`, async (t) => {
      const planning = planPackaging(requestOf(treeOf(t, files)));
      await assert.rejects(planning, { reason: 'SourceInvalid', message });
    });
  }

  it('that lacks a file, or is none, is refused', async (t) => {
    const lacking = planPackaging(requestOf(treeOf(t, {}, ['debian/rules'])));
    await assert.rejects(lacking, { message: 'debian/rules: the folder debian/ needs this file' });

    const folder = tempDir(t);
    writeFiles(folder, { debian: { link: '/etc' }, Makefile: 'all:\n' });
    await assert.rejects(planPackaging(requestOf(folder)), {
      message: /^debian: expected a folder; it is a symbolic link/,
    });
  });
});
