import type { Dispatcher } from 'undici';
import { CairnError } from '../../crds/reasons.ts';
import type { Blob, Blobs } from '../../depot/depot.ts';
import type { PartialBlob } from '../../depot/partial-blob.ts';
import { basic, dispatcherOf } from './dispatcher.ts';
import { exchange, type Sink } from './exchange.ts';
import { checkSha512, commit, mismatch, type Expected } from './expected.ts';
import type { UpstreamOptions } from './options.ts';
import { paceOf } from './pace.ts';
import {
  always,
  checkEncoding,
  conditional,
  isAskedFor,
  noCache,
  placeAt,
  placeBelow,
  urlOf,
  validatorsOf,
  type Asked,
  type Place,
  type Validators,
} from './requests.ts';
import { followed, placeOf, refusal, unreachable } from './responses.ts';
import { TransientError, withRetries } from './retry.ts';
import { MemorySink, PartialSink } from './sinks.ts';

export type { Credentials, UpstreamOptions } from './options.ts';
export type { Validators } from './requests.ts';

export type Page =
  | { readonly status: 'ok'; readonly body: Buffer; readonly validators: Validators }
  | { readonly status: 'same' }
  | { readonly status: 'missing' };

/** Up to this size a file is taken into memory, checked, and only then written. */
const inMemoryBytes = 1024 * 1024;
/** Slower than this for longer than a few stalls, an upstream counts as gone. */
const slowestBytesPerSecond = 2048;
const mostRedirects = 5;

/**
 * One upstream archive over HTTP: bounded in connections, rate, size and time; retrying what may
 * heal; following redirects without carrying credentials elsewhere.
 */
export class Upstream {
  readonly #options: UpstreamOptions;
  readonly #dispatcher: Dispatcher;
  readonly #base: URL;
  readonly #pace: ((bytes: number) => number) | undefined;
  readonly #slowest: number;
  #isClosed = false;

  constructor(options: UpstreamOptions) {
    this.#options = options;
    this.#base = new URL('.', options.url.endsWith('/') ? options.url : `${options.url}/`);
    this.#dispatcher = dispatcherOf(options);
    const { bytesPerSecond = Infinity, connections } = options;
    this.#pace = options.bytesPerSecond ? paceOf(bytesPerSecond) : undefined;
    // Where our own rate is what makes it slow, half of a fair share will do.
    this.#slowest = Math.min(slowestBytesPerSecond, bytesPerSecond / connections / 2);
  }

