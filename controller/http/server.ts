import {
  createServer as createHttpServer,
  type IncomingMessage,
  type RequestListener,
  type Server as HttpServer,
} from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import express, { type Express } from 'express';
import { createAccess } from './access.ts';
import { check, type Health } from '../health.ts';
import { apiRouter, statusAnswer } from './api/router.ts';
import { ApiFailure } from './api/status.ts';
import { isLoopback, type WriteRules } from './api/write-rules.ts';
import { blobRoute, isBlobUpload } from './blob-route.ts';
import { limitBodyTime } from './body-time.ts';
import { buildFilesRoute } from './build-files-route.ts';
import { buildLogRoute } from './build-log-route.ts';
import { ClientConfig } from './client-config.ts';
import { Connections } from './connections.ts';
import { hookRoute } from './hook-route.ts';
import { inventoryRoute } from './inventory-route.ts';
import { reserved } from './locate.ts';
import { followMounts, usualNamespace, type Mounts } from './mounts.ts';
import { refusal, reply } from './reply.ts';
import type { Listening, SecureAddress, Server, ServerOptions } from './options.ts';
import { FileSender } from './send-file.ts';
import { Site } from './site.ts';
import { diffRoute, systemRoutes } from './system-routes.ts';
import { Traffic } from './traffic.ts';

export type { Server, ServerOptions } from './options.ts';

const timeouts = {
  headersTimeout: 30_000,
  /** To send a whole request, which may hold a large file; an answer may take for ever. */
  requestTimeout: 6 * 3_600_000,
  keepAliveTimeout: 75_000,
} as const;
/** To send a whole request of any other kind. Milliseconds. */
const bodyTimeout = 60_000;
/** A connection on which nothing moves for so long is cut. Milliseconds. */
const stalled = 300_000;

/** First segments that are not the site's. */
const applications: ReadonlySet<string> = new Set(
  [...reserved].filter(
    (name) => !['snapshots', 'environments', 'mirrors', 'repositories'].includes(name),
  ),
);

/** How soon clients should come back while the store is not read yet. Seconds. */
const againAfter = 2;
const notRead = 'the objects are not read yet: see /readyz';
const notYet = refusal(503, notRead, { 'Retry-After': String(againAfter) });

