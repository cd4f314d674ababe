import { ageOf } from './age.ts';
import type { ApiClient, Target } from './api-client.ts';
import type { ClientEvent } from './client-events.ts';
import { exit, parseOptions, type Command, type Io } from './command.ts';
import { abridge } from './abridge.ts';
import { longMessages, messageTable } from './describe-messages.ts';
import { objectUrls } from './object-urls.ts';
import { requireObject, type AnyObject } from './objects.ts';
import { toYaml } from './output.ts';
import { connect, objectOptions } from './server-options.ts';
import { formatTable } from './table.ts';
import { parseTargets } from './targets.ts';

export const command: Command = {
  name: 'describe',
  summary:
    'Says everything about objects: what is declared, how it is, what happened, where to get it.',
  usage: ['describe KIND/NAME…'],
  options: objectOptions,
  exits: {},

  async run(args, io) {
    const { values, positionals } = parseOptions(args, objectOptions);
    const client = await connect(values, io);
    const targets = parseTargets(positionals, client.namespace);
    const texts: string[] = [];
    for (const target of targets) texts.push(await describe(client, target, io));
    io.out(texts.join('\n\n---\n\n'));
    return exit.good;
  },
};

async function describe(
  client: ApiClient,
  target: Target,
  { isTTY, columns }: Pick<Io, 'isTTY' | 'columns'>,
): Promise<string> {
  const object = await requireObject(client, target);
  const events = await client.events(target);
  const now = new Date();
  const width = isTTY ? columns - sectionIndent.length : undefined;
  const { conditions = [], ...status } = withoutTold(object.status);
  const sections = [
    header(object, now),
    section('Spec', await toYaml(abridge(object.spec))),
    ...(Object.keys(status).length > 0 ? [section('Status', await toYaml(abridge(status)))] : []),
    ...(conditions.length > 0
      ? [section('Conditions', conditionTable(conditions, now, width))]
      : []),
    ...longMessages([
      ...conditions.map(({ type, message }) => [type, message] as const),
      ...events.map(({ reason, message }) => [reason, message] as const),
    ]).map(([names, text]) => section(`Message of ${names}`, text)),
    ...urlSection(object, client.server),
    section('Events', events.length > 0 ? eventTable(events, now, width) : 'none'),
  ];
  return sections.join('\n');
}

/** A message of several lines that a condition has as well is shown there. */
function withoutTold(status: AnyObject['status']): AnyObject['status'] {
  const { message, ...others } = status as AnyObject['status'] & { readonly message?: unknown };
  if (typeof message !== 'string' || !message.includes('\n')) return status;
  const rest = message.slice(message.indexOf('\n'));
  return status.conditions?.some((one) => one.message.includes(rest)) ? others : status;
}

function header({ kind, metadata }: AnyObject, now: Date): string {
  const pairs = (record: Readonly<Record<string, string>> = {}) =>
    Object.entries(record).map(([key, value]) => `${key}=${value}`);
  const rows = [
    ['Name:', metadata.name],
    ['Namespace:', metadata.namespace],
    ['Kind:', kind],
    ['UID:', metadata.uid],
    ['Created:', `${metadata.creationTimestamp} (${ageOf(metadata.creationTimestamp, now)} ago)`],
    ...(metadata.deletionTimestamp ? [['Deleting since:', metadata.deletionTimestamp]] : []),
    ...pairs(metadata.labels).map((pair, index) => [index === 0 ? 'Labels:' : '', pair]),
    ...pairs(metadata.annotations).map((pair, index) => [index === 0 ? 'Annotations:' : '', pair]),
  ];
  return formatTable(rows);
}

function conditionTable(
  conditions: NonNullable<AnyObject['status']['conditions']>,
  now: Date,
  width: number | undefined,
): string {
  const rows = conditions.map(({ type, status, lastTransitionTime, reason, message }) => ({
    cells: [type, status, ageOf(lastTransitionTime, now), reason],
    message,
  }));
  return messageTable(['TYPE', 'STATUS', 'SINCE', 'REASON'], rows, width);
}

function eventTable(events: readonly ClientEvent[], now: Date, width: number | undefined): string {
  const rows = events.map(({ type, reason, message, count, lastAt }) => ({
    cells: [ageOf(lastAt, now), String(count), type, reason],
    message,
  }));
  return messageTable(['LAST', 'COUNT', 'TYPE', 'REASON'], rows, width);
}

function urlSection(object: AnyObject, server: URL): readonly string[] {
  const urls = objectUrls(object, server);
  return urls.length > 0 ? [section('URLs', formatTable(urls))] : [];
}

const sectionIndent = '  ';

function section(title: string, body: string): string {
  return `${title}:\n${body.replace(/^(?=.)/gm, sectionIndent)}`;
}
