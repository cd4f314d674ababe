import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import express, { type Response, type Router } from 'express';
import type { BlobReader } from '../../depot/depot.ts';
import { LeaderLogs, logType, type Replicas } from './leader-log.ts';
import { isVoucherFor, voucherHeader } from './vouchers.ts';
import type { Log } from '../log.ts';
import { readableBuild, type BuildAccess } from './build-access.ts';

export interface BuildLogOptions extends BuildAccess {
  readonly blobs: Pick<BlobReader, 'path'>;
  /** Where Builds that are not through have their logs, as `<uid>/log`. */
  readonly folder: string;
  /** Left out: that folder has all of them. */
  readonly replicas?: Replicas | undefined;
  readonly log: Log;
}

/**
 * `GET /builds/<namespace>/<name>/log`: the log of a Build, as far as it is known, with ranges. The header
 * `X-Build-Finished` tells whether more may come. That of one which runs comes from the replica that leads.
 */
export function buildLogRoute(options: BuildLogOptions): Router {
  const { blobs, folder, replicas } = options;
  const elsewhere = replicas && new LeaderLogs(replicas, options.log);
  const access = { ...options, isVouchedFor: replicas && voucherCheck(replicas) };
  const router = express.Router();
  router.get('/builds/:namespace/:name/log', async (req, res, next) => {
    const { build } = await readableBuild(req, req.params, access);
    const { log, finishedAt } = build.status;
    const live = join(folder, build.metadata.uid, 'log');
    harmless(res);
    if (finishedAt === undefined && elsewhere && !elsewhere.isHere()) {
      return void (await elsewhere.send(req, res, build));
    }
    const file = finishedAt !== undefined && log ? await blobs.path(log.sha256) : live;
    const isThere = await stat(file).then(
      () => true,
      () => false,
    );
    res.set('X-Build-Finished', String(finishedAt !== undefined)).type(logType);
    if (!isThere) return void res.send('');
    res.set('Cache-Control', 'no-store');
    sendStored(res, file, (error) => {
      // it was tidied away at this moment: whoever asks again gets what was stored
      if (isGone(error)) res.send('');
      else next(error);
    });
  });
  return router;
}

function voucherCheck({ secret }: Replicas): BuildAccess['isVouchedFor'] {
  return async ({ headers }, build) => {
    const given = headers[voucherHeader];
    return typeof given === 'string' && isVoucherFor(given, build, await secret());
  };
}

/** Sends a file, or the part that is asked for. `failed` is called while nothing has been sent. */
export function sendStored(res: Response, file: string, failed: (error: unknown) => void): void {
  const options = { dotfiles: 'allow', etag: false, lastModified: false } as const;
  res.sendFile(file, options, (error: unknown) => {
    if (!error || res.headersSent) return;
    res.removeHeader('ETag');
    res.set('Cache-Control', 'no-store');
    if (isBeyond(error)) res.status(416).end();
    else failed(error);
  });
}

/** Whoever follows a log asks for what is not there yet. */
function isBeyond(error: unknown): boolean {
  return error instanceof Error && 'status' in error && error.status === 416;
}

/** Whatever a build prints or makes, no browser runs it. */
export function harmless(res: Response): Response {
  return res.set('Content-Security-Policy', "default-src 'none'; sandbox");
}

function isGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
