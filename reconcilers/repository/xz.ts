import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { CairnError } from '../../crds/reasons.ts';

/** A fixed environment: xz takes options from XZ_OPT. */
const env = { PATH: '/usr/bin:/bin', LC_ALL: 'C' };
const places = ['/usr/bin/xz', '/bin/xz', '/usr/local/bin/xz'];
/** One thread: with more, where the blocks end would depend on the machine. */
const options = ['--compress', '--stdout', '--quiet', '-6', '--threads=1'];
const withinMs = 3_600_000;
const mostTold = 2000;

/** The program xz, if this machine has it. */
export function findXz(): string | undefined {
  return places.find((place) => existsSync(place));
}

/**
 * Compresses with the program xz, a process of its own: it may take minutes, at the lowest priority
 * if that is ours, and what it needs in memory is given back. The same bytes make the same bytes.
 */
export async function* xz(program: string, plain: Iterable<Buffer>): AsyncGenerator<Buffer> {
  const child = spawn(program, options, { env, signal: AbortSignal.timeout(withinMs) });
  let told = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    told = (told + text).slice(-mostTold);
  });
  const ended = once(child, 'close').then(([code, signal]: unknown[]) => code ?? signal);
  const fed = pipeline(Readable.from(plain), child.stdin).then(
    () => undefined,
    (error: unknown) => error,
  );
  try {
    // should it not start, this is what says why
    await Promise.race([once(child, 'spawn'), ended]);
    for await (const piece of child.stdout as AsyncIterable<Buffer>) yield piece;
    const end = await ended;
    if (end !== 0) throw new CairnError('InternalError', `xz ended with ${String(end)}: ${told}`);
    const problem = await fed;
    if (problem !== undefined) throw problem;
  } finally {
    ended.catch(() => undefined);
    child.kill('SIGKILL');
  }
}
