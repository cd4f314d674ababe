import { createServer as createHttpServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { type Express } from 'express';
import { createAccess } from './access.ts';
import { apiRouter, statusAnswer } from './api/router.ts';
import { ApiFailure } from './api/status.ts';
import { isLoopback, type WriteRules } from './api/write-rules.ts';
import { ClientConfig } from './client-config.ts';
import { Connections } from './connections.ts';
import { inventoryRoute } from './inventory-route.ts';
import { reserved } from './locate.ts';
import { mountsOf } from './mount-table.ts';
import { followMounts, type Mounts } from './mounts.ts';
import type { Server, ServerOptions } from './options.ts';
import { FileSender } from './send-file.ts';
import { Site } from './site.ts';
import { diffRoute, systemRoutes } from './system-routes.ts';
import { Traffic } from './traffic.ts';

export type { Health, Server, ServerOptions } from './options.ts';

const timeouts = {
  headersTimeout: 30_000,
  /** To send a whole request; an answer may take for ever. */
  requestTimeout: 60_000,
  keepAliveTimeout: 75_000,
} as const;
/** A connection on which nothing moves for so long is cut. Milliseconds. */
const stalled = 300_000;

/** First segments that are not the site's. */
const application: ReadonlySet<string> = new Set(
  [...reserved].filter((name) => !['snapshots', 'environments', 'mirrors'].includes(name)),
);

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
  const http = createHttpServer({ ...timeouts, maxHeaderSize: 16 * 1024 });
  http.maxConnections = 10_000;
  http.setTimeout(stalled);
  const connections = new Connections(http);

  async function listen(host: string, port: number): Promise<{ url: string }> {
    const mounts = await followMounts(options.store, log, shutdown.signal);
    const site = new Site({
      ...options,
      mounts,
      access,
      sender: new FileSender(options),
      config: new ClientConfig(options),
      externalUrl: options.externalUrl,
      observe,
    });
    const app = applicationFor(mounts);
    http.on('request', (req, res) => {
      if (isForApplication(req)) app(req, res);
      else site.handle(req, res);
    });
    const address = await connections.listen(host, port).catch(stopFollowing);
    local = isLoopback(address.address);
    return { url: urlOf(address) };
  }

  /** A server that can't listen follows nothing either. */
  function stopFollowing(failure: unknown): never {
    shutdown.abort();
    throw failure;
  }

  function applicationFor(mounts: Mounts): Express {
    const app = express();
    app.disable('x-powered-by').disable('etag').set('query parser', 'simple');
    app.use((req, res, next) => {
      const what = req.path.startsWith('/api') ? 'api' : 'system';
      res.once('close', () => observe(req, what, res.statusCode, 0));
      res.set({ 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff' });
      next();
    });
    app.use(systemRoutes(options.health, options.metrics));
    const { store, now } = options;
    app.use(apiRouter({ store, rules, shutdown: shutdown.signal, now }));
    if (options.inventories) app.use(inventoryRoute(options.inventories));
    app.use(diffRoute({ diff: options.diff, rules, hasPrivate: () => hasPrivate(mounts) }));
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
    await connections.close(graceMs);
  }

  return { listen, close };
}

function isForApplication({ url = '' }: IncomingMessage): boolean {
  const [, first = ''] = /^\/+([a-z]+)(?=[/?#]|$)/.exec(url) ?? [];
  return application.has(first);
}

/** Whether anything that is served needs a token. */
function hasPrivate(mounts: Mounts): boolean {
  const { live, snapshots, environments } = mounts.table();
  return [live, ...snapshots, ...environments.values()].some((area) =>
    mountsOf(area).some((mount) => !mount.public),
  );
}

function urlOf({ address, family, port }: AddressInfo): string {
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}