/** The HTTP server. Nothing is read and nothing listens before `listen`. */
export function createServer(options: ServerOptions): Server {
  const { log } = options;
  const shutdown = new AbortController();
  const access = createAccess(options);
  const traffic = new Traffic(options.metrics);
  let local = false;
  const rules: WriteRules = {
    access,
    listensLocally: () => local,
    externalUrl: options.externalUrl,
  };
  const limits = { ...timeouts, maxHeaderSize: 16 * 1024 };
  const http = createHttpServer(limits);
  const plain = new Connections(bounded(http));
  const connections = [plain];

  let serving: { readonly mounts: Mounts; readonly site: Site } | undefined;

  async function listen(host: string, port: number, secure?: SecureAddress): Promise<Listening> {
    if (options.synced) void options.synced.then(beginServing).catch(neverServing);
    else await beginServing();
    const app = application();
    const answer: RequestListener = (req, res) => {
      if (!isBlobUpload(req)) limitBodyTime(req, bodyTimeout);
      if (isForApplication(req)) app(req, res);
      else if (serving) serving.site.handle(req, res);
      else observe(req, 'system', 503, reply(res, notYet));
    };
    const answerExpecting: RequestListener = (req, res) => {
      if (!isBlobUpload(req)) res.writeContinue();
      answer(req, res);
    };
    http.on('request', answer).on('checkContinue', answerExpecting);
    const address = await plain.listen(host, port).catch(stopFollowing);
    local = isLoopback(address.address);
    const url = urlOf('http', address);
    if (!secure) return { url };
    const { cert, key } = secure;
    const https = bounded(createHttpsServer({ ...limits, cert, key }, answer));
    https.on('checkContinue', answerExpecting);
    const encrypted = new Connections(https);
    connections.push(encrypted);
    const other = await encrypted.listen(secure.host, secure.port).catch(stopFollowing);
    local &&= isLoopback(other.address);
    return { url, secureUrl: urlOf('https', other) };
  }

  async function beginServing(): Promise<void> {
    const mounts = await followMounts({
      store: options.store,
      ...(options.namespace !== undefined && { namespace: options.namespace }),
      log,
      signal: shutdown.signal,
    });
    const site = new Site({
      ...options,
      mounts,
      access,
      sender: new FileSender(options),
      config: new ClientConfig(options),
      externalUrl: options.externalUrl,
      observe,
    });
    serving = { mounts, site };
  }

  /** The store was closed before it could be read, or it broke: probes say so. */
  function neverServing(failure: unknown): void {
    if (!shutdown.signal.aborted)
      log.error('archives can not be served', { failure: String(failure) });
  }

  function health(): Health {
    const { live, ready } = options.health();
    const unread = serving ? [] : ['what there is to serve is not known yet'];
    return { live, ready: [check('archives', unread), ...ready] };
  }

  /** A server that can't listen follows nothing either. */
  function stopFollowing(failure: unknown): never {
    shutdown.abort();
    throw failure;
  }

  function application(): Express {
    const app = express();
    app.disable('x-powered-by').disable('etag').set('query parser', 'simple');
    app.use((req, res, next) => {
      const what = req.path.startsWith('/api') ? 'api' : 'system';
      res.once('close', () => observe(req, what, res.statusCode, 0));
      res.set({ 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff' });
      next();
    });
    app.use(systemRoutes(health, options.metrics));
    app.use((_req, res, next) => {
      if (serving) return next();
      res.set('Retry-After', String(againAfter));
      throw new ApiFailure(503, notRead);
    });
    const { store, now } = options;
    app.use(apiRouter({ store, rules, shutdown: shutdown.signal, now }));
    const { blobs, giveReceipt, namespace = usualNamespace } = options;
    app.use(blobRoute({ blobs, giveReceipt, rules, namespace }));
    const { buildsFolder: folder, redirect, replicas } = options;
    app.use(buildFilesRoute({ store, blobs, rules, redirect }));
    if (folder !== undefined) {
      app.use(buildLogRoute({ store, blobs, rules, folder, replicas, log }));
    }
    const { secrets } = options;
    if (secrets) app.use(hookRoute({ store, secrets, now, metrics: options.metrics }));
    if (options.inventories) app.use(inventoryRoute(options.inventories));
    app.use(
      diffRoute({
        diff: options.diff,
        rules,
        hasPrivate: () => !serving || hasPrivate(serving.mounts),
      }),
    );
    app.use(() => {
      throw new ApiFailure(404, 'there is nothing here');
    });
    app.use(statusAnswer(log));
    return app;
  }

  function observe(req: IncomingMessage, what: string, status: number, bytes: number): void {
    traffic.count(what, status, bytes);
    if (!options.accessLog) return;
    const { method, url } = req;
    log.debug('request', { method, path: url, status, bytes, peer: req.socket.remoteAddress });
  }

  async function close(graceMs: number): Promise<void> {
    shutdown.abort();
    await Promise.all(connections.map((one) => one.close(graceMs)));
  }

  return { listen, close };
}

function isForApplication({ url = '' }: IncomingMessage): boolean {
  const [, first = ''] = /^\/+([a-z]+)(?=[/?#]|$)/.exec(url) ?? [];
  return applications.has(first);
}

/** Whether anything that is served needs a token. */
function hasPrivate(mounts: Mounts): boolean {
  const { live, snapshots, environments, repositories } = mounts.table();
  const areas = [live, ...snapshots, ...environments.values(), ...repositories.values()];
  return areas.some((area) => !area.isPublic);
}

function bounded<Any extends HttpServer>(server: Any): Any {
  server.maxConnections = 10_000;
  server.setTimeout(stalled);
  return server;
}

function urlOf(scheme: 'http' | 'https', { address, family, port }: AddressInfo): string {
  return `${scheme}://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}
