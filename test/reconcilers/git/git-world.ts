/** Commits of strangers, laid out by the real git. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkOut, type CheckoutRequest } from '../../../reconcilers/git/checkout.ts';
import { GitRepository } from '../../controller/sources/git-repository.ts';
import { tempDir, type Scope } from '../../world/temp.ts';

export const never = new AbortController().signal;

export async function lay(
  t: Scope,
  git: Pick<GitRepository, 'bare'>,
  commit: string,
  { submodules = false as CheckoutRequest['submodules'], url = `file://${git.bare}` } = {},
) {
  const folder = join(tempDir(t), 'checkout');
  const request = { url, secret: undefined, commit, ref: 'refs/heads/main', submodules, folder };
  return checkOut(request, never);
}

/** Commits what is in the working copy now. */
export async function commitAll(git: GitRepository): Promise<string> {
  await git.git('add', '--all', '--force');
  await git.git('commit', '--quiet', '--allow-empty', '-m', 'hostile');
  await git.git('push', '--quiet', '--force', git.bare, 'HEAD:refs/heads/main');
  return (await git.git('rev-parse', 'HEAD')).trim();
}

export const isInvalid = (message: RegExp) => (error: Error) => {
  assert.match(error.message, message);
  assert.equal((error as Error & { reason?: string }).reason, 'SourceInvalid', error.message);
  return true;
};

/** A repository with a submodule at `url`, in which INNER is the path of a repository that has it. */
export async function withSubmodule(t: Scope, url: string) {
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
