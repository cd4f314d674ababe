/** Commits of strangers, laid out by the real git. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { checkOut } from '../../../reconcilers/git/checkout.ts';
import type { GitRepository } from '../../controller/sources/git-repository.ts';
import { tempDir, type Scope } from '../../world/temp.ts';

export const never = new AbortController().signal;

export async function lay(
  t: Scope,
  git: Pick<GitRepository, 'bare'>,
  commit: string,
  { submodules = false, url = `file://${git.bare}` } = {},
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
