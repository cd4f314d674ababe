import type { KubeObject } from '../../crds/object.ts';
import type { ApiClient, ListScope } from './api-client.ts';
import { CliError, exit, parseOptions, UsageError, type Command, type Io } from './command.ts';
import { printAsTables } from './get-tables.ts';
import { watchSelection } from './get-watch.ts';
import { objectPrinter } from './output.ts';
import { connect, namespaceOptions, serverOptions } from './server-options.ts';
import { nameOf, parseSelections, type Selection } from './targets.ts';

const options = {
  output: {
    type: 'string',
    short: 'o',
    value: 'FORMAT',
    description: 'wide, name, json, yaml or jsonpath=PATH instead of a table',
  },
  watch: { type: 'boolean', short: 'w', description: 'go on, and show what changes' },
  selector: {
    type: 'string',
    short: 'l',
    value: 'LABEL=VALUE,…',
    description: 'only objects with these labels',
  },
  ...namespaceOptions,
  'all-namespaces': { type: 'boolean', short: 'A', description: 'the objects of all namespaces' },
  ...serverOptions,
} as const;

export const command: Command = {
  name: 'get',
  summary: 'Lists what is declared, and how it is.',
  usage: ['get KIND|all', 'get KIND NAME…', 'get KIND/NAME…'],
  options,
  exits: {},
  examples: ['cairn get all', 'cairn get mirror debian -o yaml', 'cairn get environments --watch'],

  async run(args, io) {
    const { values, positionals } = parseOptions(args, options);
    const selections = parseSelections(positionals);
    const style = {
      wide: values.output === 'wide',
      namespaces: values['all-namespaces'] === true,
      qualified: selections.length > 1 && new Set(selections.map(({ kind }) => kind)).size > 1,
    };
    const client = await connect(values, io);
    const scope = scopeOf({ ...values, namespace: client.namespace });
    const print =
      values.output === undefined || style.wide
        ? undefined
        : objectPrinter(values.output, { single: isSingle(selections) });
    if (values.watch) {
      const [selection, ...others] = selections;
      if (!selection || others.length > 0) throw new UsageError('--watch takes one kind or object');
      return watchSelection({ client, selection, scope, style, print }, io);
    }
    const found = await findAll(client, selections, scope);
    if (print)
      await print(
        found.flatMap(({ objects }) => objects),
        io,
      );
    else printAsTables(found, style, scope, io);
    return reportMissing(found, io);
  },
};

interface ScopeValues {
  readonly namespace: string;
  readonly selector?: string | undefined;
  readonly 'all-namespaces'?: boolean | undefined;
}

function scopeOf(values: ScopeValues): ListScope {
  return {
    namespace: values['all-namespaces'] ? undefined : values.namespace,
    labels: values.selector,
  };
}

export interface Found {
  readonly selection: Selection;
  readonly objects: readonly KubeObject[];
}

async function findAll(
  client: ApiClient,
  selections: readonly Selection[],
  scope: ListScope,
): Promise<readonly Found[]> {
  return Promise.all(
    selections.map(async (selection) => ({
      selection,
      objects: await findObjects(client, selection, scope),
    })),
  );
}

async function findObjects(
  client: ApiClient,
  { kind, name }: Selection,
  scope: ListScope,
): Promise<readonly KubeObject[]> {
  const { namespace } = scope;
  if (name === undefined) return (await client.list(kind, scope)).items;
  if (namespace === undefined || scope.labels !== undefined) {
    throw new UsageError(
      'an object that is named can not be selected by label or all namespaces too',
    );
  }
  const object = await client.get({ kind, namespace, name });
  return object ? [object] : [];
}

function isSingle(selections: readonly Selection[]): boolean {
  return selections.length === 1 && selections[0]?.name !== undefined;
}

function reportMissing(found: readonly Found[], io: Io): number {
  const missing = found.filter(({ selection, objects }) => selection.name && objects.length === 0);
  const names = missing.map(({ selection }) =>
    nameOf({ kind: selection.kind, name: selection.name ?? '' }),
  );
  const [last] = names.slice(-1);
  if (last === undefined) return exit.good;
  for (const name of names.slice(0, -1)) io.err(`cairn: ${name} not found`);
  throw new CliError(`${last} not found`);
}
