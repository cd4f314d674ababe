import { CairnError } from '../crds/reasons.ts';

/** Key → value. */
export type Secret = Readonly<Record<string, string>>;

/** Which secret: of the namespace of the object that names it. */
export interface SecretName {
  readonly namespace: string;
  readonly name: string;
}

/** Reads a secret; undefined when there is none. */
export type Secrets = (name: SecretName) => Promise<Secret | undefined>;

/** One value of a secret; throws SecretMissing that says what to create. */
export async function secretValue(
  secrets: Secrets,
  { key, ...name }: SecretName & { readonly key: string },
): Promise<string> {
  const value = (await secrets(name))?.[key];
  if (value === undefined) {
    throw new CairnError('SecretMissing', `there is no secret ${name.name} with a key ${key}`);
  }
  return value;
}

/** A secret that a spec may name; undefined when it names none. Throws `SecretMissing`. */
export async function readSecret(
  secrets: Secrets,
  { namespace }: { readonly namespace: string },
  ref: { readonly name: string } | undefined,
): Promise<Secret | undefined> {
  if (!ref) return undefined;
  const secret = await secrets({ namespace, name: ref.name });
  if (!secret) throw new CairnError('SecretMissing', `there is no secret ${ref.name}`);
  return secret;
}
