import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** What a piece of work cost. */
export interface Cost {
  readonly wallSeconds: number;
  /** User and system time, of children too. */
  readonly cpuSeconds: number;
  /** The most memory that one process had at a time, in MB (10^6 bytes). */
  readonly peakMegabytes: number;
}

export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs a program under GNU time. Throws, with the end of its output, when it fails. */
export async function measureCommand({ program, args, env }: Command): Promise<Cost> {
  const folder = mkdtempSync(path.join(tmpdir(), 'cairn-bench-'));
  try {
    const report = path.join(folder, 'time');
    const start = performance.now();
    const child = spawn('/usr/bin/time', ['-o', report, '-f', '%U %S %M', program, ...args], {
      env: { ...withoutProxies(process.env), LC_ALL: 'C.UTF-8', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output = `${output}${text}`.slice(-4000);
      });
    }
    const [code] = (await once(child, 'close')) as [number | null];
    const wallSeconds = (performance.now() - start) / 1000;
    if (code !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${code}:\n${output}`);
    const [user = 0, system = 0, kibibytes = 0] = readFileSync(report, 'utf8')
      .split(' ')
      .map(Number);
    return { wallSeconds, cpuSeconds: user + system, peakMegabytes: (kibibytes * 1024) / 1e6 };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function withoutProxies(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !/_proxy$/i.test(name)));
}

/** Measures what one running process does while `work` goes on. Its peak is counted from here. */
export async function measureProcess(pid: number, work: () => Promise<unknown>): Promise<Cost> {
  forgetPeak(pid);
  const before = cpuSecondsOf(pid);
  const start = performance.now();
  await work();
  const wallSeconds = (performance.now() - start) / 1000;
  return { wallSeconds, cpuSeconds: cpuSecondsOf(pid) - before, peakMegabytes: peakOf(pid) };
}

/** proc(5): a 5 in clear_refs sets the peak back to what is used now. Not all kernels have it. */
function forgetPeak(pid: number): void {
  try {
    writeFileSync(`/proc/${pid}/clear_refs`, '5');
  } catch {
    // the peak of the whole life is then reported, which is never too good
  }
}

/** utime, stime, cutime and cstime of /proc/<pid>/stat, which counts in hundredths of a second. */
export function cpuSecondsOf(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' '); // from the third field on
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  return ticks / 100;
}

export function peakOf(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const kibibytes = Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1] ?? Number.NaN);
  return (kibibytes * 1024) / 1e6;
}

/** The middle one by each measure. */
export function medianCost(costs: readonly Cost[]): Cost {
  return {
    wallSeconds: median(costs.map((cost) => cost.wallSeconds)),
    cpuSeconds: median(costs.map((cost) => cost.cpuSeconds)),
    peakMegabytes: median(costs.map((cost) => cost.peakMegabytes)),
  };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  return ((low ?? Number.NaN) + (high ?? Number.NaN)) / 2;
}
