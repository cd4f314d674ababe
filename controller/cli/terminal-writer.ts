import type { Io } from './command.ts';

interface Output {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

const clearLine = '\r\u001b[2K';

/** Lines of results and messages, and a progress line that is out of their way on a terminal. */
export function terminalWriter(
  stdout: Output,
  stderr: Output,
): Pick<Io, 'out' | 'err' | 'progress'> {
  let shown = '';
  const show = (line: string) => {
    if (!stderr.isTTY || line === shown) return;
    stderr.write(clearLine + line);
    shown = line;
  };
  return {
    out(text) {
      show('');
      stdout.write(`${text}\n`);
    },
    err(text) {
      show('');
      stderr.write(`${text}\n`);
    },
    progress: show,
  };
}
