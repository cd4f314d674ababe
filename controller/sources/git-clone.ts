import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CairnError } from '../../crds/reasons.ts';
import { redact } from '../../reconcilers/redact.ts';
import type { GitAccess } from '../../reconcilers/git/access.ts';
import { gitConfiguration, runGit } from '../../reconcilers/git/command.ts';

/** The ref of the bare repository that the fetched commit is kept under. */
const fetchedRef = 'refs/cairn/head';

/**
 * A shallow copy of one branch of a git repository, with a directory of files per commit. It is a
 * cache: it starts empty, so that no lock of a git that was killed is ever in the way.
 *
 *     <folder>/git            the bare repository
 *     <folder>/trees/<commit> the files of a commit
 *     <folder>/config         the configuration of git
 */
export class GitClone {
  readonly #location: string;
  readonly #branch: string | undefined;
  readonly #folder: string;
  readonly #signal: AbortSignal;
  #isMade = false;

  constructor(options: {
    readonly location: string;
    readonly branch?: string | undefined;
    readonly folder: string;
    readonly signal: AbortSignal;
  }) {
    this.#location = options.location;
    this.#branch = options.branch;
    this.#folder = options.folder;
    this.#signal = options.signal;
  }

  /** Makes the empty repository, once. */
  async prepare(): Promise<void> {
    if (this.#isMade) return;
    await rm(this.#folder, { recursive: true, force: true });
    await mkdir(join(this.#folder, 'git'), { recursive: true, mode: 0o700 });
    await mkdir(join(this.#folder, 'trees'));
    await writeFile(join(this.#folder, 'config'), gitConfiguration);
    const nobody = { env: {}, secrets: [], dispose: async () => {} };
    await this.#run(['init', '--bare', '--quiet'], nobody);
    this.#isMade = true;
  }

  /** The commit that the branch is at, by the word of the server. */
  async tip(access: GitAccess): Promise<string> {
    const wanted = this.#ref();
    const output = await this.#asking(['ls-remote', '--', this.#location, wanted], access);
    for (const line of output.split('\n')) {
      const [commit = '', ref] = line.split('\t');
      if (ref === wanted && /^[0-9a-f]{40}([0-9a-f]{24})?$/.test(commit)) return commit;
    }
    const what = this.#branch === undefined ? 'default branch' : `branch ${this.#branch}`;
    throw new CairnError('ConfigUnreachable', `there is no ${what} in ${this.#shown()}`);
  }

  /** Fetches the branch and lays its files out. The commit may be newer than `tip` said. */
  async fetch(access: GitAccess): Promise<{ readonly commit: string; readonly root: string }> {
    const refspec = `+${this.#ref()}:${fetchedRef}`;
    const quiet = ['--no-tags', '--no-recurse-submodules', '--no-write-fetch-head', '--progress'];
    await this.#asking(['fetch', '--depth=1', ...quiet, '--', this.#location, refspec], access);
    const output = await this.#run(['rev-parse', '--verify', `${fetchedRef}^{commit}`], access);
    const commit = output.trim();
    return { commit, root: await this.#layOut(commit, access) };
  }

  /** Removes the files of all commits but these. */
  async keepOnly(commits: readonly string[]): Promise<void> {
    for (const name of await readdir(join(this.#folder, 'trees'))) {
      if (commits.includes(name)) continue;
      await rm(join(this.#folder, 'trees', name), { recursive: true, force: true });
    }
  }

  async #layOut(commit: string, access: GitAccess): Promise<string> {
    const root = join(this.#folder, 'trees', commit);
    await rm(root, { recursive: true, force: true });
    await this.#run(['worktree', 'prune'], access);
    await this.#run(['worktree', 'add', '--detach', '--force', root, commit], access);
    return root;
  }

  async #asking(args: readonly string[], access: GitAccess): Promise<string> {
    try {
      return await this.#run(args, access);
    } catch (error) {
      if (!(error instanceof CairnError)) throw error;
      throw new CairnError(error.reason, `can not read ${this.#shown()}: ${error.message}`);
    }
  }

  #run(args: readonly string[], access: GitAccess): Promise<string> {
    const config = join(this.#folder, 'config');
    return runGit(args, { cwd: join(this.#folder, 'git'), config, access, signal: this.#signal });
  }

  #ref(): string {
    return this.#branch === undefined ? 'HEAD' : `refs/heads/${this.#branch}`;
  }

  #shown(): string {
    return redact(this.#location);
  }
}
