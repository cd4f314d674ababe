import express, { type NextFunction, type Request, type Response, type Router } from 'express';
import { apiVersion } from '../../../crds/object.ts';
import type { EventReader, Store } from '../../../crds/store.ts';
import type { Log } from '../../log.ts';
import type { Action } from '../roles.ts';
import { maxBody } from './body.ts';
import { coreRouter } from './core.ts';
import { Deletions } from './deletions.ts';
import { discoveryRouter } from './discovery.ts';
import { openapiRouter } from './openapi.ts';
import { Representation } from './representation.ts';
import { reviewsRouter } from './reviews.ts';
import { Resources, scopeOf } from './resources.ts';
import { selectionOf } from './selectors.ts';
import { ApiFailure, asApiFailure, type Details } from './status.ts';
import { columnsOf } from './table.ts';
import { streamWatch } from './watch.ts';
import { checkMayDo, type WriteRules } from './write-rules.ts';
import { Writes } from './writes.ts';

export interface ApiOptions {
  readonly store: Store & EventReader;
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
  const writes = new Writes({ store, rules, now });
  const deletions = new Deletions(store);
  const router = express.Router();
  router.use(discoveryRouter());
  router.use(openapiRouter());
  router.use(coreRouter({ store, now, shutdown }));
  router.use(reviewsRouter(rules));
  const root = `/apis/${apiVersion}`;
  const collection = `${root}/namespaces/:namespace/:plural`;
  const object = `${collection}/:name`;
  const mayDo = (verb: Action['verb'], subresource?: 'status') =>
    guard((req) => checkMayDo(req, rules, actionOf(req, verb, subresource)));
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
    .post(mayDo('create'), body, (req, res) => writes.create(req, res))
    .delete(mayDo('deletecollection'), body, (req, res) => deletions.removeAll(req, res))
    .all(notAllowed);
  router
    .route(object)
    .get((req, res) => resources.get(req, res))
    .put(mayDo('update'), body, (req, res) => writes.replace(req, res))
    .patch(mayDo('patch'), body, (req, res) => writes.patch(req, res))
    .delete(mayDo('delete'), body, (req, res) => deletions.remove(req, res))
    .all(notAllowed);
  router
    .route(`${object}/status`)
    .get((req, res) => resources.get(req, res))
    .put(mayDo('update', 'status'), body, (req, res) => writes.replaceStatus(req, res))
    .patch(mayDo('patch', 'status'), body, (req, res) => writes.patchStatus(req, res))
    .all(notAllowed);
  return router;
}

/** Answers what went wrong as a Status. */
export function statusAnswer(log: Log) {
  // express knows error handlers by their four parameters
  return (thrown: unknown, req: Request, res: Response, _next: NextFunction): void => {
    const failure = asApiFailure(thrown, aboutPath(req.path));
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

/** What a path is about. The parameters of a route are gone when its error is answered. */
function aboutPath(path: string): Details {
  if (!path.startsWith(`/apis/${apiVersion}/`)) return {};
  const [, kind, name] =
    /^\/[^/]+\/[^/]+\/[^/]+(?:\/namespaces\/[^/]+)?\/([a-z]+)(?:\/([^/]+))?/.exec(path) ?? [];
  const isName = name !== undefined && !name.includes('%');
  return { ...(kind !== undefined && { kind }), ...(isName && { name }) };
}

function guard(check: (req: Request) => void) {
  return (req: Request, _res: Response, next: NextFunction): void => {
    check(req);
    next();
  };
}

function actionOf(req: Request, verb: Action['verb'], subresource?: 'status'): Action {
  const { kind, namespace = 'default' } = scopeOf(req);
  const { name } = req.params;
  return {
    verb,
    plural: kind.plural,
    namespace,
    ...(typeof name === 'string' && { name }),
    ...(subresource && { subresource }),
  };
}

function notAllowed(req: Request): never {
  throw new ApiFailure(405, `${req.method} is not understood here`);
}
