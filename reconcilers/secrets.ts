import { CairnError } from '../crds/reasons.ts';

/** Reads a secret by name: key → value; undefined when there is none. */
export type Secrets = (name: string) => Promise<Readonly<Record<string, string>> | undefined>;

/** One value of a secret; throws SecretMissing that says what to create. */
export async function secretValue(
  secrets: Secrets,
  { name, key }: { name: string; key: string },
): Promise<string> {
  const value = (await secrets(name))?.[key];
  if (value === undefined) {
    throw new CairnError('SecretMissing', `there is no secret ${name} with a key ${key}`);
  }
  return value;
}
