/** The command line in this process: as good as a process of its own, without the start of one. */
import type { Io } from '../../../controller/cli/command.ts';
import { dispatch } from '../../../controller/cli/dispatch.ts';

export interface Ran {
  readonly status: number;
  readonly out: string;
  readonly err: string;
  /** Every progress line that was shown. */
  readonly progress: readonly string[];
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly input?: string;
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly signal?: AbortSignal;
  /** Told of every line as it is written. */
  readonly onLine?: (line: string) => void;
}

/** Runs `cairn <args>`. */
export async function cairn(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const out: string[] = [];
  const err: string[] = [];
  const progress: string[] = [];
  const note = (list: string[]) => (text: string) => {
    list.push(text);
    options.onLine?.(text);
  };
  const { cwd = process.cwd(), input = '', isTTY = false, columns = 200 } = options;
  const io: Io = {
    out: note(out),
    err: note(err),
    progress: (line) => void (line !== '' && progress.push(line)),
    input: (async function* () {
      yield input;
    })(),
    isTTY,
    columns,
    env: { PATH: process.env['PATH'], ...options.env },
    cwd,
    signal: options.signal ?? new AbortController().signal,
  };
  const status = await dispatch(args, io);
  return { status, out: out.join('\n'), err: err.join('\n'), progress };
}
