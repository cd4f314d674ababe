/** The Mirror reconciler with refreshes that end when, and as, a test says. */
import { randomUUID } from 'node:crypto';
import { MirrorKind, type Mirror, type MirrorState } from '../../../crds/mirror.ts';
import { apiVersion } from '../../../crds/object.ts';
import type { CairnError } from '../../../crds/reasons.ts';
import { mirrorReconciler } from '../../../reconcilers/mirror/index.ts';
import type { Refreshed, RefreshRequest } from '../../../reconcilers/mirror/request.ts';
import { digestOf } from '../../../reconcilers/mirror/spec-digest.ts';
import type { RefreshRunner } from '../../../reconcilers/mirror/thread-runner.ts';
import { suite } from '../../controller/http/objects.ts';
import { specOf } from './mirror-world.ts';

interface Call {
  readonly request: RefreshRequest;
  readonly signal: AbortSignal;
  readonly progress: Parameters<RefreshRunner['refresh']>[1];
  readonly resolve: (refreshed: Refreshed) => void;
  readonly reject: (error: CairnError) => void;
}

const nothing = { added: 0, removed: 0, fetchedFiles: 0, fetchedBytes: 0, warnings: [] };

/** One Mirror, run by hand at a time that is set by hand. */
export class ScriptedMirror {
  readonly calls: Call[] = [];
  readonly secrets: Record<string, Record<string, string>> = {};
  readonly told: string[] = [];
  now = new Date('2026-08-01T12:00:00Z');
  pokes = 0;
  mirror: Mirror;
  #reconciler = this.#start();

  constructor(spec: object = {}) {
    this.mirror = {
      apiVersion,
      kind: MirrorKind.kind,
      metadata: {
        name: 'debian',
        namespace: 'default',
        uid: randomUUID(),
        resourceVersion: '1',
        generation: 1,
        creationTimestamp: '2026-08-01T00:00:00Z',
      },
      spec: specOf({ ...base, ...spec }),
      status: {},
    };
  }

  /** Whether the loop runs it although it is suspended. */
  get isBusy(): boolean {
    return this.#reconciler.isBusy?.(this.mirror) === true;
  }

  /** The last refresh that was started. */
  get last(): Call {
    const call = this.calls.at(-1);
    if (!call) throw new Error('no refresh was started');
    return call;
  }

  edit(spec: object): void {
    const { metadata } = this.mirror;
    this.mirror = {
      ...this.mirror,
      metadata: { ...metadata, generation: metadata.generation + 1 },
      spec: specOf({ ...base, ...spec }),
    };
  }

  annotate(annotations: Record<string, string>): void {
    this.mirror = { ...this.mirror, metadata: { ...this.mirror.metadata, annotations } };
  }

  /** One run; what it reports becomes the status, as the loop would have it. */
  async run(requested?: string) {
    const { lastHandledReconcileAt: before } = this.mirror.status;
    const isNew = requested !== undefined && requested !== before;
    const report = await this.#reconciler.reconcile(this.mirror, {
      store: {
        get: async () => undefined,
        list: async () => ({ items: [], resourceVersion: '' }),
        scan: async () => ({ objects: [], resourceVersion: '' }),
      },
      now: () => this.now,
      poke: () => void (this.pokes += 1),
      signal: new AbortController().signal,
      ...(isNew ? { requested } : {}),
      ...(this.mirror.spec.suspend ? { isSuspended: true } : {}),
    });
    const handled = (report.handled === undefined ? requested : report.handled) ?? before;
    const status = { ...report.status, ...(handled ? { lastHandledReconcileAt: handled } : {}) };
    this.mirror = { ...this.mirror, status };
    return report;
  }

  /** Ends the last refresh well, with a state of this tree, and runs. */
  async succeed(tree: string, changed = true) {
    const { request, resolve } = this.last;
    resolve({ ...nothing, state: stateOf(request, tree), changed });
    await settled();
    return this.run();
  }

  async fail(error: CairnError) {
    this.last.reject(error);
    await settled();
    return this.run();
  }

  forget(): void {
    this.#reconciler.forget?.(this.mirror.metadata);
  }

  /** Forgets what a process would. */
  restart(): void {
    this.#reconciler = this.#start();
  }

  wait(ms: number): void {
    this.now = new Date(this.now.getTime() + ms);
  }

  #start() {
    return mirrorReconciler({
      runner: {
        refresh: (request, progress, signal) =>
          new Promise((resolve, reject) => {
            this.calls.push({ request, signal, progress, resolve, reject });
          }),
      },
      secrets: async ({ name }) => this.secrets[name],
      observer: {
        refreshed: (_, at, ok) => this.told.push(`${ok ? 'good' : 'bad'} ${at.toISOString()}`),
        forget: () => this.told.push('forgotten'),
      },
    });
  }
}

const base = { url: 'http://deb.example.org/debian', suites: ['bookworm'] };

/** Promises that wait for one another are through. */
export async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

function stateOf({ spec, keyring, generation }: RefreshRequest, tree: string): MirrorState {
  return {
    tree: tree.repeat(64).slice(0, 64),
    url: spec.url,
    download: spec.download,
    generation,
    specDigest: digestOf(spec, keyring),
    completedAt: '2026-08-01T12:00:00Z',
    files: 1,
    bytes: 1,
    packages: 1,
    suites: [suite('bookworm')],
    missing: [],
  };
}
