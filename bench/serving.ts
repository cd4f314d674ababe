import { readFileSync, writeFileSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { Archive } from '../test/world/archive.ts';
import { exportPublic, testKey } from '../test/world/keys.ts';
import { startNginx } from '../test/world/nginx.ts';
import { mustRun } from '../test/world/process.ts';
import { cacheFolder, suite } from './archive.ts';
import { mirrorAnew } from './cairn.ts';
import type { BenchOptions } from './options.ts';
import type { Result, Throughput } from './results.ts';
import { cairnName } from './table.ts';
import { loads, type Load } from './titles.ts';

const folder = path.join(cacheFolder, 'serving');

/** The server has the first core for itself, and the load generator the second. */
const [serverCore, clientCore] = ['0', '1'];

/** Asks nginx, then Cairn, for the same files of several sizes: nginx's are those it mirrored. */
export async function benchServing(options: BenchOptions): Promise<Result[]> {
  const paths = await makeArchive();
  const nginx = await startNginx(folder);
  try {
    await pin(nginx.pid);
    const results = await measure('nginx', `${nginx.url}/debian`, paths, options);
    if (!options.cairn) return results;
    const keyFile = path.join(folder, 'archive-key.asc');
    const { server } = await mirrorAnew({ url: `${nginx.url}/debian`, suite, keyFile });
    try {
      await pin(server.pid);
      const base = `${server.url}/${new URL(nginx.url).host}/debian`;
      return [...(await measure(cairnName, base, paths, options)), ...results];
    } finally {
      await server.kill();
    }
  } finally {
    await nginx.stop();
  }
}

/** An archive with one package of each size. Gives their paths, by the titles of the loads. */
async function makeArchive(): Promise<ReadonlyMap<string, string>> {
  await rm(folder, { recursive: true, force: true });
  const root = path.join(folder, 'debian');
  await mkdir(root, { recursive: true });
  const key = await testKey('serving');
  writeFileSync(path.join(folder, 'archive-key.asc'), await exportPublic(key));
  const archive = new Archive(root, { suite, signWith: key });
  const paths = loads.map(({ title, bytes }): [string, string] => {
    const name = `file-${bytes}`;
    return [title, archive.add({ name, version: '1', size: bytes }).path];
  });
  await archive.publish();
  return new Map(paths);
}

/** Ties a process, its threads and its children to the server's core. */
async function pin(pid: number): Promise<void> {
  await mustRun('taskset', ['--all-tasks', '--cpu-list', '--pid', serverCore, String(pid)]);
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
  for (const child of children.split(' ').filter((word) => word.trim() !== '')) {
    await mustRun('taskset', ['--all-tasks', '--cpu-list', '--pid', serverCore, child]);
  }
}

async function measure(
  tool: string,
  base: string,
  paths: ReadonlyMap<string, string>,
  options: BenchOptions,
): Promise<Result[]> {
  const results: Result[] = [];
  for (const load of loads) {
    const figures = await wrk(`${base}/${paths.get(load.title)}`, load, options.seconds);
    results.push({ work: 'serving', title: load.title, tool, figures });
  }
  return results;
}

async function wrk(
  url: string,
  { bytes, connections }: Load,
  seconds: number,
): Promise<Throughput> {
  await mustRun('curl', ['--fail', '--silent', '--output', '/dev/null', url]); // warms it up
  const flags = ['--threads', '1', '--connections', String(connections), '--timeout', '60s'];
  const output = await mustRun(
    'taskset',
    ['--cpu-list', clientCore, 'wrk', ...flags, '--duration', `${seconds}s`, url],
    { timeoutMs: (seconds + 120) * 1000 },
  );
  if (/Non-2xx|Socket errors/.test(output)) throw new Error(`${url}:\n${output}`);
  const requestsPerSecond = Number(/Requests\/sec:\s+([\d.]+)/.exec(output)?.[1] ?? Number.NaN);
  return { requestsPerSecond, megabytesPerSecond: (requestsPerSecond * bytes) / 1e6 };
}
