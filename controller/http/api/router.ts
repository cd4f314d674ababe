import express, { type NextFunction, type Request, type Response, type Router } from 'express';
import { apiVersion, group } from '../../../crds/object.ts';
import type { Store } from '../../../crds/store.ts';
import type { Log } from '../../log.ts';
import { maxBody } from './body.ts';
import { discoveryRouter } from './discovery.ts';
import { openapiRouter } from './openapi.ts';
import { Representation } from './representation.ts';
import { Resources, scopeOf } from './resources.ts';
import { selectionOf } from './selectors.ts';
import { ApiFailure, asApiFailure } from './status.ts';
import { columnsOf } from './table.ts';
import { streamWatch } from './watch.ts';
import { checkIsAdmin, checkMayWrite, type WriteRules } from './write-rules.ts';

export interface ApiOptions {
  readonly store: Store;
  readonly rules: WriteRules;
  /** Ends watches when the server closes. */
  readonly shutdown: AbortSignal;
  readonly now: () => Date;
}

/**
 * `/apis/cairn.build/v1alpha1` in the dialect of Kubernetes, with what clients ask before they use
 * it: discovery and OpenAPI. Reading is for everybody: objects hold no secrets.
 */
export function apiRouter({ store, rules, shutdown, now }: ApiOptions): Router {
  const resources = new Resources(store, now);
  const router = express.Router();
  router.use(discoveryRouter());
  router.use(openapiRouter());
  const root = `/apis/${apiVersion}`;
  const collection = `${root}/namespaces/:namespace/:plural`;
  const object = `${collection}/:name`;
  const mayWrite = guard((req) => {
    checkMayWrite(req, rules);
    checkParameters(req);
  });
  const isAdmin = guard((req) => {
    checkIsAdmin(req, rules);
    checkParameters(req);
  });
  const body = express.raw({ type: () => true, limit: maxBody, inflate: false });

  const listOrWatch = async (req: Request, res: Response): Promise<void> => {
    const { watch } = req.query;
    if (watch !== 'true' && watch !== '1') return resources.list(req, res);
    const { kind, namespace } = scopeOf(req);
    const selection = selectionOf(req, namespace);
    const form = new Representation(req, columnsOf(kind.kind), now);
    await streamWatch({ req, res }, { kind, store, selection, form }, shutdown);
  };

  router.route(`${root}/:plural`).get(listOrWatch).all(notAllowed);
  router
    .route(collection)
    .get(listOrWatch)
    .post(mayWrite, body, (req, res) => resources.create(req, res))
    .all(notAllowed);
  router
    .route(object)
    .get((req, res) => resources.get(req, res))
    .put(mayWrite, body, (req, res) => resources.replace(req, res))
    .patch(mayWrite, body, (req, res) => resources.patch(req, res))
    .delete(mayWrite, body, (req, res) => resources.remove(req, res))
    .all(notAllowed);
  router
    .route(`${object}/status`)
    .get((req, res) => resources.get(req, res))
    .put(isAdmin, body, (req, res) => resources.replaceStatus(req, res))
    .patch(isAdmin, body, (req, res) => resources.patchStatus(req, res))
    .all(notAllowed);
  router
    .route(`${object}/events`)
    .get((req, res) => resources.events(req, res))
    .all(notAllowed);
  return router;
}

/** Answers what went wrong as a Status. */
export function statusAnswer(log: Log) {
  // express knows error handlers by their four parameters
  return (thrown: unknown, req: Request, res: Response, _next: NextFunction): void => {
    const { name, plural } = req.params;
    const about = {
      ...(typeof name === 'string' && { name }),
      ...(typeof plural === 'string' && { kind: plural }),
    };
    const failure = asApiFailure(thrown, about);
    if (failure.code === 500) log.error('a request failed', { path: req.path, failure: thrown });
    if (res.headersSent) {
      req.socket.destroy();
      return;
    }
    if (failure.code === 401) res.set('WWW-Authenticate', 'Bearer realm="cairn"');
    // What is left of a body that nobody wanted would be taken for the next request.
    if (!req.complete) res.set('Connection', 'close');
    res.status(failure.code).json(failure.status());
  };
}

function guard(check: (req: Request) => void) {
  return (req: Request, _res: Response, next: NextFunction): void => {
    check(req);
    next();
  };
}

/** A dry run that is taken for the real thing would be bad. */
function checkParameters(req: Request): void {
  if (req.query['dryRun'] === undefined) return;
  throw new ApiFailure(400, `dryRun is not understood by ${group} yet`);
}

function notAllowed(req: Request): never {
  throw new ApiFailure(405, `${req.method} is not understood here`);
}
