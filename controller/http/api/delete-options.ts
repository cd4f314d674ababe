import type { Request } from 'express';
import { bodyObject } from './body.ts';
import { isRecord } from '../../../crds/record.ts';
import { isDryRun, unsupported } from './parameters.ts';
import { textOf } from './selectors.ts';
import { ApiFailure } from './status.ts';

/** What Kubernetes' DeleteOptions say here. */
export interface DeleteOptions {
  readonly dryRun: boolean;
  /** What the object owns stays. */
  readonly orphan: boolean;
  readonly uid?: string;
  readonly resourceVersion?: string;
}

/**
 * Reads `DeleteOptions` from body and query. There is nothing to be graceful about, and dependents
 * go with their owner in the same instant, so Background and Foreground are one. Throws 422.
 */
export function deleteOptions(req: Request): DeleteOptions {
  const body = Buffer.isBuffer(req.body) && req.body.length > 0 ? bodyObject(req) : {};
  const policy = policyOf(body['propagationPolicy'] ?? textOf(req, 'propagationPolicy'));
  const preconditions = isRecord(body['preconditions']) ? body['preconditions'] : {};
  const { uid, resourceVersion } = preconditions;
  return {
    dryRun: isDryRun(req) || isDry(body['dryRun']),
    orphan: policy === 'Orphan' || (policy === '' && body['orphanDependents'] === true),
    ...(typeof uid === 'string' && { uid }),
    ...(typeof resourceVersion === 'string' && { resourceVersion }),
  };
}

function policyOf(policy: unknown): string {
  const known = ['Background', 'Foreground', 'Orphan'];
  if (typeof policy === 'string' && ['', ...known].includes(policy)) return policy;
  throw unsupported('propagationPolicy', policy, known);
}

function isDry(given: unknown): boolean {
  if (given === undefined || given === null) return false;
  if (!Array.isArray(given)) throw new ApiFailure(400, 'dryRun: expected a list');
  const odd: unknown = given.find((one) => one !== 'All');
  if (odd !== undefined) throw unsupported('dryRun', odd, ['All']);
  return given.length > 0;
}
