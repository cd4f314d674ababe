import { detachSign } from '../../apt/openpgp.ts';
import type { Build } from '../../crds/build.ts';
import type { Repository } from '../../crds/repository.ts';
import type { BlobWriter } from '../../depot/depot.ts';
import { sealEnvelope } from '../signing/envelope.ts';
import { signersOf, type SignerDeps } from '../signing/signers.ts';
import { signingTime } from '../signing/signing-time.ts';
import { statementOf, type Facts } from './statement.ts';

export interface AttestDeps extends SignerDeps {
  readonly blobs: Pick<BlobWriter, 'put' | 'sync'>;
  readonly now: () => Date;
}

const payloadType = 'application/vnd.in-toto+json';

/**
 * Says where the packages of a Build come from, signed as the Repository signs now. All of it is durable
 * when this returns; done again after a crash, it gives the same, as long as the keys are the same.
 */
export async function attest(
  facts: Facts,
  repository: Repository,
  deps: AttestDeps,
): Promise<NonNullable<Build['status']['provenance']>> {
  const { keys } = await signersOf({ ...repository, owner: 'repository' }, deps, deps.now());
  const date = signingTime(keys, new Date(facts.outcome.finishedAt));
  const statement = Buffer.from(statementOf(facts));
  const envelope = await sealEnvelope(statement, payloadType, { keys, date });
  const { sha256, size } = deps.blobs.put(Buffer.from(envelope));
  const signature = deps.blobs.put(Buffer.from(await detachSign(envelope, keys, date)));
  await deps.blobs.sync();
  const signedBy = keys.map(({ fingerprint }) => fingerprint);
  return { sha256, size, signature: signature.sha256, signedBy };
}
