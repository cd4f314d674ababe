/** What probes are told, in the dialect of Kubernetes' own `/livez` and `/readyz`. */
import { redact } from '../reconcilers/redact.ts';

/** One thing that is looked at when a probe asks. */
export interface Check {
  readonly name: string;
  /** `poor`: people should know, but neither a restart nor another replica would help. */
  readonly state: 'good' | 'poor' | 'bad';
  /** A sentence for people, unless all is well. */
  readonly message?: string;
}

export interface Health {
  /** What a restart of this process mends, and only that. */
  readonly live: readonly Check[];
  /** What has to be so that this process can answer its clients. */
  readonly ready: readonly Check[];
}

export interface Told {
  /** Of the probe: `livez`. */
  readonly name: string;
  readonly isVerbose?: boolean;
  /** Names of checks that don't count. */
  readonly excluded?: readonly string[];
}

/** `bad` when there are problems; they become its message. */
export function check(
  name: string,
  problems: readonly string[],
  state: 'poor' | 'bad' = 'bad',
): Check {
  if (problems.length === 0) return { name, state: 'good' };
  return { name, state, message: redact(problems.join('; ')) };
}

/** Whether a probe is to succeed, and what it says: `ok`, or a line for each check. */
export function verdictOf(
  checks: readonly Check[],
  { name, isVerbose = false, excluded = [] }: Told,
): { readonly isGood: boolean; readonly text: string } {
  const counted = checks.filter((one) => !excluded.includes(one.name));
  const isGood = counted.every(({ state }) => state !== 'bad');
  if (isGood && !isVerbose) {
    const poor = counted.filter(({ state }) => state === 'poor').map(lineOf);
    return { isGood, text: ['ok', ...poor, ''].join('\n') };
  }
  const lines = checks.map((one) =>
    excluded.includes(one.name) ? `[+]${one.name} excluded: ok` : lineOf(one),
  );
  const end = `${name} check ${isGood ? 'passed' : 'failed'}`;
  return { isGood, text: [...lines, end, ''].join('\n') };
}

function lineOf({ name, state, message = '' }: Check): string {
  if (state === 'good') return `[+]${name} ok`;
  return state === 'poor' ? `[!]${name}: ${message}` : `[-]${name} failed: ${message}`;
}
