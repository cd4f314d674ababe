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
import { checkOut } from '../../../reconcilers/git/checkout.ts';
import { GitRepository } from '../../controller/sources/git-repository.ts';
import { mustRun } from '../../world/process.ts';
import { tempDir } from '../../world/temp.ts';
import { commitAll, isInvalid, lay, never } from './git-world.ts';

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
      submodules: false as const,
      folder,
    };
    await checkOut(request, never);
    assert.deepEqual(readdirSync(folder).toSorted(), ['config', 'tree']);
  });
});
