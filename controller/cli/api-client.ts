import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import type { Kind } from '../../crds/kind.ts';
import { apiVersion, type KubeObject, type Manifest } from '../../crds/object.ts';
import type { Credentials } from '../store/kubernetes/cluster.ts';
import { apiError, ApiError } from './api-error.ts';
import { byTime, clientEvent, type ClientEvent, type CoreEvent } from './client-events.ts';
import { CliError } from './command.ts';
import { exchange, Unreachable } from './http-exchange.ts';
import { stringAt } from './objects.ts';
import { readJson, readLines } from './response-body.ts';

/** One object of one kind; the same words as in `ObjectKey`, with what URLs need. */
export interface Target {
  readonly kind: Kind;
  readonly namespace: string;
  readonly name: string;
}

export interface Listing {
  readonly items: readonly KubeObject[];
  readonly resourceVersion: string;
}

export interface ListScope {
  readonly namespace?: string | undefined;
  readonly labels?: string | undefined;
}

/** A line of a watch. */
export interface WatchLine {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: KubeObject;
}

/** A server, and what it is shown with each call. */
export interface Access {
  readonly server: URL;
  readonly proxy?: URL | undefined;
  /** The namespace that is meant when none is named. */
  readonly namespace: string;
  credentials(): Promise<Credentials>;
  readonly signal: AbortSignal;
}

/**
 * The API of a Cairn server, or of a cluster: both speak the dialect of Kubernetes. Calls throw `ApiError` when the server
 * refuses, and `Unreachable` when there is none.
 */
export class ApiClient {
  readonly server: URL;
  /** The namespace that is meant when none is named. */
  readonly namespace: string;
  readonly #access: Access;

  constructor(access: Access) {
    this.server = access.server;
    this.namespace = access.namespace;
    this.#access = access;
  }

  async get(target: Target): Promise<KubeObject | undefined> {
    try {
      const answer = await this.#json('GET', objectPath(target));
      return this.#expect<KubeObject>(answer, target.kind.kind);
    } catch (thrown) {
      if (thrown instanceof ApiError && thrown.code === 404) return undefined;
      throw thrown;
    }
  }

  async list(kind: Kind, scope: ListScope): Promise<Listing> {
    const answer = await this.#json('GET', listPath(kind, scope));
    const { items = [], metadata } = this.#expect<List>(answer, `${kind.kind}List`);
    return { items, resourceVersion: metadata?.resourceVersion ?? '0' };
  }

  /** Changes after `from`, until the server ends the watch or the signal aborts. */
  async *watch(
    kind: Kind,
    scope: ListScope,
    { from, signal }: { from: string; signal: AbortSignal },
  ): AsyncGenerator<WatchLine> {
    const query = { watch: 'true', resourceVersion: from, allowWatchBookmarks: 'true' };
    const response = await this.#send('GET', listPath(kind, scope, query), { signal });
    yield* readLines(response, signal) as AsyncGenerator<WatchLine>;
  }

  async mergePatch(target: Target, patch: unknown): Promise<KubeObject> {
    const body = JSON.stringify(patch);
    const type = 'application/merge-patch+json';
    const path = `${objectPath(target)}?${strictly}`;
    return (await this.#json('PATCH', path, { body, type })) as KubeObject;
  }

  /** Server-side apply. JSON is YAML, and quicker to read. */
  async apply(target: Target, manifest: Manifest, manager: string): Promise<KubeObject> {
    const query = `fieldManager=${encodeURIComponent(manager)}&force=true&${strictly}`;
    const path = `${objectPath(target)}?${query}`;
    const options = { body: JSON.stringify(manifest), type: 'application/apply-patch+yaml' };
    return (await this.#json('PATCH', path, options)) as KubeObject;
  }

  /** Throws `ApiError` when there is one of that name. */
  async create({ kind, namespace }: Target, manifest: Manifest): Promise<KubeObject> {
    const path = `${collectionPath(kind, namespace)}?fieldManager=cairn-cli&${strictly}`;
    const options = { body: JSON.stringify(manifest), type: 'application/json' };
    return (await this.#json('POST', path, options)) as KubeObject;
  }

  async delete(target: Target): Promise<void> {
    await this.#json('DELETE', objectPath(target));
  }

  /** What happened to an object, oldest first. */
  async events(target: Target): Promise<readonly ClientEvent[]> {
    const answer = await this.#json('GET', eventsPath(target));
    return ((answer as { items?: readonly CoreEvent[] }).items ?? []).map(clientEvent).sort(byTime);
  }

  /**
   * Brings a file to the server, for a Repository; what arrives has to have this digest and size.
   * Gives the receipt for it.
   */
  async putBlob(
    { sha256, size }: { readonly sha256: string; readonly size: number },
    repository: Pick<Target, 'namespace' | 'name'>,
    open: () => Readable,
  ): Promise<string> {
    const { namespace, name } = repository;
    const path = `/api/v1/blobs/${sha256}?${new URLSearchParams({ repository: name, namespace })}`;
    const type = 'application/octet-stream';
    const answer = await this.#json('PUT', path, { body: open(), type, length: size });
    const receipt = stringAt(answer, 'receipt');
    if (receipt !== undefined) return receipt;
    throw new CliError(`${this.server.origin} does not answer like Cairn: it gives no receipt`);
  }

  /** Any other JSON of the server: `/api/v1/diff?from=…`. */
  async read(path: string): Promise<unknown> {
    return this.#json('GET', path);
  }

  /**
   * The log of a Build from a byte on: some of it, how much there is by now, and whether that is all that
   * will ever come.
   */
  async buildLog(target: Target, from: number): Promise<LogPart> {
    const path = `/builds/${encodeURIComponent(target.namespace)}/${encodeURIComponent(target.name)}/log`;
    const range = `bytes=${from}-${from + mostLogPart - 1}`;
    const response = await this.#exchange('GET', path, { range });
    const { statusCode = 0, headers } = response;
    const isOver = headers['x-build-finished'] === 'true';
    if (statusCode === 416) {
      response.resume();
      return { content: Buffer.alloc(0), isOver };
    }
    if (statusCode !== 206 && statusCode !== 200) {
      const refusal = await this.#guard(() =>
        readJson(response, this.server).catch(() => undefined),
      );
      throw apiError(statusCode, refusal, this.server);
    }
    const content = await this.#guard(async () => Buffer.concat(await response.toArray()));
    const total = Number(/\/([0-9]+)$/.exec(headers['content-range'] ?? '')?.[1] ?? content.length);
    return { content, isOver: isOver && from + content.length >= total };
  }

  async #json(method: string, path: string, sent: Sent = {}): Promise<unknown> {
    const response = await this.#send(method, path, sent);
    return this.#guard(() => readJson(response, this.server));
  }

  /** JSON that says it is what was asked for; other servers speak JSON as well. */
  #expect<T>(answer: unknown, kind: string): T {
    if (stringAt(answer, 'kind') === kind) return answer as T;
    const { origin } = this.server;
    throw new CliError(`${origin} does not answer like Cairn: its answer is not a ${kind}`);
  }

