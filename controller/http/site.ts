import type { IncomingMessage, ServerResponse } from 'node:http';
import { CairnError } from '../../crds/reasons.ts';
import type { Log } from '../log.ts';
import type { Access } from './access.ts';
import { baseUrl } from './base-url.ts';
import { ClientConfig } from './client-config.ts';
import { findFile, type OpenTrees } from './find.ts';
import { locate, type Place } from './locate.ts';
import { Lru } from './lru.ts';
import { mountsOf, type MountTable } from './mount-table.ts';
import type { Mounts } from './mounts.ts';
import { refusal, reply, unauthorized, type Reply, unavailable } from './reply.ts';
import { represent, type Representation } from './representation.ts';
import { BadPath, requestPath, urlPath, type RequestPath } from './request-path.ts';
import type { Exchange, FileSender } from './send-file.ts';
import { SitePages } from './site-pages.ts';

/** Known request targets are kept up to this length and number. */
const longestKept = 1024;
const mostKept = 10_000;

export interface SiteOptions {
  readonly mounts: Mounts;
  readonly trees: OpenTrees;
  readonly sender: FileSender;
  readonly access: Access;
  readonly config: ClientConfig;
  readonly externalUrl: string | undefined;
  readonly log: Log;
  /** Told of each answer: what was asked for, the status, and the bytes sent. */
  readonly observe: (req: IncomingMessage, what: string, status: number, bytes: number) => void;
}

/** Archives, their directories, and the configuration for their clients. */
export class Site {
  readonly #options: SiteOptions;
  readonly #pages: SitePages;
  /** Files by request target, for those who may read what is private, and for all others. */
  readonly #known = {
    private: new Lru<Representation>(mostKept),
    public: new Lru<Representation>(mostKept),
  };
  #table: MountTable | undefined;

  constructor(options: SiteOptions) {
    this.#options = options;
    this.#pages = new SitePages(options);
  }

  handle(req: IncomingMessage, res: ServerResponse): void {
    const target = req.url ?? '/';
    const mayRead = this.#mayRead(req);
    const file = this.#fresh(mayRead).get(target);
    if (file && (req.method === 'GET' || req.method === 'HEAD')) {
      this.#options.sender.send(this.#exchange(req, res, file.found.place.area.kind), file);
    } else void this.#resolve(req, res, target, mayRead);
  }

  #mayRead(req: IncomingMessage): boolean {
    const { authorization } = req.headers;
    return authorization !== undefined && this.#options.access.mayRead(authorization);
  }

  /** The files that are known for the table of now. */
  #fresh(mayRead: boolean): Lru<Representation> {
    const table = this.#options.mounts.table();
    if (table !== this.#table) {
      this.#table = table;
      this.#known.private.clear();
      this.#known.public.clear();
    }
    return this.#known[mayRead ? 'private' : 'public'];
  }

  #exchange(req: IncomingMessage, res: ServerResponse, what: string): Exchange {
    const { observe } = this.#options;
    return { req, res, done: (status, bytes) => observe(req, what, status, bytes) };
  }

  async #resolve(
    req: IncomingMessage,
    res: ServerResponse,
    target: string,
    mayRead: boolean,
  ): Promise<void> {
    try {
      const found = await this.#answer(req, target, mayRead);
      if ('sha256' in found) {
        this.#options.sender.send(this.#exchange(req, res, found.found.place.area.kind), found);
      } else this.#reply(req, res, found);
    } catch (failure) {
      if (failure instanceof BadPath) return this.#reply(req, res, refusal(400, failure.message));
      const reason = failure instanceof CairnError ? failure.reason : 'InternalError';
      this.#options.log.error('a request failed', { path: target, reason, failure });
      if (res.headersSent) req.socket.destroy();
      else
        this.#reply(
          req,
          res,
          unavailable(failure) ??
            refusal(500, 'something went wrong; the log of the server says more'),
        );
    }
  }

  #reply(req: IncomingMessage, res: ServerResponse, answer: Reply): void {
    this.#options.observe(req, 'page', answer.status, reply(res, answer));
  }

  async #answer(
    req: IncomingMessage,
    target: string,
    mayRead: boolean,
  ): Promise<Representation | Reply> {
    if (req.method !== 'GET' && req.method !== 'HEAD') {
      return refusal(405, 'only GET and HEAD', { Allow: 'GET, HEAD' });
    }
    const known = this.#fresh(mayRead);
    const table = this.#options.mounts.table();
    const path = requestPath(target);
    const place = locate(table, path.segments);
    const configuration = await this.#configuration(req, path, place, mayRead);
    if (configuration) return configuration;
    const found =
      place && !path.directory ? await findFile(this.#options.trees, place, mayRead) : undefined;
    if (typeof found === 'object') {
      const file = represent(found);
      if (target.length <= longestKept && table === this.#table) known.set(target, file);
      return file;
    }
    const page = await this.#directory(req, path, place, mayRead);
    if (page) return page;
    return found === 'hidden' ? unauthorized() : refusal(404, 'there is no such file');
  }

  async #configuration(
    req: IncomingMessage,
    { segments, directory }: RequestPath,
    place: Place | undefined,
    mayRead: boolean,
  ): Promise<Reply | undefined> {
    const prefix = segments.slice(0, -1);
    const file = segments.at(-1) ?? '';
    if (!place || directory || prefix.length !== prefixLength(place)) return undefined;
    if (!ClientConfig.filesOf(place.area).includes(file)) return undefined;
    const base = baseUrl(req, this.#options.externalUrl);
    if (base === undefined) return refusal(400, 'the Host header is not a host name');
    const mounts = mountsOf(place.area);
    const secret = mounts.length > 0 && mounts.every((mount) => !mount.public);
    if (secret && !mayRead && file !== 'auth.conf' && file !== 'key.asc') return unauthorized();
    return this.#options.config.answer(place.area, file, { base, prefix });
  }

  async #directory(
    req: IncomingMessage,
    { segments, directory }: RequestPath,
    place: Place | undefined,
    mayRead: boolean,
  ): Promise<Reply | undefined> {
    const base = baseUrl(req, this.#options.externalUrl) ?? 'http://HOST';
    const page = await this.#pages.answer({ segments, place, mayRead, base });
    if (!page || directory || page.status !== 200) return page;
    const headers = { Location: urlPath(segments, true).replaceAll('%3A', ':') };
    return refusal(301, 'this is a directory', headers);
  }
}

/** How many segments of a request lead to an area: `repositories/<namespace>/<name>`. */
function prefixLength({ area }: Place): number {
  return area.kind === 'repository' ? 3 : 2;
}
