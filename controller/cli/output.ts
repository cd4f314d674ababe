import type { KubeObject } from '../../crds/object.ts';
import { UsageError, type Io } from './command.ts';
import { asText, evaluateJsonPath } from './json-path.ts';

/** Prints objects in a form for programs, as `-o` names it. */
export type ObjectPrinter = (objects: readonly KubeObject[], io: Io) => Promise<void>;

/** The printer of `-o json|yaml|name|jsonpath=…`; `single`: one object was asked for by name. */
export function objectPrinter(format: string, { single }: { single: boolean }): ObjectPrinter {
  const shape = (objects: readonly KubeObject[]) => (single ? objects[0] : listOf(objects));
  const readable = (objects: readonly KubeObject[]) => shape(objects.map(withoutOwners));
  if (format === 'json')
    return async (objects, io) => io.out(JSON.stringify(readable(objects), null, 2));
  if (format === 'yaml') return async (objects, io) => io.out(await toYaml(readable(objects)));
  if (format === 'name') return printNames;
  if (format.startsWith('jsonpath=')) {
    const path = format.slice('jsonpath='.length);
    requireJsonPath(path);
    return async (objects, io) =>
      io.out(evaluateJsonPath(shape(objects), path).map(asText).join(' '));
  }
  throw new UsageError(
    `unknown output format ${JSON.stringify(format)}: give wide, name, json, yaml or jsonpath=PATH`,
  );
}

export async function toYaml(value: unknown): Promise<string> {
  const { dump } = await import('js-yaml');
  return dump(value, { noRefs: true, lineWidth: 100 }).trimEnd();
}

/** Throws `UsageError` when it can't be read. */
export function requireJsonPath(path: string): void {
  try {
    evaluateJsonPath({}, path);
  } catch (thrown) {
    throw new UsageError(thrown instanceof Error ? thrown.message : String(thrown));
  }
}

/** Who owns which field is longer than the object, and seldom asked for; kubectl hides it, too. */
function withoutOwners(object: KubeObject): KubeObject {
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}

async function printNames(objects: readonly KubeObject[], io: Io): Promise<void> {
  for (const { kind, metadata } of objects) io.out(`${kind.toLowerCase()}/${metadata.name}`);
}

function listOf(items: readonly KubeObject[]): object {
  return { apiVersion: 'v1', kind: 'List', items };
}
