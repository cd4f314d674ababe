/** Locks between test files, which run in processes of their own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** Held until it is released, or this process ends, in whatever way. */
export async function lock(
  kind: '--shared' | '--exclusive',
  file: string,
): Promise<() => Promise<void>> {
  const words = ['--pdeathsig', 'KILL', 'flock', kind, '--no-fork', file];
  const child = spawn('setpriv', [...words, 'sh', '-c', 'echo held; exec sleep infinity'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const closed = once(child, 'close');
  await once(child.stdout, 'data');
  return async () => {
    child.kill('SIGKILL');
    await closed;
  };
}
