import { load } from 'js-yaml';
import type { Request } from 'express';
import { kubectlSchema } from '../../sources/kubectl-yaml.ts';
import { ApiFailure } from './status.ts';
import { isRecord } from '../../../crds/record.ts';

/** Bytes of a request's body, as of etcd. */
export const maxBody = 1.5 * 1024 * 1024;

/** Far deeper than any object here; what walks through one may then call itself. */
const maxDepth = 64;

const known: ReadonlySet<string> = new Set([
  '',
  'application/json',
  'application/yaml',
  'application/x-yaml',
  'text/yaml',
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/apply-patch+yaml',
]);

/** The type of a request's body, without parameters. */
export function bodyType(req: Request): string {
  return (req.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
}

/** The object in a body that `express.raw` has read, JSON or YAML. Throws 400 and 415. */
export function bodyObject(req: Request): Record<string, unknown> {
  const value = bodyValue(req);
  if (!isRecord(value)) throw new ApiFailure(400, 'the body is not an object');
  return value;
}

/** The same for bodies that may be lists. */
export function bodyValue(req: Request): unknown {
  const type = bodyType(req);
  if (!known.has(type)) throw new ApiFailure(415, `bodies of type ${type} are not understood here`);
  const text = Buffer.isBuffer(req.body) ? req.body.toString('utf8') : '';
  const value = parse(text, type);
  if (isDeeperThan(value, maxDepth)) {
    throw new ApiFailure(400, `the body is nested deeper than ${maxDepth} levels`);
  }
  return value;
}

/** YAML without aliases: an object needs none, and a few of them can stand for gigabytes. */
function parse(text: string, type: string): unknown {
  try {
    const json = type.endsWith('json') || text.trimStart().startsWith('{');
    return json ? JSON.parse(text) : load(text, { maxAliases: 0, schema: kubectlSchema });
  } catch (failure) {
    const message = failure instanceof Error ? failure.message : String(failure);
    throw new ApiFailure(400, `the body can't be read: ${message}`);
  }
}

/** Goes down level by level, so that depth costs no stack. */
function isDeeperThan(value: unknown, depth: number): boolean {
  let level: readonly unknown[] = [value];
  for (let at = 0; level.length > 0; at += 1) {
    if (at > depth) return true;
    level = level.flatMap((one) =>
      typeof one === 'object' && one !== null ? Object.values(one) : [],
    );
  }
  return false;
}
