/** Just enough of a client of Cairn's API, which speaks the dialect of Kubernetes. */

/** An object of any kind, as far as the benchmarks look into it. */
export interface AnyObject {
  readonly metadata: { readonly name: string; readonly generation?: number };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly lastHandledReconcileAt?: string;
    readonly refreshInProgress?: boolean;
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly reason?: string;
      readonly message?: string;
      readonly observedGeneration?: number;
    }[];
    readonly published?: { readonly snapshot: string };
    readonly state?: { readonly tree: string };
    readonly members?: readonly { readonly path?: string }[];
  };
}

const prefix = '/apis/cairn.build/v1alpha1/namespaces/default';

export class Api {
  readonly #url: string;
  readonly #headers: Readonly<Record<string, string>>;

  constructor({ url, tokens }: { url: string; tokens: { admin: string } }) {
    this.#url = url;
    this.#headers = { authorization: `Bearer ${tokens.admin}` };
  }

  get(plural: string, name: string): Promise<AnyObject> {
    return this.#send('GET', `${prefix}/${plural}/${name}`);
  }

  create(plural: string, manifest: object): Promise<AnyObject> {
    return this.#send('POST', `${prefix}/${plural}`, manifest, 'application/json');
  }

  /** A merge patch (RFC 7396). */
  patch(plural: string, name: string, change: object): Promise<AnyObject> {
    const type = 'application/merge-patch+json';
    return this.#send('PATCH', `${prefix}/${plural}/${name}`, change, type);
  }

  /** Does something, then waits until the object is as wanted. Throws after `timeoutMs`. */
  async actAndWait(
    target: {
      readonly plural: string;
      /** Any of them when left out. */
      readonly name?: string;
      readonly timeoutMs: number;
    },
    act: () => Promise<unknown>,
    isDone: (object: AnyObject) => boolean,
  ): Promise<AnyObject> {
    const watching = new AbortController();
    const signal = AbortSignal.any([watching.signal, AbortSignal.timeout(target.timeoutMs + 5000)]);
    const seconds = Math.ceil(target.timeoutMs / 1000);
    const only = target.name === undefined ? '' : `&fieldSelector=metadata.name%3D${target.name}`;
    const query = `watch=true&timeoutSeconds=${seconds}${only}`;
    const response = await fetch(`${this.#url}${prefix}/${target.plural}?${query}`, {
      signal,
      headers: this.#headers,
    });
    if (!response.ok || !response.body) throw new Error(`watch: ${response.status}`);
    try {
      await act();
      let last: AnyObject | undefined;
      for await (const object of objectsOf(response.body)) {
        last = object;
        if (isDone(object)) return object;
      }
      throw new Error(`${target.plural}/${target.name ?? ''} did not get there: ${explain(last)}`);
    } finally {
      watching.abort();
    }
  }

  async #send(
    method: string,
    path: string,
    body?: object,
    contentType?: string,
  ): Promise<AnyObject> {
    const response = await fetch(`${this.#url}${path}`, {
      method,
      headers: {
        ...this.#headers,
        ...(contentType !== undefined && { 'content-type': contentType }),
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return JSON.parse(text) as AnyObject; // the server of this checkout is trusted to keep its schema
  }
}

/** The objects of a watch: lines of `{ type, object }`. */
async function* objectsOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<AnyObject> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of body) {
    const lines = `${rest}${decoder.decode(chunk, { stream: true })}`.split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const event = JSON.parse(line) as { type: string; object: AnyObject };
      if (event.type !== 'BOOKMARK') yield event.object;
    }
  }
}

function explain(object: AnyObject | undefined): string {
  const conditions = object?.status?.conditions ?? [];
  return conditions.map(({ type, status, message }) => `${type}=${status}: ${message}`).join('; ');
}

/** Ready, and that for the newest spec. */
export function isReady({ metadata, status }: AnyObject): boolean {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  return ready?.status === 'True' && (ready.observedGeneration ?? 0) >= (metadata.generation ?? 0);
}