  async #send(method: string, path: string, sent: Sent): Promise<IncomingMessage> {
    const response = await this.#exchange(method, path, sent);
    const status = response.statusCode ?? 0;
    if (status >= 200 && status < 300) return response;
    const refusal = await this.#guard(() => readJson(response, this.server).catch(() => undefined));
    throw apiError(status, refusal, this.server);
  }

  async #exchange(
    method: string,
    path: string,
    { body, type, length, range, signal }: Sent,
  ): Promise<IncomingMessage> {
    const { proxy, signal: whole } = this.#access;
    const { headers, tls } = await this.#access.credentials();
    return exchange({
      method,
      url: new URL(this.server.pathname.replace(/\/$/, '') + path, this.server),
      headers: {
        ...headers,
        accept: 'application/json',
        ...(type !== undefined && { 'content-type': type }),
        ...(length !== undefined && { 'content-length': String(length) }),
        ...(range !== undefined && { range }),
      },
      tls,
      proxy,
      ...(body !== undefined && { body }),
      signal: signal ?? whole,
    });
  }

  /** A connection that breaks while an answer arrives is told like one that was never made. */
  async #guard<T>(read: () => Promise<T>): Promise<T> {
    try {
      return await read();
    } catch (thrown) {
      if (thrown instanceof Error && 'code' in thrown) throw new Unreachable(this.server, thrown);
      throw thrown;
    }
  }
}

/** API servers drop unknown fields with a warning, unless they are told not to. */
const strictly = 'fieldValidation=Strict';

interface List {
  readonly metadata?: { readonly resourceVersion?: string };
  readonly items?: readonly KubeObject[];
}

interface Sent {
  readonly body?: string | Readable;
  readonly type?: string;
  /** Of a body that is a stream. */
  readonly length?: number;
  readonly range?: string;
  readonly signal?: AbortSignal;
}

/** A part of the log of a Build. */
export interface LogPart {
  readonly content: Buffer;
  /** It is the last one. */
  readonly isOver: boolean;
}

const mostLogPart = 1 << 20;

function objectPath({ kind, namespace, name }: Target): string {
  return `${collectionPath(kind, namespace)}/${encodeURIComponent(name)}`;
}

/** Of the core group, as on every API server. */
function eventsPath({ kind, namespace, name }: Target): string {
  const fields = { kind: kind.kind, namespace, name };
  const selector = Object.entries(fields).map(([key, value]) => `involvedObject.${key}=${value}`);
  const query = new URLSearchParams({ fieldSelector: selector.join(',') });
  return `/api/v1/namespaces/${encodeURIComponent(namespace)}/events?${query}`;
}

function collectionPath({ plural }: Kind, namespace: string | undefined): string {
  const scope = namespace === undefined ? '' : `/namespaces/${encodeURIComponent(namespace)}`;
  return `/apis/${apiVersion}${scope}/${plural}`;
}

function listPath(
  kind: Kind,
  { namespace, labels }: ListScope,
  query: Readonly<Record<string, string>> = {},
): string {
  const search = new URLSearchParams(query);
  if (labels !== undefined) search.set('labelSelector', labels);
  return `${collectionPath(kind, namespace)}${search.size > 0 ? `?${search}` : ''}`;
}
