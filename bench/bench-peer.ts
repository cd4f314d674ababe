import { mustRun } from '../test/world/process.ts';
import type { BenchArchive } from './archive.ts';
import { measureCommand, medianCost, type Cost } from './measure.ts';
import type { BenchOptions } from './options.ts';
import type { Peer, SnapshotCommands, Upstream } from './peers/peer.ts';
import type { Result } from './results.ts';
import { titles } from './titles.ts';
import { newWorkFolder } from './work-folder.ts';

/** Runs one peer through everything that it can do, each command as a process of its own. */
export async function benchPeer(
  peer: Peer,
  archive: BenchArchive,
  upstream: Upstream,
  options: BenchOptions,
): Promise<Result[]> {
  const tool = peer.label;
  const results: Result[] = [];
  const note = (work: Result['work'], title: string, costs: readonly Cost[]) => {
    if (options.only.has(work)) results.push({ work, title, tool, figures: medianCost(costs) });
  };
  const { snapshots } = peer;

  const { folder, mirror, costs } = await mirrorAnew(peer, archive, upstream, options);
  note('mirror', titles.firstMirror, costs);
  if (snapshots) await measureCommand(snapshots.create(folder, 'before'));
  note('refresh', titles.refreshSame, await repeat(options.runs, () => measureCommand(mirror)));
  const changed = await repeat(options.runs, (turn) => {
    archive.switchTo(turn + 1);
    return measureCommand(mirror);
  });
  note('refresh', titles.refreshChanged, changed);
  await expectPackages(folder, options.packages);
  if (snapshots) {
    const create = (turn: number) => measureCommand(snapshots.create(folder, `after-${turn}`));
    note('snapshot', titles.snapshot, await repeat(options.runs, create));
    const diff = () => measureCommand(snapshots.diff(folder, 'before', 'after-0'));
    note('diff', titles.diff, await repeat(options.runs, diff));
    if (options.only.has('promotion')) {
      const { promotions, rollbacks } = await promote(snapshots, folder, options.runs);
      note('promotion', titles.promotion, promotions);
      note('promotion', titles.rollback, rollbacks);
    }
  }
  return results;
}

async function mirrorAnew(
  peer: Peer,
  archive: BenchArchive,
  upstream: Upstream,
  options: BenchOptions,
) {
  archive.switchTo(0);
  const costs: Cost[] = [];
  for (;;) {
    const folder = newWorkFolder(peer.name);
    const mirror = await peer.prepare(folder, upstream);
    costs.push(await measureCommand(mirror));
    await expectPackages(folder, options.packages);
    if (costs.length >= options.firstRuns) return { folder, mirror, costs };
  }
}

/** A tool that fails and says that all is well would be the fastest of all. */
async function expectPackages(folder: string, packages: number): Promise<void> {
  const output = await mustRun('find', [folder, '-name', '*.deb', '-printf', '.']);
  if (output.length >= packages) return;
  throw new Error(`${folder} has ${output.length} packages instead of ${packages}`);
}

async function promote(snapshots: SnapshotCommands, folder: string, runs: number) {
  await measureCommand(snapshots.publish(folder, 'before'));
  const promotions: Cost[] = [];
  const rollbacks: Cost[] = [];
  for (let turn = 0; turn < runs; turn += 1) {
    promotions.push(await measureCommand(snapshots.promote(folder, 'after-0')));
    rollbacks.push(await measureCommand(snapshots.promote(folder, 'before')));
  }
  return { promotions, rollbacks };
}

export async function repeat(
  times: number,
  work: (turn: number) => Promise<Cost>,
): Promise<Cost[]> {
  const costs: Cost[] = [];
  for (let turn = 0; turn < times; turn += 1) costs.push(await work(turn));
  return costs;
}
