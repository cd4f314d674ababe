/**
 * Projects become packages that install and work, and that lintian finds no error in: those of the kinds that are not
 * built by a whole Cairn in `e2e/packages.test.ts`.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { before, describe, it } from 'node:test';
import { suiteScope } from '../world/temp.ts';
import { buildRoot, type BuildRoot, type Built } from './build-root.ts';
import * as samples from './samples.ts';

/** The .dsc, what it names, and the packages, each with its digest. */
function digestsOf({ folder }: Built): string[] {
  const names = readdirSync(folder).filter((name) => /\.(dsc|tar\.xz|deb)$/.test(name));
  return names.sort().map((name) => {
    const content = readFileSync(path.join(folder, name));
    return `${createHash('sha256').update(content).digest('hex')} ${name}`;
  });
}

describe('a package', () => {
  const scope = suiteScope();
  let root: BuildRoot;
  before(async () => {
    root = await buildRoot(scope);
  });

  /** Installs what was built, runs a command, and takes the packages away again. */
  async function tried({ debs, plan }: Built, command: string): Promise<string> {
    const names = plan.binaryPackages.map(({ name }) => name).join(' ');
    const installed = await root.shell(`dpkg --install ${debs.join(' ')}`);
    const { output } = await root.shell(command);
    const removed = await root.shell(`dpkg --purge ${names}`);
    assert.equal(installed.code, 0, installed.output);
    assert.equal(removed.code, 0, removed.output);
    return output;
  }

  async function noErrors({ folder }: Built): Promise<void> {
    const inside = folder.slice(root.folder.length);
    const { code, output } = await root.shell(
      `cd ${inside} && lintian --allow-root --fail-on error --tag-display-limit 0 *.changes`,
    );
    assert.equal(code, 0, output);
  }

  it('of a debian/ folder has its two halves, a patch and the new version', async () => {
    const built = await root.build(samples.debian, {
      version: { counter: 12, last: '2:1.5+11-3' },
    });

    assert.equal(built.plan.version, '2:1.5+12-3');
    assert.match(
      await tried(built, 'greet-deb Ada; cat /usr/share/greet-deb/data.txt'),
      /^Hello Ada\ndata/,
    );
    assert.ok(readdirSync(built.folder).includes('greet-deb_1.5+12.orig.tar.xz'));
    const changes = readFileSync(
      path.join(built.folder, 'greet-deb_1.5+12-3_source.changes'),
      'utf8',
    );
    assert.match(changes, /Commit 5f2a9c1e0b7d4836a1c2e3f4051627384950abcd/);
    await noErrors(built);
  });

  it('of a Rust crate is made of what it vendors', async () => {
    const built = await root.build(samples.rust);
    assert.equal(await tried(built, 'greet-rs Ada'), 'Hello Ada\n');
    await noErrors(built);
  });

  it('of a Meson project has what it installs', async () => {
    const built = await root.build(samples.meson);
    assert.equal(await tried(built, 'greet-meson Ada'), 'Hello Ada 1\n');
    await noErrors(built);
  });

  it('of a Makefile has what it installs', async () => {
    const built = await root.build(samples.make);
    assert.equal(await tried(built, 'greet-make Ada'), 'Hello Ada 1\n');
    await noErrors(built);
  });

  it('is the same again, bit for bit, whenever and wherever it is made', async () => {
    const first = digestsOf(await root.build(samples.make));
    const second = digestsOf(await root.build(samples.make));
    assert.ok(first.length >= 3, first.join());
    assert.deepEqual(second, first);
  });

  it('of anything else has its files and scripts', async () => {
    const built = await root.build(samples.generic);
    assert.equal(await tried(built, 'greet-any Ada'), 'Hello Ada\n');
    await noErrors(built);
  });
});
