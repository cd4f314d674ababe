import type { Request } from 'express';
import { bodyObject } from './body.ts';
import { isRecord } from '../../../crds/record.ts';
import { isDryRun, unsupported } from './parameters.ts';
import { textOf } from './selectors.ts';
import { ApiFailure } from './status.ts';

/** What Kubernetes' DeleteOptions say here. */
export interface DeleteOptions {
  readonly dryRun: boolean;
  readonly uid?: string;
  readonly resourceVersion?: string;
}

/**
 * Reads `DeleteOptions` from body and query. There is nothing to be graceful about, and dependents
 * go with their owner in the same instant, so both kinds of propagation are one. Throws 422 for
 * `Orphan`, which is none of them.
 */
export function deleteOptions(req: Request): DeleteOptions {
  const body = Buffer.isBuffer(req.body) && req.body.length > 0 ? bodyObject(req) : {};
  checkPropagation(body['propagationPolicy'] ?? textOf(req, 'propagationPolicy'));
  if (body['orphanDependents'] === true) throw unsupported('orphanDependents', true, ['false']);
  const preconditions = isRecord(body['preconditions']) ? body['preconditions'] : {};
  const { uid, resourceVersion } = preconditions;
  return {
    dryRun: isDryRun(req) || isDry(body['dryRun']),
    ...(typeof uid === 'string' && { uid }),
    ...(typeof resourceVersion === 'string' && { resourceVersion }),
  };
}

function checkPropagation(policy: unknown): void {
  const known = ['', 'Background', 'Foreground'];
  if (typeof policy === 'string' && known.includes(policy)) return;
  throw unsupported('propagationPolicy', policy, ['Background', 'Foreground']);
}

function isDry(given: unknown): boolean {
  if (given === undefined || given === null) return false;
  if (!Array.isArray(given)) throw new ApiFailure(400, 'dryRun: expected a list');
  const odd: unknown = given.find((one) => one !== 'All');
  if (odd !== undefined) throw unsupported('dryRun', odd, ['All']);
  return given.length > 0;
}
