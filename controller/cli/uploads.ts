/** What publishing and unpublishing have in common. */
import type { KubeObject } from '../../crds/object.ts';
import { RepositoryKind } from '../../crds/repository.ts';
import type { ApiClient, Target } from './api-client.ts';
import { exit, type Io } from './command.ts';
import { readyMessage, type Goal } from './goal.ts';
import { asAnyObject, at, requireObject, stringAt } from './objects.ts';
import { waitFor } from './waiting.ts';

/** The Repository that is meant by `NAME` or `repository/NAME`. Throws `CliError`. */
export function repositoryNamed(client: ApiClient, word: string): Promise<KubeObject> {
  const name = word.replace(/^(repositor(y|ies)|repo)\//i, '');
  return requireObject(client, { kind: RepositoryKind, namespace: client.namespace, name });
}

const longestName = 253;

/** One of its own for each call: whoever publishes again wants another answer. */
export function nameUpload({ metadata: { name } }: KubeObject): string {
  const random = crypto.randomUUID().replaceAll('-', '').slice(0, 12);
  return `${name.slice(0, longestName - random.length - 1)}-${random}`;
}

/** Waits until an Upload is dealt with, and prints what became of it. Gives the exit status. */
export async function tellResult(
  client: ApiClient,
  target: Target,
  timeoutMs: number,
  io: Io,
): Promise<number> {
  const quiet: Io = Object.assign(Object.create(io) as Io, { out: () => {} });
  const waited = await waitFor({ client, targets: [target], goal: dealtWith, timeoutMs }, quiet);
  if (waited !== exit.good) return waited;
  const found = await client.get(target);
  const status = found && asAnyObject(found).status;
  if (stringAt(status, 'result') !== 'Published') {
    io.err(`refused, all of it: ${stringAt(status, 'message') ?? 'the Upload is gone'}`);
    return exit.notAsDesired;
  }
  for (const name of namesAt(status, 'removed')) io.out(`removed ${name}`);
  for (const name of namesAt(status, 'packages')) io.out(`published ${name}`);
  return exit.good;
}

const dealtWith: Goal = {
  reached: 'dealt with',
  isReached: (object) => stringAt(object?.status, 'result') !== undefined,
  explain: (object) => (object ? readyMessage(object) : 'it does not exist'),
};

function namesAt(status: unknown, field: string): readonly string[] {
  const names = at(status, field);
  return Array.isArray(names) ? names.map(String) : [];
}
