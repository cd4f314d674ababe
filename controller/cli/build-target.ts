import { BuildKind } from '../../crds/build.ts';
import { SourceKind } from '../../crds/source.ts';
import type { ApiClient, Target } from './api-client.ts';
import { CliError, UsageError } from './command.ts';
import { requireObject, stringAt } from './objects.ts';
import { nameOf, parseTarget } from './targets.ts';

/** `NAME` is that of the kind; `KIND/NAME` may be of another one. Throws `UsageError`. */
export function targetOf(
  words: readonly string[],
  kind: Target['kind'],
  namespace: string,
): Target {
  const [word, ...others] = words;
  if (word === undefined || others.length > 0) {
    throw new UsageError(`expected the name of one ${kind.kind}`);
  }
  const written = word.includes('/') ? word : `${kind.plural}/${word}`;
  const target = parseTarget([written], namespace);
  const { kind: found } = target.kind;
  if (found === SourceKind.kind || found === BuildKind.kind) return target;
  throw new UsageError(`expected a Source or a Build instead of ${nameOf(target)}`);
}

/** The Build that is meant: a Source's is the one of its newest commit. Throws `CliError`. */
export async function buildOf(client: ApiClient, target: Target): Promise<Target> {
  const object = await requireObject(client, target);
  if (target.kind.kind === BuildKind.kind) return target;
  const name = stringAt(object.status, 'build');
  if (name === undefined) throw new CliError(`${nameOf(target)} has no Build yet`);
  return { kind: buildKind, namespace: target.namespace, name };
}

export const buildKind = BuildKind as unknown as Target['kind']; // as in the list of all kinds
export const sourceKind = SourceKind as unknown as Target['kind']; // as in the list of all kinds
