import { keyOf, type KubeObject } from '../../../crds/object.ts';
import type { Request } from 'express';
import { textOf } from './selectors.ts';
import { ApiFailure } from './status.ts';

/** Where a page ends: the version that the first page showed, and the last object of this one. */
interface Mark {
  readonly version: string;
  readonly after: string;
}

export interface Page {
  readonly items: readonly KubeObject[];
  readonly metadata: {
    readonly resourceVersion: string;
    readonly continue?: string;
    readonly remainingItemCount?: number;
  };
}

/**
 * The page of a list that `limit` and `continue` ask for. Later pages show what is there then, but
 * carry the version of the first: whoever watches from there misses nothing. Throws 400.
 */
export function pageOf(
  req: Request,
  all: readonly KubeObject[],
  { resourceVersion, counted }: { readonly resourceVersion: string; readonly counted: boolean },
): Page {
  const limit = limitOf(req);
  const mark = markOf(textOf(req, 'continue'));
  const version = mark?.version ?? resourceVersion;
  const rest = mark ? all.filter((object) => positionOf(object) > mark.after) : all;
  const items = limit === 0 ? rest : rest.slice(0, limit);
  const last = items.at(-1);
  if (!last || items.length === rest.length)
    return { items, metadata: { resourceVersion: version } };
  const token = JSON.stringify({ version, after: positionOf(last) });
  return {
    items,
    metadata: {
      resourceVersion: version,
      continue: Buffer.from(token).toString('base64url'),
      ...(counted && { remainingItemCount: rest.length - items.length }),
    },
  };
}

/** Objects are sorted by it: by namespace, then name. NUL is in neither. */
function positionOf(object: KubeObject): string {
  return keyOf(object).split('/').slice(1).join('\0');
}

function limitOf(req: Request): number {
  const text = textOf(req, 'limit');
  if (text === '') return 0;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new ApiFailure(400, `limit: expected a number, found ${JSON.stringify(text)}`);
}

function markOf(token: string): Mark | undefined {
  if (token === '') return undefined;
  try {
    const mark: unknown = JSON.parse(Buffer.from(token, 'base64url').toString('utf8'));
    const { version, after } = mark as Partial<Mark>;
    if (typeof version === 'string' && typeof after === 'string') return { version, after };
  } catch {
    // told below
  }
  throw new ApiFailure(400, 'continue: this is no token of a list of this server');
}
