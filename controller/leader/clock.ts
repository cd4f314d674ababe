/**
 * Milliseconds that only ever grow, the same in all threads of this process and whatever happens to
 * the wall clock. They go on while the process is stopped.
 */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint() / 1000n) / 1000;
}
