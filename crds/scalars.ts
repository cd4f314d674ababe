import { Type } from 'typebox';

/** One of a few words. */
export const OneOf = <const Words extends readonly string[]>(
  words: readonly [...Words],
  options: { description: string; default?: Words[number] },
) => Type.Unsafe<Words[number]>({ type: 'string', enum: [...words], ...options });

/** `90s`, `1h30m`, `7d`: one or more numbers, each with a unit of ms, s, m, h or d. */
export const Duration = (description: string, options: { default?: string } = {}) =>
  Type.String({
    pattern: '^([0-9]+(\\.[0-9]+)?(ms|s|m|h|d))+$',
    maxLength: 64,
    description,
    examples: ['90s', '1h30m'],
    ...options,
  });

/** A name of an object: a DNS label of RFC 1123, with dots allowed. */
export const ObjectName = (description: string) =>
  Type.String({
    pattern: '^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$',
    minLength: 1,
    maxLength: 253,
    description,
    examples: ['debian', 'debian-2026-08-01'],
  });

/** `{ name }` of an object of the same namespace. */
export const LocalRef = (description: string) =>
  Type.Object({ name: ObjectName('The name of that object.') }, { description });

/** A SHA-256 in hex: the name of a blob or tree in the depot. */
export const Sha256 = (description: string) =>
  Type.String({ pattern: '^[0-9a-f]{64}$', maxLength: 64, description });

export const Timestamp = (description: string) => Type.String({ format: 'date-time', description });

/** `{ name, key }` of a secret. */
export const SecretKeyRef = (description: string) =>
  Type.Object(
    {
      name: ObjectName('The name of the secret.'),
      key: Type.String({
        pattern: '^[-._a-zA-Z0-9]+$',
        minLength: 1,
        maxLength: 253,
        description: 'The key inside the secret.',
        examples: ['keyring.asc'],
      }),
    },
    { description },
  );
