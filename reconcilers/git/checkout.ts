import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { asCairnError, CairnError } from '../../crds/reasons.ts';
import { gitAccess, type GitAccess } from './access.ts';
import { gitConfiguration, runGit } from './command.ts';
import { cannotLayOut, checkFiles } from './list.ts';
import { asSource, type Remote } from './refs.ts';

export interface CheckoutRequest extends Remote {
  readonly commit: string;
  /** Where the commit was found: asked for where a server gives no commits by their names. */
  readonly ref: string;
  /** Whether they are fetched, and what gets in to those that are on the same server. */
  readonly submodules: false | { readonly secret: Remote['secret'] };
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

interface GitOptions {
  readonly by?: GitAccess;
  readonly protocols?: string;
  readonly mostBytes?: number;
}

type Git = (args: readonly string[], options?: GitOptions) => Promise<string>;

const mostSubject = 200;
const mostToldBytes = 2 ** 20;

/**
 * Lays out the files of one commit, without its history. No hook and no filter of the repository runs. Throws
 * `SourceUnreachable`, as a `SubmoduleUngiven` where that is why; and `SourceInvalid` for what can't be laid out, or
 * should not.
 */
export async function checkOut(request: CheckoutRequest, signal: AbortSignal): Promise<Checkout> {
  const { url, secret, commit, folder, submodules } = request;
  await rm(folder, { recursive: true, force: true });
  const root = join(folder, 'tree');
  await mkdir(root, { recursive: true, mode: 0o700 });
  const config = join(folder, 'config');
  await writeFile(config, gitConfiguration);
  const access = await gitAccess(url, { secret, folder });
  try {
    const local: Git = (args, { by = access, ...options } = {}) =>
      runGit(args, { cwd: root, config, access: by, signal, ...options });
    const git: Git = (args, options) => asSource(url, () => local(args, options));
    await git(['init', '--quiet']);
    await fetchCommit(request, git, signal);
    await checkFiles(commit, git);
    await local(['checkout', '--quiet', '--detach', '--force', commit]).catch((error: unknown) => {
      signal.throwIfAborted();
      throw asInvalid(error);
    });
    if (submodules) await fetchSubmodules({ url, folder, ...submodules }, git);
    const log = ['log', '-1', '--no-show-signature', '--format=%ct%n%an%n%s', commit];
    const told = await git(log, { mostBytes: mostToldBytes });
    const [date = '', author = '', subject = ''] = told.split('\n');
    return { root, date: Number(date), author, subject: subject.slice(0, mostSubject) };
  } finally {
    await access.dispose();
  }
}

async function fetchCommit(
  { url, commit, ref }: CheckoutRequest,
  git: Git,
  signal: AbortSignal,
): Promise<void> {
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
}

/**
 * A commit names whatever server it likes: credentials are for the one that they were declared for, and files of this
 * machine for nobody.
 */
async function fetchSubmodules(
  { url, secret, folder }: Pick<CheckoutRequest, 'url' | 'secret' | 'folder'>,
  git: Git,
): Promise<void> {
  // What ../other.git of a .gitmodules is relative to.
  await git(['config', 'remote.origin.url', url]);
  const args = ['submodule', 'update', '--init', '--recursive', '--depth=1', '--checkout'];
  const by = await gitAccess(url, { secret, folder, isForServer: true });
  try {
    await git(args, { by, protocols: 'git:http:https:ssh' });
  } catch (error) {
    if (!(error instanceof CairnError)) throw error;
    const message = `a submodule can not be fetched: ${error.message}`;
    const isRefused = /transport '\S+' not allowed|No url found|disallowed|suspicious/i.test(
      message,
    );
    if (!isRefused && ungiven.test(message)) throw new SubmoduleUngiven(`${message}; ${advice}`);
    throw new CairnError(isRefused ? 'SourceInvalid' : error.reason, message, { cause: error });
  } finally {
    await by.dispose();
  }
}

/** A server has a submodule not at all, not for everybody, or not in that commit: asking at once again is no help. */
export class SubmoduleUngiven extends CairnError {
  constructor(message: string) {
    super('SourceUnreachable', message);
  }
}

/** In the words of git and ssh, which are in English for us, and of the hosts that tell a 404 of a private repository. */
const ungiven =
  /could not read (Username|Password)|Authentication failed|returned error: 40[134]|Permission denied \(|Host key verification failed|repository '\S*' not found|not our ref|did not contain [0-9a-f]{40}/i;

const advice =
  'name credentials in submoduleSecretRef, which are for the server of the repository alone; make that repository ' +
  'public; have its files in the repository itself; or leave it out with submodules: false';

/** The commit is here: what is wrong is in it, or there is no room for it. */
function asInvalid(error: unknown): CairnError {
  const { message } = asCairnError(error);
  const isFull = /No space left|Disk quota/i.test(message);
  return isFull ? new CairnError('DepotFull', message, { cause: error }) : cannotLayOut(message);
}
