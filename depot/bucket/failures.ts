import { CairnError } from '../../crds/reasons.ts';

/** What a server says when a conditional write finds an object there. */
export function isThere(error: unknown): boolean {
  return statusOf(error) === 412;
}

/** Another writer of the same key is busy; a try later finds its object there. */
export function isBusy(error: unknown): boolean {
  return statusOf(error) === 409;
}

/** Some servers don't know conditional writes, and say so. */
export function isUnknown(error: unknown): boolean {
  return statusOf(error) === 501;
}

export function isMissing(error: unknown): boolean {
  return statusOf(error) === 404 && nameOf(error) !== 'NoSuchBucket';
}

/** A failure of a request, for people: which bucket, what was tried, and why it failed. */
export function unavailable(bucket: string, tried: string, error: unknown): CairnError {
  if (error instanceof CairnError) return error;
  const status = statusOf(error);
  const why = status === undefined ? reasonOf(error) : `${nameOf(error)} (${status})`;
  const message = `could not ${tried} in the bucket ${bucket}: ${why}${hint(error)}`;
  return new CairnError('DepotUnavailable', message, { cause: error });
}

function hint(error: unknown): string {
  if (nameOf(error) === 'NoSuchBucket') return '; make the bucket first';
  if (nameOf(error) === 'CredentialsProviderError') {
    return '; give AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a role';
  }
  if (statusOf(error) === 403) {
    return '; its credentials must allow s3:GetObject, s3:PutObject, s3:DeleteObject and s3:ListBucket';
  }
  return '';
}

function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0]);
  if (!(error instanceof Error)) return String(error);
  return error.message === '' ? nameOf(error) : error.message;
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : '';
}

function statusOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('$metadata' in error)) return undefined;
  const { httpStatusCode } = error.$metadata as { httpStatusCode?: number }; // as the SDK says
  return httpStatusCode;
}
