import { parseArgs } from 'node:util';
import { nearestWord } from '../../crds/hint.ts';

/** What a command reads and writes. Nothing in here but `main.ts` touches the process itself. */
export interface Io {
  /** Writes a line (or several) of the result. */
  out(text: string): void;
  /** Writes a line for people: problems, warnings, hints. */
  err(text: string): void;
  /** Shows one line that the next one replaces; empty clears it. Nothing unless on a terminal. */
  progress(line: string): void;
  readonly input: AsyncIterable<Uint8Array | string>;
  /** Whether the result goes to a terminal. */
  readonly isTTY: boolean;
  /** Its width. */
  readonly columns: number;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Aborts when the user wants to stop (Ctrl-C). */
  readonly signal: AbortSignal;
}

/** An option as `parseArgs` takes it, and as help shows it. */
export interface Option {
  readonly type: 'string' | 'boolean';
  readonly short?: string;
  readonly multiple?: boolean;
  readonly default?: string | boolean;
  /** What stands for its value in help: `--server URL`. */
  readonly value?: string;
  readonly description: string;
}
export type Options = Readonly<Record<string, Option>>;

/** One command, all that `cairn help` says about it included. */
export interface Command {
  readonly name: string;
  readonly summary: string;
  /** One line per form, without `cairn `. */
  readonly usage: readonly string[];
  readonly options: Options;
  /** What its exit statuses mean, beside those that all commands share (see `exit`). */
  readonly exits: Readonly<Record<number, string>>;
  /** Whole lines that can be typed as they are. */
  readonly examples?: readonly string[];
  /** Returns the exit status. Throws `CliError`, and whatever the work throws: `main` prints it. */
  run(args: readonly string[], io: Io): Promise<number>;
}

/** Exit statuses. They are API: scripts depend on them. */
export const exit = {
  good: 0,
  /** It could not be done. */
  failed: 1,
  /** It was not understood. */
  misuse: 2,
  /** It was done, and the answer is no: not ready in time, invalid, different. */
  notAsDesired: 3,
} as const;

/** A failure that is explained to the user; `status` becomes the exit status. */
export class CliError extends Error {
  override readonly name: string = 'CliError';
  readonly status: number;

  constructor(message: string, status: number = exit.failed, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
  }
}

/** The command line makes no sense; the message says what would. */
export class UsageError extends CliError {
  override readonly name = 'UsageError';

  constructor(message: string) {
    super(message, exit.misuse);
  }
}

/** Parses a command's arguments strictly; throws `UsageError`. */
export function parseOptions<const O extends Options>(args: readonly string[], options: O) {
  const parsed = parseStrictly(args, options);
  // An empty value is a variable of a script that was never set, and would mean something else.
  for (const [name, value] of Object.entries(parsed.values)) {
    if ([value].flat().includes(''))
      throw new UsageError(`--${name}: expected a value; it is empty`);
  }
  return parsed;
}

function parseStrictly<const O extends Options>(args: readonly string[], options: O) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
  } catch (thrown) {
    throw new UsageError(thrown instanceof Error ? explained(thrown, options) : String(thrown));
  }
}

/** Node's own words without the advice on `--`, which is rarely what was meant. */
function explained({ message }: Error, options: Options): string {
  const [, unknown] = /^Unknown option '(--?[^']*)'/.exec(message) ?? [];
  if (unknown === undefined) return message.replace(/\. (?=[A-Z]).*$/s, '');
  const near = nearestWord(
    unknown,
    Object.keys(options).map((name) => `--${name}`),
  );
  const hint = near === undefined ? '' : `; did you mean ${near}?`;
  return `unknown option ${unknown}${hint}`;
}
