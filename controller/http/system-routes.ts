import express, { type Request, type Response, type Router } from 'express';
import type { Registry } from 'prom-client';
import { closing } from './connection.ts';
import { ownVersion } from '../own-version.ts';
import { verdictOf, type Check, type Health } from '../health.ts';
import type { ServerOptions } from './options.ts';
import { plain } from './reply.ts';
import { ApiFailure } from './api/status.ts';
import { isLocal, type WriteRules } from './api/write-rules.ts';

/**
 * Probes, metrics and version. `/livez` fails for what a restart mends, `/readyz` while clients can't
 * be answered; `/healthz` is the former. With `?verbose`, `?exclude=NAME` and `/livez/NAME` as
 * kube-apiserver has them.
 */
export function systemRoutes(health: () => Health, metrics: Registry): Router {
  const router = express.Router();
  const probe = (name: string, checksOf: (state: Health) => readonly Check[]) =>
    router.get(`/${name}{/:check}`, (req, res) =>
      tell(req, res, { name, all: checksOf(health()) }),
    );
  probe('livez', ({ live }) => live);
  probe('healthz', ({ live }) => live);
  probe('readyz', ({ ready }) => ready);
  router.get('/metrics', async (_req, res) => {
    res.type(metrics.contentType).send(await metrics.metrics());
  });
  const version = versionInfo();
  router.get('/version', (_req, res) => void res.json(version));
  return router;
}

const ping: Check = { name: 'ping', state: 'good' };

function tell(
  req: Request,
  res: Response,
  { name, all }: { readonly name: string; readonly all: readonly Check[] },
): void {
  const { check } = req.params;
  const checks = [ping, ...all].filter((one) => check === undefined || one.name === check);
  if (checks.length === 0) throw new ApiFailure(404, `${name} has no such check`);
  const { verbose, exclude = [] } = req.query;
  const excluded = [exclude].flat().map(String);
  const { isGood, text } = verdictOf(checks, { name, isVerbose: verbose !== undefined, excluded });
  res.status(isGood ? 200 : 503).set('Cache-Control', 'no-store');
  res.type(plain).send(text);
}

/** As `kubectl version` reads it. */
function versionInfo() {
  const version = ownVersion();
  const [major = '', minor = ''] = version.split('.');
  const platform = `${process.platform}/${process.arch}`;
  const unknown = { gitCommit: '', gitTreeState: '', buildDate: '', goVersion: '' };
  return { major, minor, gitVersion: `v${version}`, ...unknown, compiler: 'node', platform };
}

export interface DiffOptions {
  readonly diff: ServerOptions['diff'];
  readonly rules: WriteRules;
  /** Whether something private is served: then the names of its packages are, too. */
  readonly hasPrivate: () => boolean;
}

/** `GET /api/v1/diff?from=…&to=…`: what changes between two snapshots or environments. */
export function diffRoute({ diff, rules, hasPrivate }: DiffOptions): Router {
  const router = express.Router();
  router.get('/api/v1/diff', async (req: Request, res: Response) => {
    const { from, to } = req.query;
    if (typeof from !== 'string' || typeof to !== 'string' || from === '' || to === '') {
      throw new ApiFailure(400, 'give from and to, once each');
    }
    if (!diff) throw new ApiFailure(503, 'this server compares nothing');
    const allowed = rules.access.mayRead(req.headers.authorization) || isLocal(req, rules);
    if (hasPrivate() && !allowed) {
      throw new ApiFailure(401, 'some archives here are private: comparing needs the read token');
    }
    res.json(await diff(from, to, closing(req.socket)));
  });
  return router;
}
