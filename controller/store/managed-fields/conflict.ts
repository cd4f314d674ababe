import { apiVersion } from '../../../crds/object.ts';
import { StoreError, type Cause } from '../../../crds/store.ts';
import { placesOf, type FieldSet } from './field-set.ts';
import type { Manager } from './managers.ts';

/** Fields of one manager that somebody else wants to give other values. */
export interface Conflict {
  readonly manager: Manager;
  readonly fields: FieldSet;
}

/** As many fields are named in a message; the causes name them all. */
const maxTold = 50;

/** The refusal of an apply, in the words of Kubernetes: every field with its manager. */
export function conflictError(conflicts: readonly Conflict[]): StoreError {
  const found = conflicts.flatMap(({ manager, fields }) =>
    placesOf(fields).map((field) => ({ who: named(manager), field })),
  );
  const causes: readonly Cause[] = found.map(({ who, field }) => ({
    reason: 'FieldManagerConflict',
    message: `conflict with ${who}`,
    field,
  }));
  const [only, another] = found;
  if (only && !another) {
    const message = `Apply failed with 1 conflict: conflict with ${only.who}: ${only.field}`;
    return new StoreError('Conflict', message, { causes });
  }
  const lines = conflicts.flatMap(({ manager, fields }) => [
    `conflicts with ${named(manager)}:`,
    ...placesOf(fields)
      .slice(0, maxTold)
      .map((field) => `- ${field}`),
  ]);
  const message = `Apply failed with ${found.length} conflicts: ${lines.join('\n')}`;
  return new StoreError('Conflict', message, { causes });
}

function named({ manager, operation, subresource }: Manager): string {
  const name = JSON.stringify(manager);
  const whole = subresource === '' ? name : `${name} with subresource "${subresource}"`;
  if (operation === 'Apply') return whole;
  return `${whole} using ${apiVersion}`;
}
