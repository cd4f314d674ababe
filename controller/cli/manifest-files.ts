import { stat } from 'node:fs/promises';
import path from 'node:path';
import type { ManifestProblem } from '../../crds/config-source.ts';
import type { Reading } from '../sources/manifests.ts';
import { repositoryOf, validatePath } from '../sources/paths.ts';
import { CliError, type Io } from './command.ts';

/**
 * Reads the manifests of a directory or file as a config source would; its problems name files as
 * the user would. Throws `CliError`.
 */
export async function readPath(name: string, { cwd }: Pick<Io, 'cwd'>): Promise<Reading> {
  const start = path.resolve(cwd, name);
  try {
    const isDirectory = (await stat(start)).isDirectory();
    const own = isDirectory ? start : path.dirname(start);
    const root = (await repositoryOf(own)) ?? own;
    const reading = await validatePath(start);
    const problems = reading.problems.map((problem) => ({
      ...problem,
      file: shownFrom(cwd, path.join(root, problem.file)),
    }));
    return { ...reading, problems };
  } catch (thrown) {
    const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined;
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    const why = code === 'ENOENT' ? 'it does not exist' : message;
    throw new CliError(`can't read ${name}: ${why}`, 1, { cause: thrown });
  }
}

function shownFrom(cwd: string, file: string): string {
  const relative = path.relative(cwd, file);
  return relative.startsWith('..') ? file : relative;
}

/** `mirrors/debian.yaml:12:3: spec.suites: expected a list`; editors and CI understand it. */
export function formatProblem({ file, line, column, message }: ManifestProblem): string {
  return `${file}:${line}:${column}: ${message}`;
}

export function countOf(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`;
}
