/** What builds get of a commit. */
import assert from 'node:assert/strict';
import { symlinkSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { readTar } from '../../../builders/docker/tar.ts';
import type { Build } from '../../../crds/build.ts';
import type { Repository } from '../../../crds/repository.ts';
import { BuildFiles } from '../../../reconcilers/build/files.ts';
import { packagedTree } from '../../../reconcilers/build/prepare.ts';
import { treeTar } from '../../../reconcilers/build/tree-tar.ts';
import { GitRepository } from '../../controller/sources/git-repository.ts';
import { tempDir, type Scope } from '../../world/temp.ts';
import { commitAll, isInvalid, never } from '../git/git-world.ts';

async function packaged(
  t: Scope,
  git: GitRepository,
  commit: string,
  { path, published, known }: { path?: string; published?: string; known?: { last?: string } } = {},
) {
  const root = tempDir(t);
  const files = new BuildFiles(root, 'uid');
  const build = {
    metadata: { namespace: 'default', name: 'x', uid: 'uid' },
    spec: {
      ...{ sourceRef: { name: 'hello' }, url: `file://${git.bare}`, commit, ref: 'HEAD' },
      ...{ submodules: false, maintainer: 'A <a@example.com>', attempt: 1, counter: 1 },
      ...{ repositoryRef: { name: 'tools', suite: 'stable' }, path },
    },
  } as unknown as Build; // as much of it as is looked at
  return packagedTree(
    { build, files, signal: never },
    { spec: { suites: [] } } as unknown as Repository,
    { secrets: async () => undefined, highestVersion: async () => published },
    known,
  );
}

/** What a build would get of a commit: the names of its tar, and what the files among them hold. */
async function packed(...args: Parameters<typeof packaged>) {
  const { folder } = await packaged(...args);
  const entries = new Map<string, string>();
  for await (const { header, content } of readTar(treeTar(folder))) {
    const chunks: Buffer[] = [];
    for await (const chunk of content) chunks.push(chunk);
    entries.set(header.name, header.linkname ?? Buffer.concat(chunks).toString());
  }
  return entries;
}

describe('a commit', () => {
  it('with odd names is what it is in the build', async (t) => {
    const git = await GitRepository.create(t, { Makefile: 'all:\n' });
    const deep = Array.from({ length: 40 }, (_, index) => `d${index}`).join('/');
    const names = [
      '-rf',
      'a b',
      '..x',
      '...',
      "'",
      '"',
      '$(id)',
      '\u{1f600}',
      '\u00e9',
      'x'.repeat(255),
      deep,
    ];
    for (const name of names) {
      await mkdir(join(git.work, 'odd', name, '..'), { recursive: true });
      writeFileSync(join(git.work, 'odd', name), name);
    }
    const entries = await packed(t, git, await commitAll(git));

    for (const name of names) assert.equal(entries.get(`odd/${name}`), name);
    assert.ok(![...entries.keys()].some((name) => name.split('/').includes('.git')));
  });

  it('with links brings nothing of this machine into the build', async (t) => {
    const links: Readonly<Record<string, string>> = {
      etc: '/etc',
      '.cairn.yml': '/etc/passwd',
      up: '../../../../../../../../etc',
      loop: 'loop',
      README: '/proc/self/environ',
    };
    const git = await GitRepository.create(t, { Makefile: 'all:\n', 'sub/Makefile': 'all:\n' });
    for (const [name, target] of Object.entries(links)) symlinkSync(target, join(git.work, name));
    symlinkSync('/etc', join(git.work, 'sub/inner'));
    const commit = await commitAll(git);
    const entries = await packed(t, git, commit).catch((error: Error) => error);
    if (entries instanceof Error) isInvalid(/\.cairn\.yml/)(entries);
    else
      for (const [name, target] of Object.entries(links)) assert.equal(entries.get(name), target);
    for (const path of ['etc', 'up', 'loop', 'sub/inner', 'nowhere', 'Makefile']) {
      await assert.rejects(packed(t, git, commit, { path }), isInvalid(/folder|directory/), path);
    }
    const sub = await packed(t, git, commit, { path: 'sub' });
    assert.deepEqual([sub.get('inner'), sub.get('Makefile')], ['/etc', 'all:\n']);
    await git.git('rm', '-rfq', '.');
    symlinkSync('/etc', join(git.work, 'debian'));
    const told = await packed(t, git, await commitAll(git)).catch((error: Error) => error);
    if (told instanceof Error) isInvalid(/debian/)(told);
    else assert.ok(![...told.values()].some((text) => text.includes('root:')));
  });

  it('gets a version above what others have published, and the same one after a restart', async (t) => {
    const git = await GitRepository.create(t, { Makefile: 'all:\n' });
    const commit = (await git.git('rev-parse', 'HEAD')).trim();
    const alone = await packaged(t, git, commit);
    const { plan } = await packaged(t, git, commit, { published: '0+41' });

    assert.deepEqual([alone.plan.version, alone.plan.last], ['0+1', undefined]);
    assert.deepEqual([plan.version, plan.last], ['0+42', '0+41']);
    const again = await packaged(t, git, commit, { published: '0+50', known: plan });
    assert.deepEqual(again.plan, plan);
    const first = await packaged(t, git, commit, { published: '0+50', known: alone.plan });
    assert.deepEqual(first.plan, alone.plan);
  });
});
