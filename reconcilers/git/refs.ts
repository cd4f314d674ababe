import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CairnError } from '../../crds/reasons.ts';
import { redact } from '../redact.ts';
import type { Secret } from '../secrets.ts';
import { gitAccess } from './access.ts';
import { gitConfiguration, runGit } from './command.ts';

/** A git repository, and how to get in. */
export interface Remote {
  readonly url: string;
  readonly secret: Secret | undefined;
}

/** Full names of refs, as in `refs/heads/main`, and the commits that they are at; `HEAD` as well. */
export type Refs = ReadonlyMap<string, string>;

/** More are a repository that is used for something else. */
const mostRefs = 200_000;
const mostBytes = 64 * 2 ** 20;

/**
 * Asks a repository for all of its refs. Annotated tags are followed to their commits. Throws
 * `SourceUnreachable` with git's own words.
 */
export async function listRefs(
  { url, secret }: Remote,
  { folder, signal }: { readonly folder: string; readonly signal: AbortSignal },
): Promise<Refs> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const own = await mkdtemp(join(folder, 'look-'));
  try {
    await writeFile(join(own, 'config'), gitConfiguration);
    const access = await gitAccess(url, { secret, folder: own });
    const run = { cwd: own, config: join(own, 'config'), access, signal };
    const args = ['ls-remote', '--', url, 'HEAD', 'refs/heads/*', 'refs/tags/*'];
    return parseRefs(await asSource(url, () => runGit(args, { ...run, mostBytes })));
  } finally {
    await rm(own, { recursive: true, force: true });
  }
}

/** What git says of a repository that can't be read becomes the failure of a Source. */
export async function asSource<Result>(url: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof CairnError) || error.reason !== 'ConfigUnreachable') throw error;
    throw new CairnError('SourceUnreachable', `can not read ${redact(url)}: ${error.message}`);
  }
}

/** Reads what `git ls-remote` prints: of `tag` and `tag^{}`, which follows it, the latter counts. See git-ls-remote(1). */
export function parseRefs(output: string): Refs {
  const refs = new Map<string, string>();
  for (const line of output.split('\n')) {
    const [commit = '', ref = ''] = line.split('\t');
    addRef(refs, ref.replace(/\^\{\}$/, ''), commit);
  }
  return refs;
}

/** Takes no notice of what is no commit. Throws `SourceUnreachable` when there are too many. */
export function addRef(refs: Map<string, string>, ref: string, commit: string): void {
  if (!/^([0-9a-f]{40}|[0-9a-f]{64})$/.test(commit)) return;
  if (refs.size >= mostRefs && !refs.has(ref)) {
    throw new CairnError('SourceUnreachable', `the repository has more than ${mostRefs} refs`);
  }
  refs.set(ref, commit);
}
