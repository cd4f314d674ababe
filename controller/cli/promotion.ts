import type { ApiClient, Target } from './api-client.ts';
import { exit, type Io } from './command.ts';
import { warnIfDeclared } from './declared-elsewhere.ts';
import type { Goal } from './goal.ts';
import { conditionGoal } from './goal.ts';
import { stringAt, type AnyObject } from './objects.ts';
import { objectOptions } from './server-options.ts';
import { nameOf } from './targets.ts';
import { timeoutOption, waitFor } from './waiting.ts';

export const promotionOptions = {
  wait: { type: 'boolean', description: 'return when clients get it' },
  ...timeoutOption,
  ...objectOptions,
} as const;

interface Switch {
  readonly client: ApiClient;
  readonly target: Target;
  readonly object: AnyObject;
  /** The name of the Snapshot to serve. */
  readonly snapshot: string;
}

/** Changes the one line that decides what an Environment serves. */
export async function switchEnvironment(
  { client, target, object, snapshot }: Switch,
  { wait, timeoutMs }: { readonly wait?: boolean | undefined; readonly timeoutMs: number },
  io: Io,
): Promise<number> {
  const before = stringAt(object.spec, 'snapshotRef', 'name');
  await warnIfDeclared(client, target, io);
  await client.mergePatch(target, { spec: { snapshotRef: { name: snapshot } } });
  const change =
    before === snapshot ? `stays at ${snapshot}` : `${before ?? 'nothing'} -> ${snapshot}`;
  io.out(`${nameOf(target)} ${change}`);
  if (!wait) return exit.good;
  return waitFor({ client, targets: [target], goal: servingGoal(snapshot), timeoutMs }, io);
}

function servingGoal(snapshot: string): Goal {
  const ready = conditionGoal('Ready', 'True');
  return {
    reached: `serves ${snapshot}`,
    isReached: (object) =>
      stringAt(object?.status, 'published', 'snapshot') === snapshot && ready.isReached(object),
    explain: ready.explain,
  };
}