  /** Fetches a small file whose hash isn't known yet, such as InRelease. */
  page(
    path: string,
    options: { maxBytes: number; validators?: Validators; signal: AbortSignal },
  ): Promise<Page> {
    const { maxBytes, validators, signal } = options;
    return this.#retrying(signal, async () => {
      const sink = new MemorySink(maxBytes);
      await this.#get(path, sink, { signal, headers: conditional(validators) }).catch(asTooLarge);
      if (sink.status === 404 || sink.status === 410) return { status: 'missing' };
      if (sink.status === 304) return { status: 'same' };
      checkEncoding(path, sink.headers);
      return { status: 'ok', body: sink.body(), validators: validatorsOf(sink.headers) };
    });
  }

  /** How many bytes a file has; undefined when it isn't there, or upstream doesn't say. */
  size(path: string, signal: AbortSignal): Promise<number | undefined> {
    return this.#retrying(signal, async () => {
      const sink = new MemorySink(Number.POSITIVE_INFINITY);
      await this.#get(path, sink, { signal, headers: {}, method: 'HEAD' });
      const length = sink.headers['content-length'];
      return sink.status === 200 && length !== undefined ? Number(length) : undefined;
    });
  }

  /**
   * Fetches a file that the depot doesn't have into it, verified. `paths` are tried in order until
   * one is there: by-hash first, then the plain name. Returns undefined when none is.
   * Throws HashMismatch or TooLarge when the bytes are not what was expected.
   */
  async blob(
    paths: readonly string[],
    expected: Expected,
    options: {
      blobs: Blobs;
      signal: AbortSignal;
      onBytes?: (count: number) => void;
      /** Told whenever a large file has grown, for those who read along. */
      onGrowth?: (growing: Growing) => void;
    },
  ): Promise<Blob | undefined> {
    const { blobs, signal, onBytes = () => {}, onGrowth } = options;
    let lastMismatch: unknown;
    for (const path of paths) {
      try {
        const blob = await this.#retrying(signal, (attempt) =>
          expected.sha256 !== undefined && expected.size > inMemoryBytes
            ? this.#large(path, { sha256: expected.sha256, size: expected.size }, blobs, {
                signal,
                onBytes,
                onGrowth,
                fresh: attempt > 0,
              })
            : this.#small(path, expected, blobs, { signal, onBytes, fresh: attempt > 0 }),
        );
        if (blob) return blob;
      } catch (error) {
        if (!(error instanceof TransientError) || error.reason !== 'HashMismatch') throw error;
        lastMismatch = error; // an old copy under one name; the other name may be right
      }
    }
    if (lastMismatch) throw lastMismatch;
    return undefined;
  }

  /** Ends what runs: it fails, and is not tried again. */
  close(): Promise<void> {
    this.#isClosed = true;
    return this.#dispatcher.destroy();
  }

  #retrying<T>(signal: AbortSignal, work: (attempt: number) => Promise<T>): Promise<T> {
    return withRetries(work, { retries: this.#options.retries, signal });
  }

  async #small(
    path: string,
    expected: Expected,
    blobs: Blobs,
    { signal, onBytes, fresh }: TransferOptions,
  ): Promise<Blob | undefined> {
    const sink = new MemorySink(expected.size);
    await this.#get(path, sink, { signal, headers: fresh ? noCache : {} });
    if (sink.status !== 200) return undefined;
    const body = sink.body();
    if (expected.sha256 === undefined) checkSha512(path, body, expected);
    onBytes(body.length);
    const { sha256 } = expected;
    try {
      if (sha256 === undefined) return blobs.put(body);
      return blobs.put(body, { sha256, size: expected.size }, { isNew: true });
    } catch (error) {
      throw mismatch(path, error);
    }
  }

  async #large(
    path: string,
    expected: Blob,
    blobs: Blobs,
    options: TransferOptions,
  ): Promise<Blob | undefined> {
    const partial = await blobs.resume(expected.sha256, expected.size);
    let whole = false;
    try {
      whole = await this.#fill(partial, path, expected.size, options);
    } finally {
      if (!whole) await partial.close();
    }
    return whole ? commit(partial, path) : undefined;
  }

  /** Fetches what a partial blob lacks. False when upstream doesn't have the file. */
  async #fill(
    partial: PartialBlob,
    path: string,
    size: number,
    { signal, onBytes, onGrowth, fresh }: TransferOptions,
  ): Promise<boolean> {
    if (partial.offset === size) return true;
    const range = partial.offset > 0 ? { range: `bytes=${partial.offset}-` } : {};
    const sink = new PartialSink(partial, (count) => {
      onBytes(count);
      onGrowth?.(partial);
    });
    await this.#get(path, sink, { signal, headers: { ...range, ...(fresh ? noCache : {}) } });
    if (sink.status === 416) {
      await partial.reset();
      throw new TransientError('HashMismatch', `${path} has become shorter`);
    }
    if (sink.status !== 200 && sink.status !== 206) return false;
    if (partial.offset < size) {
      throw new TransientError(
        'UpstreamUnreachable',
        `${path} broke off after ${partial.offset} of ${size} bytes`,
      );
    }
    return true;
  }

  /** One GET, redirects followed; the sink sees the last response, whose status was asked for. */
  async #get(path: string, sink: ResponseSink, request: Asked): Promise<void> {
    let place = placeBelow(this.#base, path);
    const seen = new Set<string>();
    for (;;) {
      await this.#once(place, sink, request);
      if (isAskedFor(sink.status, request)) return;
      const url = urlOf(place);
      const next = followed(url, sink.status, sink.headers);
      if (!next) throw refusal(url, sink.status, sink.headers);
      seen.add(url.href);
      if (seen.has(next.href) || seen.size > mostRedirects) {
        throw new CairnError('UpstreamRefused', `${placeOf(url)} redirects in a loop`);
      }
      place = placeAt(next);
    }
  }

  async #once(place: Place, sink: Sink, asked: Asked): Promise<void> {
    const { signal, headers, method = 'GET' } = asked;
    const { slots, connections, stallMs } = this.#options;
    const request: Dispatcher.DispatchOptions = {
      origin: place.origin,
      path: place.path,
      method,
      headers: { ...always, ...headers, ...this.#authorization(place) },
      // Said here, for a proxy agent doesn't pass on what it was made with.
      headersTimeout: stallMs,
      bodyTimeout: stallMs,
    };
    await slots.use(place.host, connections, signal, async () => {
      try {
        await exchange(this.#dispatcher, request, sink, {
          signal,
          patience: { ms: 4 * stallMs, slowestBytesPerSecond: this.#slowest },
          ...(this.#pace ? { pace: this.#pace } : {}),
        });
      } catch (error) {
        signal.throwIfAborted();
        const url = urlOf(place);
        if (this.#isClosed) throw new CairnError('UpstreamUnreachable', `${placeOf(url)}: closed`);
        throw unreachable(url, error);
      }
    });
  }

  #authorization({ origin }: Place): Record<string, string> {
    const { credentials } = this.#options;
    if (!credentials || origin !== this.#base.origin) return {};
    if (credentials.bearerToken) return { authorization: `Bearer ${credentials.bearerToken}` };
    if (credentials.username === undefined) return {};
    return { authorization: basic(credentials.username, credentials.password ?? '') };
  }
}

/** Nothing says what the bytes of a page must be: there are only too many of them. */
function asTooLarge(error: unknown): never {
  const isTooLarge = error instanceof TransientError && error.reason === 'HashMismatch';
  throw isTooLarge ? new CairnError('TooLarge', error.message, { cause: error }) : error;
}

/** A file in the middle of its download: `written` bytes of `file` can be read. */
export type Growing = Pick<PartialBlob, 'file' | 'written'>;

type ResponseSink = Sink & Pick<MemorySink, 'status' | 'headers'>;

interface TransferOptions {
  readonly signal: AbortSignal;
  readonly onBytes: (count: number) => void;
  readonly onGrowth?: ((growing: Growing) => void) | undefined;
  /** Ask caches on the way to look again. */
  readonly fresh: boolean;
}
