/** Commits of strangers, laid out by the real git. */
import assert from 'node:assert/strict';
import {
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { readTar } from '../../../builders/docker/tar.ts';
import type { Build } from '../../../crds/build.ts';
import type { Repository } from '../../../crds/repository.ts';
import { BuildFiles } from '../../../reconcilers/build/files.ts';
import { packagedTree } from '../../../reconcilers/build/prepare.ts';
import { treeTar } from '../../../reconcilers/build/tree-tar.ts';
import { checkOut } from '../../../reconcilers/git/checkout.ts';
import { GitRepository, serveGit } from '../../controller/sources/git-repository.ts';
import { mustRun } from '../../world/process.ts';
import { tempDir, type Scope } from '../../world/temp.ts';

const never = new AbortController().signal;

async function lay(
  t: Scope,
  git: Pick<GitRepository, 'bare'>,
  commit: string,
  { submodules = false, url = `file://${git.bare}` } = {},
) {
  const folder = join(tempDir(t), 'checkout');
  const request = { url, secret: undefined, commit, ref: 'refs/heads/main', submodules, folder };
  return checkOut(request, never);
}

/** What a build would get of a commit: the names of its tar, and what the files among them hold. */
async function packed(t: Scope, git: GitRepository, commit: string, path?: string) {
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
  const { folder } = await packagedTree(
    { build, files, signal: never },
    { spec: { suites: [] } } as unknown as Repository,
    { secrets: async () => undefined, highestVersion: async () => undefined },
  );
  const entries = new Map<string, string>();
  for await (const { header, content } of readTar(treeTar(folder))) {
    const chunks: Buffer[] = [];
    for await (const chunk of content) chunks.push(chunk);
    entries.set(header.name, header.linkname ?? Buffer.concat(chunks).toString());
  }
  return entries;
}

/** Commits what is in the working copy now. */
async function commitAll(git: GitRepository): Promise<string> {
  await git.git('add', '--all', '--force');
  await git.git('commit', '--quiet', '--allow-empty', '-m', 'hostile');
  await git.git('push', '--quiet', '--force', git.bare, 'HEAD:refs/heads/main');
  return (await git.git('rev-parse', 'HEAD')).trim();
}

async function commitTree(git: GitRepository, tree: string): Promise<string> {
  const commit = (await git.git('commit-tree', '-m', 'x', tree)).trim();
  await git.git('push', '--quiet', '--force', git.bare, `${commit}:refs/heads/main`);
  return commit;
}

async function mktree(git: GitRepository, lines: readonly string[]): Promise<string> {
  const input = join(git.folder, 'tree');
  writeFileSync(input, lines.map((line) => `${line}\0`).join(''), 'latin1');
  const made = await mustRun('sh', ['-c', 'git mktree -z < "$1"', 'sh', input], { cwd: git.work });
  return made.trim();
}

const isInvalid = (message: RegExp) => (error: Error) => {
  assert.match(error.message, message);
  assert.equal((error as Error & { reason?: string }).reason, 'SourceInvalid', error.message);
  return true;
};

describe('a commit', () => {
  it('is laid out as it is, and nothing of its repository is run', async (t) => {
    const git = await GitRepository.create(t, { 'a.txt': 'one\n' });
    const ran = join(git.folder, 'ran');
    const program = join(git.folder, 'program');
    writeFileSync(program, `#!/bin/sh\necho "$0" >> ${ran}\ncat\n`);
    await chmod(program, 0o755);
    for (const hook of ['post-checkout', 'pre-receive', 'reference-transaction', 'upload-pack']) {
      symlinkSync(program, join(git.work, '.git/hooks', `${hook}.x`));
    }
    await mkdir(join(git.work, '.githooks'));
    symlinkSync(program, join(git.work, '.githooks/post-checkout'));
    const attributes =
      '*.lfs filter=lfs diff=lfs merge=lfs\n*.evil filter=evil\nsecret export-ignore\n';
    writeFileSync(join(git.work, '.gitattributes'), attributes);
    const config = `[filter "evil"]\n\tsmudge = ${program}\n[core]\n\thooksPath = .githooks\n`;
    writeFileSync(join(git.work, '.gitconfig'), config);
    const pointer = 'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n';
    for (const name of ['x.lfs', 'x.evil', 'secret']) writeFileSync(join(git.work, name), pointer);
    const { root, subject, author } = await lay(t, git, await commitAll(git));

    assert.equal(readFileSync(join(root, 'x.lfs'), 'utf8'), pointer);
    assert.equal(readFileSync(join(root, 'x.evil'), 'utf8'), pointer);
    assert.ok(existsSync(join(root, 'secret')));
    assert.ok(!existsSync(ran));
    assert.deepEqual([subject, author], ['hostile', 'A']);
  });

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
      await assert.rejects(packed(t, git, commit, path), isInvalid(/folder|directory/), path);
    }
    const sub = await packed(t, git, commit, 'sub');
    assert.deepEqual([sub.get('inner'), sub.get('Makefile')], ['/etc', 'all:\n']);
    await git.git('rm', '-rfq', '.');
    symlinkSync('/etc', join(git.work, 'debian'));
    const told = await packed(t, git, await commitAll(git)).catch((error: Error) => error);
    if (told instanceof Error) isInvalid(/debian/)(told);
    else assert.ok(![...told.values()].some((text) => text.includes('root:')));
  });

  it('that no file system can hold, or nobody should, is refused', async (t) => {
    const git = await GitRepository.create(t, { 'a.txt': 'one' });
    const blob = (await git.git('rev-parse', 'HEAD:a.txt')).trim();
    const file = (name: string) => `100644 blob ${blob}\t${name}`;
    const folder = (tree: string, name: string) => `040000 tree ${tree}\t${name}`;

    const notUtf8 = await commitTree(git, await mktree(git, [file('caf\xe9.txt')]));
    await assert.rejects(lay(t, git, notUtf8), isInvalid(/UTF-8/));

    let bomb = await mktree(
      git,
      Array.from({ length: 10 }, (_, index) => file(`f${index}`)),
    );
    for (let level = 0; level < 9; level += 1) {
      bomb = await mktree(
        git,
        Array.from({ length: 10 }, (_, index) => folder(bomb, `d${index}`)),
      );
    }
    await assert.rejects(
      lay(t, git, await commitTree(git, bomb)),
      isInvalid(/no end|more than 500000 files/),
    );

    let deep = await mktree(git, [file('f')]);
    for (let level = 0; level < 200; level += 1) {
      deep = await mktree(git, [folder(deep, 'a-name-of-twenty-one')]);
    }
    await assert.rejects(lay(t, git, await commitTree(git, deep)), isInvalid(/too long/));

    const out = await mktree(git, [folder(await mktree(git, [file('f')]), '..')]);
    await assert.rejects(lay(t, git, await commitTree(git, out)), isInvalid(/\.\./));
    const own = await mktree(git, [folder(await mktree(git, [file('config')]), '.GIT')]);
    await lay(t, git, await commitTree(git, own)).then(
      ({ root }) => assert.ok(lstatSync(join(root, '.git')).isDirectory()),
      isInvalid(/\.GIT/),
    );
  });

  it('is the one that was asked for, of a server that has it', async (t) => {
    const git = await GitRepository.create(t, { 'a.txt': 'one' });
    const first = (await git.git('rev-parse', 'HEAD')).trim();
    await git.git('checkout', '--quiet', '--orphan', 'other');
    const second = await git.commit({ 'a.txt': 'two' });

    const { root } = await lay(t, git, second);
    assert.equal(readFileSync(join(root, 'a.txt'), 'utf8'), 'two');
    await mustRun('git', ['config', 'uploadpack.allowAnySHA1InWant', 'false'], { cwd: git.bare });
    await mustRun('git', ['-c', 'gc.reflogExpire=now', 'gc', '--quiet', '--prune=now'], {
      cwd: git.bare,
    });
    await assert.rejects(lay(t, git, first), (error: Error & { reason?: string }) => {
      assert.equal(error.reason, 'SourceUnreachable');
      assert.match(error.message, new RegExp(`is at ${second} by now`));
      return true;
    });
    const folder = join(tempDir(t), 'checkout');
    const request = {
      url: `file://${git.bare}`,
      secret: undefined,
      commit: second,
      ref: 'HEAD',
      submodules: false,
      folder,
    };
    await checkOut(request, never);
    assert.deepEqual(readdirSync(folder).toSorted(), ['config', 'tree']);
  });
});

