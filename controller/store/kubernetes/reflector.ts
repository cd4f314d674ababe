import type { IncomingMessage } from 'node:http';
import { apiVersion, group } from '../../../crds/object.ts';
import { StoreError } from '../../../crds/store.ts';
import type { Log } from '../../log.ts';
import type { Cache } from './cache.ts';
import { TooLarge } from './answer.ts';
import type { Connection } from './connection.ts';
import { entryOf, versionOf, type Entry } from './entry.ts';
import { jsonLines } from './lines.ts';
import { backOffMs, pause } from './pace.ts';
import { asStoreError } from './statuses.ts';
import { isRecord } from '../../../crds/record.ts';

export interface ReflectorOptions {
  readonly kind: string;
  /** The path of the collection, without a query. */
  readonly path: string;
  readonly connection: Connection;
  readonly cache: Cache;
  readonly log: Log;
  readonly random?: () => number;
  /** A watch on which nothing came for so long, no bookmark either, is dead; 70 s by default. */
  readonly silenceMs?: number;
}

/** API servers send a bookmark about once a minute. */
const defaultSilenceMs = 70_000;
const pageSize = 100;
/**
 * Where nobody is burdened by it, looks are more frequent: somebody is about to apply a CRD or a
 * role, or to start the server again.
 */
const shortPauseMs = 6000;
/** Pages of one list expire after minutes; then it is begun anew, but not for ever. */
const mostRestarts = 3;
const calmMs = 1000;
const longestWishMs = 60_000;
/** The reflector has its own pauses; it only bridges what is over at once. */
const pageDeadlineMs = 2000;

/**
 * Keeps a cache like the API server: lists, watches from there on, goes on where a watch broke off,
 * and lists again when the server does not know any more what came since. Ends with its signal only.
 */
export class Reflector {
  readonly #options: ReflectorOptions;
  readonly #random: () => number;
  #from: string | undefined;
  #failures = 0;
  #isAway = false;
  #failure: StoreError | undefined;
  #isTold = false;
  #limit = pageSize;
  #stirredAt = performance.now();

  constructor(options: ReflectorOptions) {
    this.#options = options;
    this.#random = options.random ?? Math.random;
  }

  /** Why the server can't be followed just now. */
  get failure(): StoreError | undefined {
    return this.#failure;
  }

  /** For how long this has neither asked the server nor heard of it, in milliseconds. */
  stillMs(): number {
    return performance.now() - this.#stirredAt;
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const start = this.#stir();
      try {
        if (this.#from === undefined) await this.#list();
        await this.#watch(signal);
        if (performance.now() - start < calmMs) await pause(calmMs, signal);
      } catch (error) {
        if (!signal.aborted) await pause(this.#note(error, start), signal);
      }
    }
  }

  #stir(): number {
    this.#stirredAt = performance.now();
    return this.#stirredAt;
  }

