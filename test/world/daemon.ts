import { spawn } from 'node:child_process';
import { once } from 'node:events';

export interface Daemon {
  readonly pid: number;
  /** Everything it has written so far. */
  readonly output: string;
  readonly hasEnded: boolean;
  /** Sends a signal and waits for the end. */
  end(signal?: NodeJS.Signals): Promise<void>;
}

/**
 * Starts a program that runs until it is ended, or until this process ends, in whatever way: then
 * the kernel kills it. `env` is added to the environment of this process.
 */
export function startDaemon(
  program: string,
  args: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>> = {},
): Daemon {
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', program, ...args], {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  const closed = once(child, 'close');
  return {
    pid: child.pid ?? 0,
    get output() {
      return output;
    },
    get hasEnded() {
      return child.exitCode !== null || child.signalCode !== null;
    },
    async end(signal = 'SIGKILL') {
      child.kill(signal);
      await closed;
    },
  };
}
