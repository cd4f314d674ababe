import type { Cairn } from '../test/world/cairn.ts';
import type { BenchArchive } from './archive.ts';
import { repeat } from './bench-peer.ts';
import * as cairn from './cairn.ts';
import { medianCost, type Cost } from './measure.ts';
import type { BenchOptions } from './options.ts';
import type { Upstream } from './peers/peer.ts';
import type { Result } from './results.ts';
import { cairnName } from './table.ts';
import { titles } from './titles.ts';

/** Runs Cairn through the same work as the peers. */
export async function benchCairn(
  archive: BenchArchive,
  upstream: Upstream,
  options: BenchOptions,
): Promise<Result[]> {
  const results: Result[] = [];
  const note = (work: Result['work'], title: string, costs: readonly Cost[]) => {
    const figures = medianCost(costs);
    if (options.only.has(work)) results.push({ work, title, tool: cairnName, figures });
  };
  const { server, costs } = await firstMirrors(archive, upstream, options.firstRuns);
  try {
    note('mirror', titles.firstMirror, costs);
    await cairn.createSnapshot(server, 'before');
    note('refresh', titles.refreshSame, await repeat(options.runs, () => cairn.refresh(server)));
    const changed = await repeat(options.runs, (turn) => {
      archive.switchTo(turn + 1);
      return cairn.refresh(server);
    });
    note('refresh', titles.refreshChanged, changed);
    const create = (turn: number) => cairn.createSnapshot(server, `after-${turn}`);
    note('snapshot', titles.snapshot, await repeat(options.runs, create));
    if (options.only.has('diff')) {
      const diff = () => cairn.diff(server, 'before', 'after-0');
      note('diff', titles.diff, await repeat(options.runs, diff));
    }
    if (options.only.has('promotion')) {
      const { promotions, rollbacks } = await promote(server, options.runs);
      note('promotion', titles.promotion, promotions);
      note('promotion', titles.rollback, rollbacks);
    }
  } finally {
    await server.kill();
  }
  return results;
}

async function firstMirrors(archive: BenchArchive, upstream: Upstream, runs: number) {
  archive.switchTo(0);
  const costs: Cost[] = [];
  for (;;) {
    const { server, firstMirror } = await cairn.mirrorAnew(upstream);
    costs.push(firstMirror);
    if (costs.length >= runs) return { server, costs };
    await server.kill();
  }
}

async function promote(server: Cairn, runs: number) {
  await cairn.createEnvironment(server, 'before');
  const promotions: Cost[] = [];
  const rollbacks: Cost[] = [];
  for (let turn = 0; turn < runs; turn += 1) {
    promotions.push(await cairn.promote(server, 'after-0'));
    rollbacks.push(await cairn.promote(server, 'before'));
  }
  return { promotions, rollbacks };
}
