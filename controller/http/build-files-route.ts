import express, { type Request, type Response, type Router } from 'express';
import type { BlobReader } from '../../depot/depot.ts';
import type { Redirect } from '../redirect.ts';
import { ApiFailure } from './api/status.ts';
import { readableBuild, type BuildAccess } from './build-access.ts';
import { harmless, sendStored } from './build-log-route.ts';
import { contentTypeOf } from './representation.ts';

export interface BuildFilesOptions extends BuildAccess {
  readonly blobs: Pick<BlobReader, 'path'>;
  readonly redirect?: Redirect | undefined;
}

interface Stored {
  readonly name: string;
  readonly sha256: string;
  readonly size: number;
}

/**
 * What a Build made, and where it comes from:
 *
 * - `GET /builds/<namespace>/<name>/artifacts/<file>`
 * - `GET /builds/<namespace>/<name>/provenance.json`, a DSSE envelope, and `provenance.json.asc`, its detached signature
 *
 * Neither ever changes. With ranges, and for the same people as the log.
 */
export function buildFilesRoute(options: BuildFilesOptions): Router {
  const router = express.Router();
  router.get('/builds/:namespace/:name/artifacts/:file', async (req, res, next) => {
    const { build, isPublic } = await readableBuild(req, req.params, options);
    const { file } = req.params;
    const found = build.status.artifacts?.find(({ name }) => name === file);
    await send({ req, res, next, isPublic }, found, options);
  });
  router.get('/builds/:namespace/:name/:file', async (req, res, next) => {
    const { file } = req.params;
    if (file !== envelope && file !== signature) return next();
    const { build, isPublic } = await readableBuild(req, req.params, options);
    const { provenance } = build.status;
    const found =
      file === envelope
        ? provenance && { name: file, ...provenance }
        : provenance && { name: file, sha256: provenance.signature, size: 0 };
    await send({ req, res, next, isPublic }, found, options);
  });
  return router;
}

const envelope = 'provenance.json';
const signature = 'provenance.json.asc';

interface Exchange {
  readonly req: Request;
  readonly res: Response;
  readonly next: (error: unknown) => void;
  readonly isPublic: boolean;
}

async function send(
  { res, next, isPublic }: Exchange,
  file: Stored | undefined,
  { blobs, redirect }: BuildFilesOptions,
): Promise<void> {
  if (!file) throw new ApiFailure(404, 'this Build has no such file');
  const { name, sha256, size } = file;
  const type = name.endsWith('.json') ? 'application/json' : contentTypeOf(name);
  harmless(res).type(type);
  if (redirect && size > redirect.aboveBytes) {
    const url = await redirect.url(sha256, type);
    if (url !== undefined) return res.redirect(307, url);
  }
  const path = await blobs.path(sha256);
  const audience = isPublic ? 'public' : 'private';
  res.set('Cache-Control', `${audience}, max-age=31536000, immutable`).set('ETag', `"${sha256}"`);
  if (!isPublic) res.set('Vary', 'Authorization');
  sendStored(res, path, next);
}
