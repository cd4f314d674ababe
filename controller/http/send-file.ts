import { openSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { CairnError } from '../../crds/reasons.ts';
import type { BlobReader } from '../../depot/depot.ts';
import { answer } from './conditional.ts';
import { closing } from './connection.ts';
import type { LazyFile, LazyPool } from './lazy.ts';
import type { Log } from '../log.ts';
import type { Redirect } from '../redirect.ts';
import { pumpFile, pumpStream, type Range } from './pump.ts';
import { refusal, reply, unavailable } from './reply.ts';
import { contentHeaders, type Representation } from './representation.ts';
import { SmallBlobs, smallBlob } from './small-blobs.ts';

/** A request that is being answered. `done` is told the status and the bytes sent, once. */
export interface Exchange {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly done: (status: number, bytes: number) => void;
}

/** Sends files of the depot. Small ones that are in memory go out at once, without a promise. */
export class FileSender {
  readonly #blobs: BlobReader;
  readonly #lazy: LazyPool;
  readonly #redirect: Redirect | undefined;
  readonly #log: Log;
  readonly #small: SmallBlobs;

  constructor(options: {
    blobs: BlobReader;
    lazy: LazyPool;
    redirect?: Redirect | undefined;
    log: Log;
  }) {
    this.#blobs = options.blobs;
    this.#lazy = options.lazy;
    this.#redirect = options.redirect;
    this.#log = options.log;
    this.#small = new SmallBlobs(options.blobs);
  }

  send(exchange: Exchange, file: Representation): void {
    const { req, res } = exchange;
    const decided = answer(req.headers, file, req.method ?? '');
    if (decided.status !== 200 && decided.status !== 206) {
      sendNone(exchange, file, decided.status);
      return;
    }
    if (req.method === 'HEAD') {
      res.writeHead(200, file.whole as string[]).end();
      exchange.done(200, 0);
      return;
    }
    const range = decided.status === 206 ? decided : undefined;
    const kept = file.size <= smallBlob ? this.#small.kept(file.sha256) : undefined;
    if (kept?.length === file.size) sendBytes(exchange, file, kept, range);
    else void this.#sendStored(exchange, file, range);
  }

  async #sendStored(exchange: Exchange, file: Representation, range?: Range): Promise<void> {
    try {
      if (file.size <= smallBlob) {
        sendBytes(exchange, file, await this.#small.load(file.sha256), range);
      } else if (!(await this.#sendAway(exchange, file))) {
        const opened = openSync(await this.#blobs.path(file.sha256), 'r');
        await this.#pump(exchange, file, range, (part, gone) =>
          pumpFile(opened, part, exchange.res, gone),
        );
      }
    } catch (failure) {
      if (!isMissing(failure)) return this.#fail(exchange, file, failure);
      if (file.found.mount.download !== 'Lazy') return this.#fail(exchange, file, failure);
      await this.#sendLazy(exchange, file, range);
    }
  }

  /** True when the client was told to fetch it from elsewhere: from the byte that it asked us for. */
  async #sendAway({ res, done }: Exchange, file: Representation): Promise<boolean> {
    if (!this.#redirect || file.size <= this.#redirect.aboveBytes) return false;
    const url = await this.#redirect.url(file.sha256, file.contentType);
    if (url === undefined) return false;
    const headers = { Location: url, 'Cache-Control': 'no-store' };
    done(307, reply(res, refusal(307, 'this file is elsewhere', headers)));
    return true;
  }

  async #sendLazy(exchange: Exchange, file: Representation, range?: Range): Promise<void> {
    let fetched: LazyFile;
    const { mount, entry } = file.found;
    const { mirror, namespace, url } = mount;
    try {
      fetched = await this.#lazy.fetch(
        { mirror, namespace, url, path: entry.path, sha256: entry.sha256, size: entry.size },
        closing(exchange.req.socket),
      );
    } catch (failure) {
      refuseLazy(exchange, failure);
      return;
    }
    await this.#pump(exchange, file, range, async (part, gone) =>
      pumpStream(await fetched.stream(part), exchange.res, gone),
    );
  }

  /** Sends head and body; a body that fails on the way ends the connection, so nobody takes it. */
  async #pump(
    exchange: Exchange,
    file: Representation,
    range: Range | undefined,
    body: (part: Range, gone: AbortSignal) => Promise<void>,
  ): Promise<void> {
    const { req, res } = exchange;
    const status = range ? 206 : 200;
    const part = range ?? { start: 0, end: file.size - 1 };
    res.on('error', () => undefined);
    res.writeHead(status, headersOf(file, range));
    try {
      await body(part, closing(req.socket));
      res.end();
      exchange.done(status, part.end - part.start + 1);
    } catch (failure) {
      const gone = req.socket.destroyed;
      const fields = { path: req.url, sha256: file.sha256, failure: String(failure) };
      if (!gone) this.#log.error('a file could not be sent to its end', fields);
      req.socket.destroy();
      exchange.done(gone ? 499 : 500, 0);
    }
  }

  #fail({ req, res, done }: Exchange, file: Representation, failure: unknown): void {
    const fields = { path: req.url, sha256: file.sha256, failure: String(failure) };
    this.#log.error('a file that is listed can not be read', fields);
    const answer =
      unavailable(failure) ??
      refusal(500, 'this file can not be read on the server; its log says more');
    if (res.headersSent) req.socket.destroy();
    else reply(res, answer);
    done(answer.status, 0);
  }
}

function sendNone({ res, done }: Exchange, file: Representation, status: number): void {
  if (status === 304) res.writeHead(304, file.validating as string[]);
  else if (status === 416) {
    res.writeHead(416, ['Content-Range', `bytes */${file.size}`, 'Content-Length', '0']);
  } else res.writeHead(status, ['Content-Length', '0']);
  res.end();
  done(status, 0);
}

function sendBytes({ res, done }: Exchange, file: Representation, bytes: Buffer, range?: Range) {
  if (bytes.length !== file.size) {
    throw new CairnError('TreeInvalid', `${file.sha256} has ${bytes.length} bytes`);
  }
  const body = range ? bytes.subarray(range.start, range.end + 1) : bytes;
  const status = range ? 206 : 200;
  res.writeHead(status, headersOf(file, range));
  res.end(body);
  done(status, body.length);
}

function headersOf(file: Representation, range: Range | undefined): string[] {
  if (!range) return file.whole as string[];
  return [
    ...contentHeaders(file.contentType, range.end - range.start + 1),
    'Content-Range',
    `bytes ${range.start}-${range.end}/${file.size}`,
    ...file.validating,
  ];
}

function isMissing(failure: unknown): boolean {
  if (failure instanceof CairnError) return failure.reason === 'BlobMissing';
  return failure instanceof Error && 'code' in failure && failure.code === 'ENOENT';
}

function refuseLazy({ req, res, done }: Exchange, failure: unknown): void {
  if (req.socket.destroyed) return done(499, 0);
  const gone = failure instanceof CairnError && failure.reason === 'FileMissing';
  const message = failure instanceof Error ? failure.message : String(failure);
  const answer = gone
    ? refusal(404, `upstream no longer has this file, and nobody asked for it before: ${message}`)
    : refusal(502, `this file could not be fetched from upstream: ${message}`);
  done(answer.status, reply(res, answer));
}
