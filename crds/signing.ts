import { Type } from 'typebox';
import { Duration, SecretKeyRef, Timestamp } from './scalars.ts';

/** `spec.signing` of what signs Release files of its own. */
export const Signing = (description: string) =>
  Type.Object(
    {
      epoch: Type.Integer({
        default: 1,
        minimum: 1,
        maximum: 10_000,
        description:
          'Raise it by one to rotate the key. A new key is made; until `overlap` is over, both sign.',
      }),
      overlap: Duration('How long the key before signs beside the new one.', { default: '30d' }),
      keyRef: Type.Optional(
        SecretKeyRef('An armored private key to sign with, instead of one that Cairn makes.'),
      ),
    },
    { default: {}, description },
  );

/** `status.keys` of the same. */
export const SigningKeys = Type.Array(
  Type.Object({
    fingerprint: Type.String({ maxLength: 64, description: 'Of the primary key.' }),
    epoch: Type.Integer({ description: 'The spec.signing.epoch that it was made for.' }),
    until: Type.Optional(Timestamp('When it stops signing.')),
  }),
  { maxItems: 4, description: 'The keys that sign, newest first.' },
);
