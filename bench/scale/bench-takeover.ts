import type { BenchOptions } from '../options.ts';
import type { Result } from '../results.ts';
import { median } from '../measure.ts';
import { cairnName } from '../table.ts';
import { takeoverTitles } from '../titles.ts';
import { edit, editorsOf } from './edits.ts';
import { makeSite, untilLookedAt } from './site.ts';

const readyWithinMs = 15 * 60_000;

/** How long people wait for a change when the replica that leads ends just then. */
export async function benchTakeover(
  { objects, runs }: BenchOptions,
  say: (text: string) => void,
): Promise<Result[]> {
  say(`takeover: making ${objects} objects`);
  const site = await makeSite(objects);
  try {
    const [editor] = editorsOf(site.objects);
    if (!editor) throw new Error('there is nothing to edit');
    let leader = await site.start(['--elect']);
    await site.observer.untilReady(objects, readyWithinMs);
    const results: Result[] = [];
    let turn = 0;
    for (const [title, signal] of [
      [takeoverTitles.stopped, 'SIGTERM'],
      [takeoverTitles.killed, 'SIGKILL'],
    ] as const) {
      const seconds: number[] = [];
      for (let run = 0; run < runs; run += 1) {
        const next = await site.start(['--elect']);
        turn += 1;
        const ended = leader.kill(signal);
        seconds.push((await edit(site.server, site.observer, editor, turn)) / 1000);
        await ended;
        leader = next;
        await untilLookedAt(leader, objects);
      }
      say(`${title}: ${seconds.map((one) => one.toFixed(2)).join(', ')} s`);
      const figures = { value: median(seconds), unit: 's' } as const;
      results.push({ work: 'takeover', title, tool: cairnName, figures });
    }
    return results;
  } finally {
    await site.stop();
  }
}
