import type { Io } from './command.ts';

interface Output {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

const clearLine = '\r\u001b[2K';

/** Each write to a pipe is a system call, and a log may have hundreds of lines in a moment. */
const mostHeld = 64 * 1024;

/**
 * Lines of results and messages, and a progress line that is out of their way on a terminal.
 * Messages of one turn of the event loop are written together, and in order with all else; `flush`
 * is for the end of the process.
 */
export function terminalWriter(
  stdout: Output,
  stderr: Output,
): Pick<Io, 'out' | 'err' | 'progress'> & { readonly flush: () => void } {
  let shown = '';
  let held = '';
  return {
    out(text) {
      flush();
      show('');
      stdout.write(`${text}\n`);
    },
    err(text) {
      if (held === '') setImmediate(flush);
      held += `${text}\n`;
      if (held.length > mostHeld) flush();
    },
    progress(line) {
      flush();
      show(line);
    },
    flush,
  };

  function flush(): void {
    if (held === '') return;
    show('');
    const text = held;
    held = '';
    stderr.write(text);
  }

  function show(line: string): void {
    if (!stderr.isTTY || line === shown) return;
    stderr.write(clearLine + line);
    shown = line;
  }
}
