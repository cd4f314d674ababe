import { exit, parseOptions, UsageError, type Command } from './command.ts';
import { connect, objectOptions } from './server-options.ts';
import { nameOf, parseTarget } from './targets.ts';

export const command: Command = {
  name: 'annotate',
  summary: 'Sets annotations of an object, or removes them.',
  usage: ['annotate KIND/NAME KEY=VALUE…', 'annotate KIND/NAME KEY-…'],
  options: objectOptions,
  exits: {},
  examples: [
    'cairn annotate mirror/debian cairn.build/paused=true',
    'cairn annotate mirror/debian cairn.build/paused-',
  ],

  async run(args, io) {
    const { values, positionals } = parseOptions(args, objectOptions);
    const { words, changes } = splitChanges(positionals);
    const client = await connect(values, io);
    const target = parseTarget(words, client.namespace);
    await client.mergePatch(target, { metadata: { annotations: changes } });
    io.out(`${nameOf(target)} annotated`);
    return exit.good;
  },
};

/** The object comes first: everything from the first `KEY=VALUE` or `KEY-` on is a change. */
function splitChanges(positionals: readonly string[]) {
  const first = positionals.findIndex(
    (word, index) => index > 0 && parseChange(word) !== undefined,
  );
  if (first === -1) throw new UsageError('expected KEY=VALUE to set, or KEY- to remove');
  const changes: Record<string, string | null> = {};
  for (const word of positionals.slice(first)) {
    const change = parseChange(word);
    if (!change)
      throw new UsageError(`expected KEY=VALUE or KEY- instead of ${JSON.stringify(word)}`);
    changes[change.key] = change.value;
  }
  return { words: positionals.slice(0, first), changes };
}

/** Null removes, in a merge patch (RFC 7396). */
function parseChange(word: string): { key: string; value: string | null } | undefined {
  const [, key, value] = /^([A-Za-z0-9][A-Za-z0-9._/-]*)=(.*)$/s.exec(word) ?? [];
  if (key !== undefined && value !== undefined) return { key, value };
  const [, removed] = /^([A-Za-z0-9][A-Za-z0-9._/-]*)-$/.exec(word) ?? [];
  return removed === undefined ? undefined : { key: removed, value: null };
}
