import { nearestWord } from '../../crds/hint.ts';
import type { CommonStatus, KubeObject } from '../../crds/object.ts';
import type { ApiClient, Target } from './api-client.ts';
import { CliError } from './command.ts';
import { nameOf } from './targets.ts';

/** An object as the API shows it, whatever its kind. */
export type AnyObject = KubeObject<
  Readonly<Record<string, unknown>>,
  CommonStatus & Readonly<Record<string, unknown>>
>;

/** The object of a target. Throws `CliError` with the nearest name when there is none. */
export async function requireObject(client: ApiClient, target: Target): Promise<AnyObject> {
  const object = await client.get(target);
  if (object) return asAnyObject(object);
  const { kind, namespace, name } = target;
  const { items } = await client.list(kind, { namespace });
  const near = nearestWord(
    name,
    items.map(({ metadata }) => metadata.name),
  );
  const hint = near === undefined ? '' : `; did you mean ${nameOf({ kind, name: near })}?`;
  throw new CliError(`${nameOf(target)} not found${hint}`);
}

/** The API sends spec and status as objects; a status that nobody has written yet may be left out. */
export function asAnyObject(object: KubeObject): AnyObject {
  const { spec, status } = object as AnyObject & { spec?: object; status?: object };
  return { ...object, spec: { ...spec }, status: { ...status } };
}

/** A member of a member: `at(status, 'published', 'snapshot')`. */
export function at(value: unknown, ...path: readonly string[]): unknown {
  let here = value;
  for (const key of path) {
    if (typeof here !== 'object' || here === null || !Object.hasOwn(here, key)) return undefined;
    here = (here as Record<string, unknown>)[key]; // an own property of an object
  }
  return here;
}

/** The same where only a string is of use. */
export function stringAt(value: unknown, ...path: readonly string[]): string | undefined {
  const found = at(value, ...path);
  return typeof found === 'string' ? found : undefined;
}