  async #list(): Promise<void> {
    const { cache } = this.#options;
    for (let restart = 0; ; restart += 1) {
      try {
        const { entries, version } = await this.#pages();
        cache.replace(entries, versionOf(version));
        this.#from = version;
        return;
      } catch (error) {
        const isExpired = error instanceof StoreError && error.reason === 'Expired';
        const isLong = error instanceof TooLarge && this.#limit > 1;
        if (isLong) this.#limit = Math.ceil(this.#limit / 5);
        else if (!isExpired || restart >= mostRestarts) throw error;
      }
    }
  }

  async #pages(): Promise<{ entries: Entry[]; version: string }> {
    const { kind, path, connection } = this.#options;
    const entries: Entry[] = [];
    let next = '';
    for (;;) {
      this.#stir();
      const query = `limit=${this.#limit}${next && `&continue=${encodeURIComponent(next)}`}`;
      const { body } = await connection.call({
        method: 'GET',
        path: `${path}?${query}`,
        deadlineMs: pageDeadlineMs,
      });
      const { metadata, items } = isRecord(body) ? body : {};
      if (!isRecord(metadata) || !Array.isArray(items)) throw new Error('the answer is no list');
      for (const item of items) entries.push(entryOf(kind, item));
      const { resourceVersion, continue: more } = metadata;
      if (typeof more !== 'string' || more === '') {
        return { entries, version: String(resourceVersion) };
      }
      next = more;
    }
  }

  async #watch(signal: AbortSignal): Promise<void> {
    const { path, connection, silenceMs = defaultSilenceMs } = this.#options;
    const seconds = 300 + Math.floor(this.#random() * 300);
    const query = new URLSearchParams({
      watch: '1',
      allowWatchBookmarks: 'true',
      resourceVersion: this.#from ?? '',
      timeoutSeconds: String(seconds),
    });
    const response = await connection.stream(`${path}?${query.toString()}`, signal);
    const calm = setTimeout(() => this.#recovered(), calmMs);
    try {
      const chunks = heard(response, { silenceMs, stir: () => this.#stir() });
      for await (const event of jsonLines(chunks)) this.#take(event);
    } finally {
      clearTimeout(calm);
      response.destroy();
    }
  }

  #take(event: unknown): void {
    const { kind, cache } = this.#options;
    const { type, object } = isRecord(event) ? event : {};
    if (type === 'ERROR') throw errorOf(object);
    if (type === 'BOOKMARK') {
      const { metadata } = isRecord(object) ? object : {};
      const { resourceVersion } = isRecord(metadata) ? metadata : {};
      cache.bookmark(versionOf(resourceVersion));
      this.#from = String(resourceVersion);
      return;
    }
    const change = changeOf(type);
    const entry = (change !== 'deleted' && written(cache, object)) || entryOf(kind, object);
    cache.apply(change, entry);
    this.#from = String(entry.version);
  }

  /** What is to be done about a failure, and when. */
  #note(error: unknown, start: number): number {
    const { log, kind } = this.#options;
    const { status = 0, retryAfterMs = 0 } = error as { status?: number; retryAfterMs?: number };
    const isExpired = error instanceof StoreError && error.reason === 'Expired';
    const isRefused = status >= 400 && status !== 429 && status < 500 && !isExpired;
    const failure = asFailure(error, this.#options);
    // The server answers, but not this: only a list shows why, and nothing is missed by it. So it
    // is with lines that can't be read, and with versions that a restored server does not know (504).
    const isAnswer = status > 0 || !(error instanceof StoreError);
    // One that was away is back, and still starts: these are its first refusals.
    if (isAnswer && this.#isAway) this.#failures = 0;
    this.#isAway = !isAnswer;
    this.#failures += 1;
    const isStuck = isAnswer && this.#failures > 3;
    if (isExpired || isRefused || isStuck) this.#from = undefined;
    if (isExpired && performance.now() - start > calmMs) return 0;
    if (!this.#isTold && (isRefused || this.#failures > 1)) {
      this.#isTold = true;
      const because = failure.message;
      log.warn(`cannot follow ${kind} objects`, { path: this.#options.path, because });
    }
    this.#failure = failure;
    const longest = isRefused || this.#isAway ? shortPauseMs : undefined;
    const wished = Math.min(retryAfterMs, longestWishMs);
    return Math.max(wished, backOffMs(this.#failures, this.#random, longest));
  }

  #recovered(): void {
    if (this.#isTold) this.#options.log.info(`following ${this.#options.kind} objects again`, {});
    this.#isTold = false;
    this.#failure = undefined;
    this.#failures = 0;
    this.#isAway = false;
  }
}

/** The chunks of a watch; throws when none has come for too long. */
async function* heard(
  response: IncomingMessage,
  { silenceMs, stir }: { readonly silenceMs: number; readonly stir: () => void },
): AsyncGenerator<Buffer> {
  const giveUp = () => response.destroy(new Error(`no word for ${silenceMs / 1000} s`));
  const timer = setTimeout(giveUp, silenceMs);
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      timer.refresh();
      stir();
      yield chunk;
    }
  } finally {
    clearTimeout(timer);
  }
}

/** What this process has written itself is in the cache already, just as the server tells it. */
function written(cache: Cache, object: unknown): Entry | undefined {
  const { metadata } = isRecord(object) ? object : {};
  if (!isRecord(metadata)) return undefined;
  const { namespace = '', name, uid, resourceVersion } = metadata;
  const known = cache.get(String(namespace), String(name));
  return known?.uid === uid && known?.version === versionOf(resourceVersion) ? known : undefined;
}

function changeOf(type: unknown): 'added' | 'modified' | 'deleted' {
  if (type === 'ADDED') return 'added';
  if (type === 'MODIFIED') return 'modified';
  if (type === 'DELETED') return 'deleted';
  throw new Error('a watch event of no known type');
}

function errorOf(object: unknown): StoreError {
  const { code } = isRecord(object) ? object : {};
  return asStoreError({ status: Number(code) || 500, body: object, retryAfterMs: 0 });
}

function asFailure(error: unknown, { kind, path }: ReflectorOptions): StoreError {
  if (error instanceof StoreError && error.reason === 'NotFound') {
    const plural = path.split('/').at(-1);
    const crd = `it lacks the CRD ${plural}.${group}: kubectl apply -f crds/${plural}.yaml`;
    const message = `the API server has no ${kind} of ${apiVersion}; ${crd}`;
    return new StoreError('Unavailable', message, { cause: error });
  }
  if (error instanceof StoreError) return error;
  return new StoreError('Unavailable', told(error), { cause: error });
}

function told(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
