import { existsSync } from 'node:fs';
import path from 'node:path';
import { CliError, type Io } from './command.ts';
import type { NewFile } from './new-files.ts';
import { runProgram } from './program.ts';

/** Commits files into the git repository of a directory, making it first. Throws `CliError`. */
export async function commitFiles(root: string, files: readonly NewFile[], io: Io): Promise<void> {
  // Inside a git hook, these point to another repository.
  const env = Object.fromEntries(
    Object.entries(io.env).filter(
      ([name]) => !/^GIT_(DIR|WORK_TREE|INDEX_FILE|PREFIX)$/.test(name),
    ),
  );
  const git = (...args: readonly string[]) =>
    runProgram('git', ['-C', root, ...args], { env, signal: io.signal });
  try {
    if (!existsSync(path.join(root, '.git'))) await git('init', '--quiet', '--initial-branch=main');
    await git('add', '--', ...files.map((file) => file.path));
    const known = await git('config', 'user.email').then(
      () => true,
      () => false,
    );
    const author = known ? [] : ['-c', 'user.name=Cairn', '-c', 'user.email=cairn@localhost'];
    await git(
      ...author,
      'commit',
      '--quiet',
      '--no-verify',
      '--message',
      'Declare what Cairn shall do',
    );
  } catch (thrown) {
    io.signal.throwIfAborted();
    const stderr =
      thrown instanceof Error && 'stderr' in thrown ? String(thrown.stderr).trim() : '';
    const why = stderr || (thrown instanceof Error ? thrown.message : String(thrown));
    throw new CliError(`the files are written, but git failed: ${why}`, 1, { cause: thrown });
  }
}
