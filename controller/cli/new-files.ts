import { lstat, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { CliError } from './command.ts';

export interface NewFile {
  /** Relative. */
  readonly path: string;
  readonly content: string;
}

/** Writes files below a directory. Throws `CliError`, and writes none, when one of them is there. */
export async function writeFiles(
  root: string,
  files: readonly NewFile[],
  { overwrite }: { readonly overwrite: boolean },
): Promise<void> {
  const present = overwrite ? [] : await presentOf(root, files);
  if (present.length > 0) {
    throw new CliError(`${present.join(', ')} in ${root} would be overwritten; --force allows it`);
  }
  for (const file of files) {
    const target = path.join(root, file.path);
    await mkdir(path.dirname(target), { recursive: true });
    await writeFile(target, file.content, { flag: overwrite ? 'w' : 'wx' });
  }
}

async function presentOf(root: string, files: readonly NewFile[]): Promise<readonly string[]> {
  const present: string[] = [];
  for (const file of files) {
    const found = await lstat(path.join(root, file.path)).catch(() => undefined);
    if (found) present.push(file.path);
  }
  return present;
}
