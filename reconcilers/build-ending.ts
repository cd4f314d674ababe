import type { Build } from '../crds/build.ts';

/** What came of a Build that did not succeed, for people. */
export interface Ending {
  /** In one line, with where its log is. */
  readonly line: string;
  /** The last lines of its log, or of whatever else its message says below the first line. */
  readonly rest: string;
}

/** Conditions that only refer to the end of a log say `line`; one of each object has all of it. */
export function endingOf(
  { name }: Pick<Build['metadata'], 'name'>,
  { result, message = '', logUrl }: Pick<Build['status'], 'result' | 'message' | 'logUrl'>,
): Ending {
  const end = message.indexOf('\n');
  if (end === -1) return { line: `${result ?? ''}: ${message}`, rest: '' };
  const where = logUrl ?? `cairn logs ${name}`;
  const line = `${result ?? ''}: ${message.slice(0, end)} (its log: ${where})`;
  return { line, rest: message.slice(end + 1) };
}
