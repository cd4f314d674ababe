import { readSigningKey, type SigningKey } from '../../apt/openpgp.ts';
import type { Environment } from '../../crds/environment.ts';
import { durationMs } from '../../crds/duration.ts';
import { CairnError } from '../../crds/reasons.ts';
import { timestamp } from '../../crds/timestamp.ts';
import { secretValue, type Secrets } from '../secrets.ts';
import { keyTitle, type KeyName, type KeyStore } from './key-store.ts';

type KeyStatus = NonNullable<Environment['status']['keys']>;

/** What signs Release files of its own: an Environment or a Repository. */
export interface Signing {
  readonly owner: KeyName['owner'];
  readonly metadata: { readonly namespace: string; readonly name: string };
  readonly spec: Pick<Environment['spec'], 'signing'>;
  readonly status: { readonly keys?: KeyStatus };
}

export interface Signers {
  /** They all sign; the newest first. */
  readonly keys: readonly SigningKey[];
  readonly status: KeyStatus;
  /** When the next of them stops signing, in milliseconds. */
  readonly nextChange: number | undefined;
}

export interface SignerDeps {
  readonly keyStore: KeyStore;
  readonly secrets: Secrets;
}

const mostOldKeys = 3;

/**
 * The keys that sign for somebody now: that of the spec's epoch, and those of epochs before
 * until their overlap is over. Clients that only know an old key keep working meanwhile.
 */
export async function signersOf(signing: Signing, deps: SignerDeps, now: Date): Promise<Signers> {
  const { epoch, overlap } = signing.spec.signing;
  const newest = await keyOf(signing, epoch, deps, now);
  await refuseExpired(newest, signing, now);
  const until = timestamp(new Date(now.getTime() + durationMs(overlap)));
  const older = (signing.status.keys ?? [])
    .filter((key) => key.epoch !== epoch && key.fingerprint !== newest.fingerprint)
    // A shorter overlap counts for keys that were retired under a longer one.
    .map((key) => ({
      ...key,
      until: key.until !== undefined && key.until < until ? key.until : until,
    }))
    .filter((key) => Date.parse(key.until) > now.getTime())
    .slice(0, mostOldKeys);
  const olderKeys = await Promise.all(
    older.map(async (status) => ({ status, key: await oldKey(signing, status, deps) })),
  );
  const usable = olderKeys.filter(({ status, key }) => key?.fingerprint === status.fingerprint);
  return {
    keys: [newest, ...usable.map(({ key }) => key).filter((key) => key !== undefined)],
    status: [{ fingerprint: newest.fingerprint, epoch }, ...usable.map(({ status }) => status)],
    nextChange: older.map((key) => Date.parse(key.until)).sort((a, b) => a - b)[0],
  };
}

async function keyOf(
  { owner, metadata, spec }: Signing,
  epoch: number,
  { keyStore, secrets }: SignerDeps,
  now: Date,
): Promise<SigningKey> {
  const { keyRef } = spec.signing;
  if (keyRef) {
    const armored = await secretValue(secrets, { ...keyRef, namespace: metadata.namespace });
    return signingKey(armored, `${keyRef.key} of secret ${keyRef.name}`);
  }
  const { namespace, name } = metadata;
  const key = { namespace, owner, name, epoch };
  return signingKey(await keyStore.obtain(key, now), keyTitle(key));
}

/** A key of an earlier epoch: only one that Cairn keeps can still sign. */
async function oldKey(
  { owner, metadata }: Signing,
  { epoch }: KeyStatus[number],
  { keyStore }: SignerDeps,
): Promise<SigningKey | undefined> {
  const { namespace, name } = metadata;
  const key = { namespace, owner, name, epoch };
  const armored = await keyStore.find(key);
  return armored === undefined ? undefined : signingKey(armored, keyTitle(key));
}

/** What such a key signs, no client takes. Somebody may be about to replace it. */
async function refuseExpired({ key }: SigningKey, { spec }: Signing, now: Date): Promise<void> {
  const expiry = await key.getExpirationTime();
  if (!(expiry instanceof Date) || expiry > now) return;
  const { keyRef } = spec.signing;
  const what = keyRef ? `${keyRef.key} of secret ${keyRef.name}` : 'the key';
  throw new CairnError('SigningFailed', `${what} has expired, on ${timestamp(expiry)}`);
}

async function signingKey(armored: string, what: string): Promise<SigningKey> {
  try {
    return await readSigningKey(armored);
  } catch (error) {
    if (!(error instanceof CairnError)) throw error;
    throw new CairnError(error.reason, `${what}: ${error.message}`);
  }
}
