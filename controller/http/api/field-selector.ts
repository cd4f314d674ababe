import { ApiFailure } from './status.ts';

export interface FieldRequirement {
  readonly field: string;
  readonly value: string;
  readonly negated: boolean;
}

/** Parses `a=b,c==d,e!=f`; throws 400 for a field that is not known here. */
export function fieldRequirements(
  text: string,
  known: readonly string[],
): readonly FieldRequirement[] {
  if (text.trim() === '') return [];
  return text.split(',').map((term) => {
    const [, field, operator, value] = /^\s*([^=!\s]+)\s*(==|=|!=)\s*([^\s]*)\s*$/.exec(term) ?? [];
    if (field === undefined || value === undefined) {
      throw new ApiFailure(
        400,
        `fieldSelector: expected field=value, found ${JSON.stringify(term)}`,
      );
    }
    if (!known.includes(field)) {
      const message = `fieldSelector: field label not supported: ${field}; known are ${known.join(', ')}`;
      throw new ApiFailure(400, message);
    }
    return { field, value, negated: operator === '!=' };
  });
}
