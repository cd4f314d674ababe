/** `cairn`: gives the command line what it may touch of this process, and exits as it says. */
import { setFlagsFromString } from 'node:v8';
import { dispatch } from './cli/dispatch.ts';
import type { Io } from './cli/command.ts';
import { terminalWriter } from './cli/terminal-writer.ts';

// Collects garbage sooner, and gives back what is free. As an argument of node it would also keep
// the space for new objects so small that a busy server spends a fifth of its time on it.
setFlagsFromString('--optimize-for-size');

const { stdin, stdout, stderr, env } = process;
const stop = new AbortController();
let signalled = 0;

// Once: a second Ctrl-C ends the process the hard way.
for (const [name, number] of [
  ['SIGINT', 2],
  ['SIGTERM', 15],
] as const) {
  process.once(name, () => {
    signalled = number;
    stop.abort(new Error(`stopped by ${name}`));
  });
}
// Whoever read the output wants no more of it: `cairn get all | head -1`.
stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
stderr.on('error', () => undefined);

const { flush, ...writers } = terminalWriter(stdout, stderr);
process.on('exit', flush);

const io: Io = {
  ...writers,
  input: stdin,
  isTTY: stdout.isTTY === true,
  columns: stdout.columns || 80,
  env,
  cwd: process.cwd(),
  signal: stop.signal,
};

const status = await dispatch(process.argv.slice(2), io);
process.exitCode = signalled > 0 && status !== 0 ? 128 + signalled : status;
