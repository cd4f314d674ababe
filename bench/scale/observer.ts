import type { Declared } from './population.ts';
import { pathOf, type Server } from './server.ts';

/** An object, as far as it is looked into here. */
interface Seen {
  readonly metadata: {
    readonly name: string;
    readonly generation: number;
    readonly resourceVersion: string;
  };
  readonly spec?: { readonly [field: string]: unknown };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly revision?: string;
    readonly objects?: number;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}

export interface State {
  readonly generation: number;
  readonly observed: number;
  readonly isReady: boolean;
  readonly revision: string | undefined;
}

interface Wait {
  readonly isOver: () => boolean;
  readonly resolve: (at: number) => void;
}

/** Watches kinds as a person's `kubectl get --watch` would, and notes when something is seen. */
export class Observer {
  readonly states = new Map<string, State>();
  readonly #stop = new AbortController();
  readonly #waits = new Map<string, Set<Wait>>();
  readonly #following: Promise<void>[] = [];
  #ready = 0;
  #whenReady: { readonly count: number; readonly resolve: (at: number) => void } | undefined;
  #failure: unknown;

  /** Lists and begins to watch. */
  async follow(server: Server, plurals: readonly string[]): Promise<void> {
    for (const plural of plurals) {
      const listed = JSON.parse(await server.send('GET', pathOf(plural))) as {
        readonly metadata: { readonly resourceVersion: string };
        readonly items: readonly Seen[];
      };
      for (const item of listed.items) this.#note(plural, item);
      const query = `watch=true&timeoutSeconds=3600&resourceVersion=${listed.metadata.resourceVersion}`;
      this.#following.push(this.#watch(server, plural, query));
    }
  }

  /** How many objects are Ready now. */
  get ready(): number {
    return this.#ready;
  }

  /** When so many objects were Ready at a time, as of `performance.now()`. */
  untilReady(count: number, timeoutMs: number): Promise<number> {
    if (this.#ready >= count) return Promise.resolve(performance.now());
    const { promise, resolve } = Promise.withResolvers<number>();
    this.#whenReady = { count, resolve };
    return this.#orLate(promise, timeoutMs, () => `${this.#ready} of ${count} objects are ready`);
  }

  /** When an object was first seen as wanted, as of `performance.now()`. */
  until(
    { plural, manifest }: Pick<Declared, 'plural' | 'manifest'>,
    isGood: (state: State) => boolean,
    timeoutMs = 60_000,
  ): Promise<number> {
    const key = `${plural}/${manifest.metadata.name}`;
    const isOver = () => {
      const state = this.states.get(key);
      return state !== undefined && isGood(state);
    };
    if (isOver()) return Promise.resolve(performance.now());
    const { promise, resolve } = Promise.withResolvers<number>();
    const waits = this.#waits.get(key) ?? new Set();
    this.#waits.set(key, waits.add({ isOver, resolve }));
    return this.#orLate(
      promise,
      timeoutMs,
      () => `${key}: ${JSON.stringify(this.states.get(key))}`,
    );
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#following);
  }

  async #watch(server: Server, plural: string, query: string): Promise<void> {
    try {
      for await (const line of server.lines(`${pathOf(plural)}?${query}`, this.#stop.signal)) {
        const { type, object } = JSON.parse(line) as { type: string; object: Seen };
        if (type === 'ERROR') throw new Error(`the watch of ${plural} failed: ${line}`);
        if (type !== 'BOOKMARK') this.#note(plural, object);
      }
      throw new Error(`the watch of ${plural} ended`);
    } catch (error) {
      if (!this.#stop.signal.aborted) this.#failure = error;
    }
  }

  #note(plural: string, { metadata, status }: Seen): void {
    const key = `${plural}/${metadata.name}`;
    const before = this.states.get(key);
    const observed = status?.observedGeneration ?? -1;
    const says = status?.conditions?.find(({ type }) => type === 'Ready')?.status === 'True';
    const isReady = says && observed >= metadata.generation;
    const { generation } = metadata;
    this.states.set(key, { generation, observed, isReady, revision: status?.revision });
    this.#ready += Number(isReady) - Number(before?.isReady ?? false);
    const now = performance.now();
    for (const wait of this.#waits.get(key) ?? []) {
      if (!wait.isOver()) continue;
      this.#waits.get(key)?.delete(wait);
      wait.resolve(now);
    }
    if (this.#whenReady && this.#ready >= this.#whenReady.count) this.#whenReady.resolve(now);
  }

  async #orLate(wish: Promise<number>, ms: number, told: () => string): Promise<number> {
    const { promise: late, reject } = Promise.withResolvers<never>();
    const fail = () => reject(this.#failure ?? new Error(`not within ${ms / 1000} s: ${told()}`));
    const timer = setTimeout(fail, ms);
    try {
      return await Promise.race([wish, late]);
    } finally {
      clearTimeout(timer);
    }
  }
}
