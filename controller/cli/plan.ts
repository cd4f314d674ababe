import type { ConfigSource } from '../../crds/config-source.ts';
import { kinds } from '../../crds/index.ts';
import { annotations, keyOf, type KubeObject } from '../../crds/object.ts';
import type { Reading } from '../sources/manifests.ts';
import { triage } from '../sources/drift.ts';
import { planChanges } from '../sources/plan.ts';
import type { ApiClient } from './api-client.ts';
import { exit, parseOptions, UsageError, type Command, type Io } from './command.ts';
import type { SourceInventory } from '../http/inventory-route.ts';
import { chooseSource, readInventories } from './inventories.ts';
import { readPath } from './manifest-files.ts';
import {
  hasChanges,
  planAsJson,
  planAsMarkdown,
  planAsText,
  type PlanView,
} from './plan-format.ts';
import { printerOf, reportOptions } from './report-format.ts';
import { connect, serverOptions } from './server-options.ts';

const options = {
  ...reportOptions,
  source: {
    type: 'string',
    value: 'NAME',
    description: 'the ConfigSource that the path is for, where there are several',
  },
  'exit-code': { type: 'boolean', description: 'exit with 3 when something would change' },
  ...serverOptions,
} as const;

const printers = { text: planAsText, md: planAsMarkdown, json: planAsJson };

export const command: Command = {
  name: 'plan',
  summary: 'Shows what manifests would change on the running server, changing nothing.',
  usage: ['plan [PATH] [-o text|md|json]'],
  options,
  exits: { 3: 'manifests are wrong; with --exit-code also: something would change' },
  examples: ['cairn plan config', 'cairn plan config -o md > comment.md'],

  async run(args, io) {
    const { values, positionals } = parseOptions(args, options);
    const [path = '.', ...more] = positionals;
    if (more.length > 0) throw new UsageError('expected one directory or file');
    const print = printerOf(values.output, printers);
    const reading = await readPath(path, io);
    const view = await planAgainst(await connect(values, io), reading, values.source);
    io.out(print(view));
    warn(view, io);
    if (view.problems.length > 0) return exit.notAsDesired;
    return values['exit-code'] && hasChanges(view) ? exit.notAsDesired : exit.good;
  },
};

async function planAgainst(
  client: ApiClient,
  reading: Reading,
  wanted: string | undefined,
): Promise<PlanView> {
  const inventories = await readInventories(client);
  const own = inventories && chooseSource(inventories, wanted);
  const objects = await allObjects(client);
  const claims = claimsOf((inventories ?? []).filter((one) => one !== own));
  const source = objects.find(
    ({ kind, metadata }) => kind === 'ConfigSource' && metadata.name === own?.name,
  );
  const approved = source?.metadata.annotations?.[annotations.pruneApproved];
  const whole = planChanges({
    reading,
    inventory: own?.entries ?? [],
    objects,
    claims,
    approved,
  });
  const policy = (source as ConfigSource | undefined)?.spec.drift ?? 'Correct';
  const { plan, reported } = triage(whole, policy, () => 0);
  return {
    plan,
    drifted: reported,
    problems: [...reading.problems, ...plan.problems],
    knowsDeletions: own !== undefined && reading.complete,
  };
}

async function allObjects(client: ApiClient): Promise<readonly KubeObject[]> {
  const lists = await Promise.all(kinds.map((kind) => client.list(kind, {})));
  return lists.flatMap(({ items }) => items);
}

function claimsOf(inventories: readonly SourceInventory[]): ReadonlyMap<string, string> {
  return new Map(
    inventories.flatMap(({ name, entries }) =>
      entries.map((entry) => [keyOf(entry), name] as const),
    ),
  );
}

function warn({ knowsDeletions, problems }: PlanView, io: Io): void {
  if (problems.length > 0) io.err('Bad manifests are left out; their objects stay as they are.');
  else if (!knowsDeletions) {
    io.err(
      'Deletions are not shown: the server has applied no config source yet, or does not tell.',
    );
  }
}
