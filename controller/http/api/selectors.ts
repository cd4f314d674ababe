import type { Request } from 'express';
import type { KubeObject } from '../../../crds/object.ts';
import { ApiFailure } from './status.ts';

/** What a list or a watch is about. */
export interface Selection {
  readonly labels: Readonly<Record<string, string>>;
  readonly name?: string;
  readonly namespace?: string;
}

/**
 * Reads `labelSelector=a=b,c=d` and `fieldSelector=metadata.name=x`. Throws 400 for all that is more
 * than equality.
 */
export function selectionOf(req: Request, namespace: string | undefined): Selection {
  const labels = pairs(req.query['labelSelector'], 'labelSelector');
  const {
    'metadata.name': name,
    'metadata.namespace': selected,
    ...others
  } = pairs(req.query['fieldSelector'], 'fieldSelector');
  const [other] = Object.keys(others);
  if (other !== undefined) throw new ApiFailure(400, `fieldSelector does not know ${other}`);
  const scope = namespace ?? selected;
  return {
    labels,
    ...(name !== undefined && { name }),
    ...(scope !== undefined && { namespace: scope }),
  };
}

/** Whether an object is selected. */
export function isSelected(
  { metadata }: KubeObject,
  { labels, name, namespace }: Selection,
): boolean {
  return (
    (name === undefined || metadata.name === name) &&
    (namespace === undefined || metadata.namespace === namespace) &&
    Object.entries(labels).every(([key, value]) => metadata.labels?.[key] === value)
  );
}

function pairs(text: unknown, parameter: string): Record<string, string> {
  if (text === undefined || text === '') return {};
  if (typeof text !== 'string') throw new ApiFailure(400, `${parameter} is given more than once`);
  return Object.fromEntries(
    text.split(',').map((term) => {
      const [, key, value] = /^\s*([^=!\s]+)\s*==?\s*([^=!\s]*)\s*$/.exec(term) ?? [];
      if (key === undefined || value === undefined) {
        throw new ApiFailure(400, `${parameter} understands key=value only, not ${term}`);
      }
      return [key, value];
    }),
  );
}
