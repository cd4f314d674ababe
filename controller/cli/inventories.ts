import { keyOf, type ObjectKey } from '../../crds/object.ts';
import type { SourceInventory } from '../http/inventory-route.ts';
import type { ApiClient } from './api-client.ts';
import { ApiError } from './api-error.ts';
import { CliError } from './command.ts';

/** What every config source has applied; undefined from a server that does not tell. */
export async function readInventories(
  client: ApiClient,
): Promise<readonly SourceInventory[] | undefined> {
  try {
    const answer = await client.read('/api/v1/inventory');
    return (answer as { sources?: readonly SourceInventory[] }).sources;
  } catch (thrown) {
    const isUntold = thrown instanceof ApiError && [403, 404].includes(thrown.code);
    if (isUntold) return undefined;
    throw thrown;
  }
}

/** The config source that declares an object. */
export function declaringSource(
  inventories: readonly SourceInventory[] | undefined,
  key: ObjectKey,
): string | undefined {
  return inventories?.find(({ entries }) => entries.some((entry) => keyOf(entry) === keyOf(key)))
    ?.name;
}

/** The one to plan for: the only one unless it is named. Throws `CliError`. */
export function chooseSource(
  inventories: readonly SourceInventory[],
  wanted: string | undefined,
): SourceInventory | undefined {
  const names = inventories.map(({ name }) => name);
  const found =
    wanted === undefined && inventories.length < 2
      ? inventories[0]
      : inventories.find(({ name }) => name === wanted);
  if (found || inventories.length === 0) return found;
  throw new CliError(`say which config source this is, with --source: ${names.join(', ')}`);
}
