import type { RunEnd, RunResult } from '../results.ts';
import type { End } from './ends.ts';

/** What the engine knows of a container that has ended. */
export interface Exit {
  readonly exitCode: number;
  readonly outOfMemory: boolean;
  readonly error: string;
}

type Verdict = Exclude<RunResult, { readonly result: 'Succeeded' }>;

/** Exit statuses of supervisor.pl that are its own. */
const bySupervisor: ReadonlyMap<number, readonly [RunEnd, string]> = new Map([
  [120, ['TimeLimit', 'it took longer than it may']],
  [121, ['SilenceLimit', 'it was silent for longer than it may be']],
  [122, ['OutputLimit', 'it printed more than it may']],
  [123, ['ProcessLimit', 'it started more processes than it may']],
  [124, ['OutOfMemory', 'it needed more memory than it may have']],
]);

const highestOwn = 119;

/**
 * Why a run has not succeeded; undefined when it has. Whoever ended it from outside has said so (`end`), the supervisor says it by its
 * exit status. What is left was killed by neither: by the kernel for want of memory, or along with the engine.
 */
export function verdictOf(exit: Exit, end: End | undefined): Verdict | undefined {
  if (end?.because === 'Cancelled') return { result: 'Cancelled', message: end.message };
  if (end) return { result: 'FailedToBuild', because: end.because, message: end.message };
  const { exitCode, outOfMemory } = exit;
  if (exitCode === 0) return undefined;
  const [because, message] = bySupervisor.get(exitCode) ?? [];
  if (because && message) return { result: 'FailedToBuild', because, message };
  if (exitCode <= highestOwn) {
    return {
      result: 'FailedToBuild',
      because: 'ExitCode',
      exitCode,
      message: `the build failed with exit status ${exitCode}`,
    };
  }
  if (outOfMemory) {
    return {
      result: 'FailedToBuild',
      because: 'OutOfMemory',
      message: 'it needed more memory than it may have',
    };
  }
  const why = exit.error === '' ? '' : `: ${exit.error}`;
  return {
    result: 'BuilderLost',
    message: `the container was ended from outside, with ${exitCode}${why}`,
  };
}
