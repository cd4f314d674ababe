import { annotations } from '../../crds/object.ts';
import { CliError, exit, parseOptions, type Command, type Io } from './command.ts';
import { at, requireObject, stringAt, type AnyObject } from './objects.ts';
import { connect, objectOptions } from './server-options.ts';
import { nameOf, parseTarget } from './targets.ts';

export const command: Command = {
  name: 'approve',
  summary: 'Lets something proceed that is held: many deletions at once, or a mirror that shrinks.',
  usage: ['approve KIND/NAME'],
  options: objectOptions,
  exits: {},
  examples: ['cairn approve configsource/config', 'cairn approve mirror/debian'],

  async run(args, io) {
    const { values, positionals } = parseOptions(args, objectOptions);
    const client = await connect(values, io);
    const target = parseTarget(positionals, client.namespace);
    const object = await requireObject(client, target);
    const held = heldPrune(object) ?? heldShrink(object);
    if (!held) throw new CliError(`nothing of ${nameOf(target)} is held`);
    // Only what is held now is approved: another plan has another digest.
    await client.mergePatch(target, {
      metadata: { annotations: { [held.annotation]: held.digest } },
    });
    sayApproved(nameOf(target), held, io);
    return exit.good;
  },
};

interface Held {
  readonly annotation: string;
  readonly digest: string;
  readonly what: string;
  readonly objects: readonly string[];
}

function heldPrune({ status }: AnyObject): Held | undefined {
  const digest = stringAt(status, 'prune', 'digest');
  if (digest === undefined) return undefined;
  const listed = at(status, 'prune', 'objects');
  const objects = (Array.isArray(listed) ? listed : []).map(
    (entry: unknown) => `${stringAt(entry, 'kind')?.toLowerCase()}/${stringAt(entry, 'name')}`,
  );
  const total = Number(at(status, 'prune', 'total') ?? objects.length);
  const what = `the deletion of ${total} object${total === 1 ? '' : 's'}`;
  if (total > objects.length) objects.push(`and ${total - objects.length} more`);
  return { annotation: annotations.pruneApproved, digest, what, objects };
}

function heldShrink({ status }: AnyObject): Held | undefined {
  const digest = stringAt(status, 'shrink', 'digest');
  if (digest === undefined) return undefined;
  const what = `a refresh without ${at(status, 'shrink', 'vanishing')} of ${at(status, 'shrink', 'of')} files`;
  return { annotation: annotations.shrinkApproved, digest, what, objects: [] };
}

function sayApproved(name: string, { what, objects }: Held, io: Io): void {
  io.out(`${name}: approved ${what}`);
  for (const object of objects) io.out(`  ${object}`);
}
