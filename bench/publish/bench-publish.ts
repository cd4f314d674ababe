import { repeat } from '../bench-peer.ts';
import { measureCommand, medianCost } from '../measure.ts';
import type { BenchOptions } from '../options.ts';
import type { Result } from '../results.ts';
import { cairnName } from '../table.ts';
import { titles } from '../titles.ts';
import { filledCairn, publishOne } from './cairn.ts';
import { preparePackages } from './packages.ts';
import { publishers } from './peers.ts';

/** Publishes one package after the other into a repository of many. */
export async function benchPublish(
  options: BenchOptions,
  say: (text: string) => void,
): Promise<Result[]> {
  const packages = preparePackages(options.packages, options.runs);
  const results: Result[] = [];
  const one = (turn: number) => packages.more[turn] ?? '';
  const note = (tool: string, costs: Parameters<typeof medianCost>[0]) =>
    results.push({ work: 'publish', title: titles.publish, tool, figures: medianCost(costs) });
  if (options.cairn) {
    say('publishing: Cairn');
    const server = await filledCairn(packages.many);
    try {
      note(cairnName, await repeat(options.runs, (turn) => publishOne(server, one(turn))));
    } finally {
      await server.kill();
    }
  }
  for (const peer of publishers) {
    if (!options.peers.has(peer.name)) continue;
    say(`publishing: ${peer.name}`);
    const publish = await peer.prepare(packages);
    note(peer.label, await repeat(options.runs, (turn) => measureCommand(publish(one(turn)))));
  }
  return results;
}
