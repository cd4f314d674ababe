import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CairnError } from '../../crds/reasons.ts';
import { gitAccess, type GitAccess } from './access.ts';
import { gitConfiguration, runGit } from './command.ts';
import { asSource, type Remote } from './refs.ts';

export interface CheckoutRequest extends Remote {
  readonly commit: string;
  /** Where the commit was found: asked for where a server gives no commits by their names. */
  readonly ref: string;
  readonly submodules: boolean;
  /** It is emptied. */
  readonly folder: string;
}

/** A commit's files, and what it says of itself. */
export interface Checkout {
  readonly root: string;
  /** Seconds since 1970. */
  readonly date: number;
  readonly author: string;
  readonly subject: string;
}

const mostSubject = 200;

/**
 * Lays out the files of one commit, without its history. No hook and no filter of the repository runs. Throws
 * `SourceUnreachable`.
 */
export async function checkOut(request: CheckoutRequest, signal: AbortSignal): Promise<Checkout> {
  const { url, secret, commit, ref, folder, submodules } = request;
  await rm(folder, { recursive: true, force: true });
  const root = join(folder, 'tree');
  await mkdir(root, { recursive: true, mode: 0o700 });
  const config = join(folder, 'config');
  await writeFile(config, gitConfiguration);
  const access = await gitAccess(url, { secret, folder });
  try {
    const git = (args: readonly string[], by: GitAccess = access, protocols?: string) =>
      asSource(url, () => runGit(args, { cwd: root, config, access: by, signal, protocols }));
    await git(['init', '--quiet']);
    const fetch = (what: string) =>
      git([
        ...['fetch', '--depth=1', '--no-tags', '--no-recurse-submodules', '--progress'],
        ...['--no-write-fetch-head', '--', url, `+${what}:refs/cairn/head`],
      ]);
    // Older servers only give what a ref is at.
    await fetch(commit).catch(async (error: unknown) => {
      signal.throwIfAborted();
      if (!(error instanceof CairnError)) throw error;
      await fetch(ref);
    });
    const found = (await git(['rev-parse', '--verify', 'refs/cairn/head^{commit}'])).trim();
    if (found !== commit) {
      throw new CairnError('SourceUnreachable', `${ref} is at ${found} by now, not at ${commit}`);
    }
    await git(['checkout', '--quiet', '--detach', '--force', commit]);
    // Credentials are for the repository that they were declared for, and files of this machine for nobody.
    if (submodules) {
      const args = ['submodule', 'update', '--init', '--recursive', '--depth=1', '--checkout'];
      await git(args, nobody, 'git:http:https:ssh');
    }
    const told = await git(['log', '-1', '--no-show-signature', '--format=%ct%n%an%n%s', commit]);
    const [date = '', author = '', subject = ''] = told.split('\n');
    return { root, date: Number(date), author, subject: subject.slice(0, mostSubject) };
  } finally {
    await access.dispose();
  }
}

const nobody: GitAccess = { env: {}, secrets: [], dispose: async () => {} };
