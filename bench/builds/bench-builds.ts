import type { Build } from '../../crds/build.ts';
import type { Source } from '../../crds/source.ts';
import type { Scope } from '../../test/world/temp.ts';
import { median } from '../measure.ts';
import type { BenchOptions } from '../options.ts';
import type { Result } from '../results.ts';
import { cairnName } from '../table.ts';
import { buildTitles } from '../titles.ts';
import { BareRoot } from './bare.ts';
import { packageFiles } from './package.ts';
import { makeBuildSite, tellOfPush, type BuildSite } from './site.ts';

const withinMs = 10 * 60_000;

/** New commits of a small package whose root file system is prepared already. */
export async function benchBuilds(
  { runs }: BenchOptions,
  say: (text: string) => void,
): Promise<Result[]> {
  const cleanUps: (() => void | Promise<void>)[] = [];
  const scope: Scope = { after: (cleanUp) => void cleanUps.push(cleanUp) };
  try {
    say('builds: preparing a root file system');
    const site = await makeBuildSite(scope);
    const { image } = await builtOnce(site);
    const bare = await BareRoot.open(scope, site.engine, image);
    await bare.build(packageFiles('warm')); // what is read for the first time is read from the disk
    const starts: number[] = [];
    const overheads: number[] = [];
    for (let run = 0; run < runs; run += 1) {
      const files = packageFiles(`run ${run}`);
      const alone = await bare.build(files);
      const { start, end } = await buildCommit(site, files);
      say(
        `builds: bare ${alone.toFixed(2)} s, started after ${start.toFixed(0)} ms, published after ${end.toFixed(2)} s`,
      );
      starts.push(start);
      overheads.push(end - alone);
    }
    const note = (title: string, value: number, unit: 's' | 'ms'): Result => ({
      ...{ work: 'builds', title, tool: cairnName, figures: { value, unit } },
    });
    return [
      note(buildTitles.start, median(starts), 'ms'),
      note(buildTitles.overhead, median(overheads), 's'),
    ];
  } finally {
    for (const cleanUp of cleanUps.reverse()) await cleanUp();
  }
}

/** The first Build makes the root file system that the others find. */
async function builtOnce({ api }: BuildSite): Promise<{ readonly image: string }> {
  const target = { plural: 'sources', name: 'bench', timeoutMs: withinMs };
  const source = (await api.actAndWait(
    target,
    async () => {},
    (object) => {
      const failed = object.status?.conditions?.find(({ reason }) => reason === 'BuildFailed');
      if (failed) throw new Error(failed.message);
      return (object as Source).status.version !== undefined;
    },
  )) as Source;
  const build = (await api.get('builds', source.status.build ?? '')) as Build;
  return { image: build.status.inputs?.image ?? '' };
}

/** From when the commit is there: milliseconds until it runs, seconds until it is published. */
async function buildCommit(
  site: BuildSite,
  files: Readonly<Record<string, string>>,
): Promise<{ readonly start: number; readonly end: number }> {
  const { api, git } = site;
  const commit = await git.commit(files);
  const begun = performance.now();
  let start = 0;
  const target = { plural: 'builds', timeoutMs: withinMs };
  await api.actAndWait(
    target,
    () => tellOfPush(site),
    (object) => {
      const { spec, status } = object as Build;
      if (spec.commit !== commit) return false;
      if (status.phase === 'Building' && start === 0) start = performance.now() - begun;
      if (status.result !== undefined && status.result !== 'Succeeded') {
        throw new Error(`${status.result}: ${status.message}`);
      }
      return status.result !== undefined;
    },
  );
  return { start, end: (performance.now() - begun) / 1000 };
}
