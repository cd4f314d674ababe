import { annotations } from '../../crds/object.ts';
import type { Target } from './api-client.ts';
import { exit, parseOptions, type Io } from './command.ts';
import { at, requireObject } from './objects.ts';
import { warnIfDeclared } from './declared-elsewhere.ts';
import { connect, objectOptions } from './server-options.ts';
import { nameOf, parseTargets } from './targets.ts';

/** What `suspend` and `resume` do. */
export async function setSuspended(
  args: readonly string[],
  suspended: boolean,
  io: Io,
): Promise<number> {
  const { values, positionals } = parseOptions(args, objectOptions);
  const client = await connect(values, io);
  const targets = parseTargets(positionals, client.namespace);
  for (const target of targets) {
    await requireObject(client, target);
    await client.mergePatch(target, suspensionPatch(target, suspended));
    if ('suspend' in target.kind.spec.properties) await warnIfDeclared(client, target, io);
    io.out(`${nameOf(target)} ${suspended ? 'suspended' : 'resumed'}`);
  }
  return exit.good;
}

/** Kinds whose spec has no `suspend` (it never changes) are paused by annotation. */
function suspensionPatch({ kind }: Target, suspended: boolean): unknown {
  if (at(kind.spec.properties, 'suspend') !== undefined) return { spec: { suspend: suspended } };
  return { metadata: { annotations: { [annotations.paused]: suspended ? 'true' : null } } };
}