describe('a submodule', () => {
  async function withSubmodule(t: Scope, url: string) {
    const git = await GitRepository.create(t, { 'a.txt': 'one' });
    const inner = await GitRepository.create(t, { 'inner.txt': 'inner' });
    const commit = (await inner.git('rev-parse', 'HEAD')).trim();
    writeFileSync(
      join(git.work, '.gitmodules'),
      `[submodule "lib"]\n\tpath = lib\n\turl = ${url.replace('INNER', inner.bare)}\n`,
    );
    await git.git('update-index', '--add', '--cacheinfo', `160000,${commit},lib`);
    await git.git('add', '.gitmodules');
    await git.git('commit', '--quiet', '-m', 'x');
    await git.git('push', '--quiet', '--force', git.bare, 'HEAD:refs/heads/main');
    return { git, inner, commit: (await git.git('rev-parse', 'HEAD')).trim() };
  }

  it('on this machine is refused, however it is named', async (t) => {
    for (const url of ['file://INNER', 'INNER', '../inner.git', 'ext::sh -c id']) {
      const { git, commit } = await withSubmodule(t, url);
      await assert.rejects(
        lay(t, git, commit, { submodules: true }),
        isInvalid(/a submodule/),
        url,
      );
      const { root } = await lay(t, git, commit);
      assert.deepEqual(readdirSync(join(root, 'lib')), []);
    }
  });

  it('of the same server is found by a relative name', async (t) => {
    const parts = await withSubmodule(t, '../inner.git');
    const shelf = tempDir(t);
    symlinkSync(parts.git.bare, join(shelf, 'outer.git'));
    symlinkSync(parts.inner.bare, join(shelf, 'inner.git'));
    const server = await serveGit(t, shelf);
    const url = `${server.url}/outer.git`;
    const { root } = await lay(t, parts.git, parts.commit, { submodules: true, url });

    assert.equal(readFileSync(join(root, 'lib/inner.txt'), 'utf8'), 'inner');
    const names: string[] = [];
    for await (const { header, content } of readTar(treeTar(root))) {
      names.push(header.name);
      for await (const _ of content);
    }
    assert.deepEqual(names, ['.gitmodules', 'a.txt', 'lib', 'lib/inner.txt']);
  });

  it('that wants credentials gets none, and that is said', async (t) => {
    const shelf = tempDir(t);
    const server = await serveGit(t, shelf, { authorization: 'Basic bWU6eA==' });
    const { git, commit } = await withSubmodule(t, `${server.url}/inner.git`);
    const request = { ref: 'HEAD', submodules: true, folder: join(tempDir(t), 'x'), commit };
    await assert.rejects(
      checkOut({ ...request, url: `file://${git.bare}`, secret: undefined }, never),
      (error: Error & { reason?: string }) => {
        assert.equal(error.reason, 'SourceUnreachable');
        assert.match(error.message, /a submodule can not be fetched: .*could not read Username/);
        return true;
      },
    );
    assert.ok(server.seen.length > 0 && server.seen.every((one) => one === undefined));
  });
});
