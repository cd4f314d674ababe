/** The field, or nothing when there is no value: for optional fields. */
export function given<Name extends string, Value>(
  name: Name,
  value: Value | undefined,
): { readonly [K in Name]?: Value } {
  const none: { readonly [K in Name]?: Value } = {};
  return value === undefined ? none : { ...none, [name]: value };
}
