import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import express, { type Router } from 'express';
import { BuildKind, type Build } from '../../crds/build.ts';
import type { StoreReader } from '../../crds/store.ts';
import type { BlobReader } from '../../depot/depot.ts';
import { ApiFailure } from './api/status.ts';
import { isLocal, type WriteRules } from './api/write-rules.ts';

export interface BuildLogOptions {
  readonly store: Pick<StoreReader, 'get'>;
  readonly blobs: Pick<BlobReader, 'path'>;
  readonly rules: WriteRules;
  /** Where Builds that are not through have their logs, as `<uid>/log`. */
  readonly folder: string;
}

/**
 * `GET /builds/<namespace>/<name>/log`: the log of a Build, as far as it is known, with ranges. The header
 * `X-Build-Finished` tells whether more may come. For holders of any token, and for everybody where nobody else can reach the server.
 */
export function buildLogRoute({ store, blobs, rules, folder }: BuildLogOptions): Router {
  const router = express.Router();
  router.get('/builds/:namespace/:name/log', async (req, res, next) => {
    if (!rules.access.mayRead(req.headers.authorization) && !isLocal(req, rules)) {
      throw new ApiFailure(401, 'logs of builds need the read token');
    }
    const { namespace, name } = req.params;
    const build = (await store.get({ kind: BuildKind.kind, namespace, name })) as Build | undefined;
    if (!build) throw new ApiFailure(404, `there is no Build ${name}`);
    const { log, finishedAt } = build.status;
    const live = join(folder, build.metadata.uid, 'log');
    const file = finishedAt !== undefined && log ? await blobs.path(log.sha256) : live;
    const isThere = await stat(file).then(
      () => true,
      () => false,
    );
    res.set('X-Build-Finished', String(finishedAt !== undefined));
    // Whatever a build prints is text, and nothing else.
    res.type('text/plain; charset=utf-8').set('Content-Security-Policy', "default-src 'none'");
    if (!isThere) return void res.send('');
    const headers = { 'Cache-Control': 'no-store' };
    const options = { dotfiles: 'allow', etag: false, lastModified: false, headers } as const;
    res.sendFile(file, options, (error: unknown) => {
      if (error && !res.headersSent) next(error);
    });
  });
  return router;
}
