import { asCairnError, CairnError } from '../../crds/reasons.ts';
import { hookPath, type Source } from '../../crds/source.ts';
import type { Report } from '../reconciler.ts';
import { secretValue, type Secrets } from '../secrets.ts';

/** A shorter one can be guessed by whoever has seen one signed call. */
const leastLength = 16;
/** An old and a new one, while they are changed; some more do no harm. */
const mostTokens = 4;

/**
 * What git hosts sign with, who call for a Source: none where it has no webhook. Throws `SecretMissing`,
 * and whatever reading a secret throws.
 */
export async function webhookTokens(
  { metadata, spec }: Pick<Source, 'metadata' | 'spec'>,
  secrets: Secrets,
): Promise<readonly string[]> {
  if (!spec.webhook) return [];
  const { name, key } = spec.webhook.secretRef;
  const value = await secretValue(secrets, { namespace: metadata.namespace, name, key });
  const tokens = value.split(/\r?\n/).filter((line) => line !== '');
  if (tokens.length === 0 || tokens.length > mostTokens) {
    throw new CairnError('SecretMissing', `${key} of ${name}: expected 1 to ${mostTokens} lines`);
  }
  if (tokens.some((token) => token.length < leastLength)) {
    const message = `${key} of ${name}: expected at least ${leastLength} characters`;
    throw new CairnError('SecretMissing', message);
  }
  return tokens;
}

/** What a Source says of its webhook, and whether pushes are told of by it. */
export interface Webhook {
  readonly works: boolean;
  readonly url: string | undefined;
  readonly condition: Report<Source['status']>['condition'] & object;
}

/** Undefined where none is declared. `base` is the server's own URL, if anybody knows it. */
export async function webhookOf(
  source: Pick<Source, 'metadata' | 'spec'>,
  { secrets, base }: { readonly secrets: Secrets; readonly base: string | undefined },
): Promise<Webhook | undefined> {
  if (!source.spec.webhook) return undefined;
  const url = base === undefined ? undefined : `${base}/${hookPath(source)}`;
  const type = 'Webhook';
  try {
    await webhookTokens(source, secrets);
    const where = url ?? `/${hookPath(source)} of this server, whose URL --external-url tells`;
    const message = `Git hosts tell of pushes at ${where}`;
    return { works: true, url, condition: { type, status: 'True', reason: 'Succeeded', message } };
  } catch (error) {
    const { reason, message } = asCairnError(error);
    return { works: false, url, condition: { type, status: 'False', reason, message } };
  }
}
