import type { Request } from 'express';
import type { KubeObject } from '../../../crds/object.ts';
import { fieldRequirements, type FieldRequirement } from './field-selector.ts';
import { isMatching, labelRequirements, type LabelRequirement } from './label-selector.ts';
import { ApiFailure } from './status.ts';

/** What a list, a watch or the deletion of a collection is about. */
export interface Selection {
  readonly labels: readonly LabelRequirement[];
  readonly fields: readonly FieldRequirement[];
  /** Of the URL. */
  readonly namespace: string | undefined;
}

/**
 * Reads `labelSelector` (`a=b,c!=d,e in (f,g),!h`) and `fieldSelector` (`metadata.name=x`). Throws
 * 400, naming what it does not understand.
 */
export function selectionOf(req: Request, namespace: string | undefined): Selection {
  const labels = labelRequirements(textOf(req, 'labelSelector'));
  const fields = fieldRequirements(textOf(req, 'fieldSelector'), Object.keys(readers));
  return { labels, fields, namespace };
}

/** Whether an object is selected. */
export function isSelected(object: KubeObject, selection: Selection): boolean {
  const { labels, fields, namespace } = selection;
  const { metadata } = object;
  return (
    (namespace === undefined || metadata.namespace === namespace) &&
    fields.every(({ field, value, negated }) => (readers[field]?.(object) === value) !== negated) &&
    labels.every((requirement) => isMatching(metadata.labels ?? {}, requirement))
  );
}

/** A query parameter that may be given once. */
export function textOf(req: Request, parameter: string): string {
  const text = req.query[parameter];
  if (text === undefined) return '';
  if (typeof text !== 'string') throw new ApiFailure(400, `${parameter} is given more than once`);
  return text;
}

const readers: Readonly<Record<string, (object: KubeObject) => string>> = {
  'metadata.name': ({ metadata }) => metadata.name,
  'metadata.namespace': ({ metadata }) => metadata.namespace,
};
