import type { ApiClient, Target } from './api-client.ts';
import type { Io } from './command.ts';
import { declaringSource, readInventories } from './inventories.ts';
import { nameOf } from './targets.ts';

/** Warns when a config source declares the object: it puts back, or reports, what is its own. */
export async function warnIfDeclared(client: ApiClient, target: Target, io: Io): Promise<void> {
  const { kind, namespace, name } = target;
  const key = { kind: kind.kind, namespace, name };
  const source = declaringSource(await readInventories(client), key);
  if (source === undefined) return;
  io.err(
    `warning: ${nameOf(target)} is declared by configsource/${source}: what its manifest gives is ` +
      'put back, or reported as drift; change it there to make it last',
  );
}
