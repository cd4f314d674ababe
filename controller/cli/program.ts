import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Io } from './command.ts';

/** Runs another program and gives what it writes. Throws when it fails or isn't there. */
export async function runProgram(
  file: string,
  args: readonly string[],
  { env, signal }: Pick<Io, 'env' | 'signal'>,
): Promise<string> {
  const { stdout } = await promisify(execFile)(file, [...args], {
    env: { ...env, LC_ALL: 'C.UTF-8' },
    signal,
    maxBuffer: 16 * 1024 * 1024,
  });
  return stdout;
}
