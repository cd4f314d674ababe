import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cairn } from '../../test/world/cairn.ts';
import { peakOf } from '../measure.ts';
import type { BenchOptions } from '../options.ts';
import type { Result } from '../results.ts';
import { cairnName } from '../table.ts';
import { scaleTitles } from '../titles.ts';
import { makeRepository } from './commit.ts';
import { editorsOf, editUntil, quantile } from './edits.ts';
import { residentOf } from './memory.ts';
import { published } from './flux.ts';
import { mirrorSet, snapshot } from './population.ts';
import { makeSite, untilLookedAt, type Site } from './site.ts';
import { describe, total, writesBetween, writesOf, type Writes } from './writes.ts';

const readyWithinMs = 15 * 60_000;
/** For so long nothing is done, and nothing may be written. */
const idleMs = 60_000;
/** What is told late (events of the last change) is not what is looked for. */
const calmMs = 5000;
const manifests = 1000;

/** Cairn on an API server with many objects. */
export async function benchScale(
  options: BenchOptions,
  say: (text: string) => void,
): Promise<Result[]> {
  const results: Result[] = [...published];
  const note = (title: string, value: number, unit: 's' | 'ms' | 'MB' | 'writes') => {
    say(`${title}: ${value.toFixed(value < 10 ? 2 : 0)} ${unit}`);
    results.push({ work: 'scale', title, tool: cairnName, figures: { value, unit } });
  };
  say(`scale: making ${options.objects} objects`);
  const first = await makeSite(options.objects);
  try {
    await coldStart(first, options, note);
    await idle(first, say, note);
  } finally {
    await first.stop();
  }
  say('scale: making them again, to edit some from the start on');
  const second = await makeSite(options.objects);
  try {
    await edits(second, options, say, note);
    await commit(second, note);
  } finally {
    await second.stop();
  }
  return results;
}

type Note = (title: string, value: number, unit: 's' | 'ms' | 'MB' | 'writes') => void;

async function coldStart(site: Site, { objects }: BenchOptions, note: Note): Promise<void> {
  const start = performance.now();
  const starting = site.start();
  const end = await site.observer.untilReady(objects, readyWithinMs);
  note(scaleTitles.coldStart, (end - start) / 1000, 's');
  const cairn = await starting;
  await settled(site);
  note(scaleTitles.peak, peakOf(cairn.pid), 'MB');
  note(scaleTitles.idleWrites, total(await writesWhile(site, () => sleep(idleMs))), 'writes');
  note(scaleTitles.resident, residentOf(cairn.pid), 'MB');
  await cairn.kill();
}

/** Started again, with nothing to do but to look at everything. */
async function idle(site: Site, say: (text: string) => void, note: Note): Promise<void> {
  let cairn: Cairn | undefined;
  const written = await writesWhile(site, async () => {
    const start = performance.now();
    cairn = await site.start();
    await untilLookedAt(cairn, site.objects.length);
    note(scaleTitles.restart, (performance.now() - start) / 1000, 's');
    await sleep(idleMs);
  });
  if (total(written) > 0) say(`written: ${describe(written)}`);
  note(scaleTitles.restartWrites, total(written), 'writes');
  note(scaleTitles.restartPeak, peakOf(cairn?.pid ?? 0), 'MB');
  await cairn?.kill();
}

async function edits(
  site: Site,
  { objects, runs }: BenchOptions,
  say: (text: string) => void,
  note: Note,
): Promise<void> {
  const editors = editorsOf(site.objects);
  const editWhile = async (work: (cairn: Cairn) => Promise<unknown>) => {
    const cairn = await site.start();
    const stop = new AbortController();
    const editing = editUntil(site.server, site.observer, editors, stop.signal);
    await work(cairn);
    stop.abort();
    return { cairn, latencies: await editing };
  };
  const cold = await editWhile(() => site.observer.untilReady(objects, readyWithinMs));
  say(`${cold.latencies.length} edits`);
  note(scaleTitles.coldEditsMedian, quantile(cold.latencies, 0.5), 'ms');
  note(scaleTitles.coldEdits, quantile(cold.latencies, 0.99), 'ms');
  await settled(site);
  await cold.cairn.kill();
  const latencies: number[] = [];
  for (let run = 0; run < runs; run += 1) {
    const again = await editWhile((cairn) => untilLookedAt(cairn, objects));
    latencies.push(...again.latencies);
    await settled(site);
    await again.cairn.kill();
  }
  say(`${latencies.length} edits`);
  note(scaleTitles.editsMedian, quantile(latencies, 0.5), 'ms');
  note(scaleTitles.edits, quantile(latencies, 0.99), 'ms');
}

/** From the commit until the config source says that it is applied. */
async function commit(site: Site, note: Note): Promise<void> {
  const repository = await makeRepository(path.join(site.folder, 'config'));
  await repository.commit([mirrorSet('committed', 0, 1)]);
  const cairn = await site.start(['--config', repository.url, '--config-interval', '1s']);
  const source = {
    plural: 'configsources',
    manifest: { metadata: { name: 'config', namespace: 'default' } },
  };
  await site.observer.until(source, ({ isReady }) => isReady, readyWithinMs);
  await untilLookedAt(cairn, site.objects.length);
  const half = Array.from({ length: manifests / 2 }, (_, index) => index);
  const revision = await repository.commit([
    ...half.map((index) => mirrorSet(`committed-${index}`, index, 100)),
    ...half.map((index) => snapshot(`committed-${index}`, index)),
  ]);
  const start = performance.now();

  const end = await site.observer.until(
    source,
    (state) => state.revision === revision && state.isReady,
    readyWithinMs,
  );
  note(scaleTitles.commit, (end - start) / 1000, 's');
  await cairn.kill();
}

/** Nothing has been written for a while. */
async function settled(site: Site): Promise<void> {
  while (total(await writesWhile(site, () => sleep(calmMs))) > 0);
}

async function writesWhile({ server }: Site, work: () => Promise<unknown>): Promise<Writes> {
  const before = await writesOf(server);
  await work();
  return writesBetween(before, await writesOf(server));
}
