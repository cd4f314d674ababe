/** Objects as their reconcilers would write them. */
import { randomUUID } from 'node:crypto';
import type { SqliteStore } from '../../../controller/store/sqlite.ts';
import type { MirroredSuite } from '../../../crds/mirror.ts';
import { apiVersion, type KubeObject } from '../../../crds/object.ts';
import type { FrozenMember } from '../../../crds/snapshot.ts';

export interface MirrorOptions {
  readonly tree: string;
  readonly url?: string;
  readonly public?: boolean;
  readonly download?: 'Eager' | 'Lazy';
  readonly keyring?: string;
  readonly suites?: readonly MirroredSuite[];
  readonly predecessors?: readonly string[];
}

export interface SnapshotOptions {
  readonly takenAt?: string;
  readonly mirrorSet?: string;
  readonly members: readonly FrozenMember[];
}

export interface PublishedOptions {
  readonly snapshotUid?: string;
  readonly date?: string;
  readonly members: readonly (FrozenMember & { readonly overlay: string })[];
  readonly history?: readonly { trees: string[]; overlays: string[]; snapshotUid?: string }[];
}

/** A suite as a refresh would describe it. */
export function suite(name: string, given: Partial<MirroredSuite> = {}): MirroredSuite {
  return {
    suite: name,
    path: name.endsWith('/') ? name : `dists/${name}`,
    release: '0'.repeat(64),
    date: '2026-08-01T00:00:00Z',
    publishedAt: '2026-08-01T10:00:00Z',
    components: ['main'],
    architectures: ['amd64', 'all'],
    sources: false,
    signedBy: [],
    ...given,
  };
}

/** A member of a snapshot. */
export function member(
  path: string,
  tree: string,
  given: Partial<FrozenMember> = {},
): FrozenMember {
  return {
    mirror: 'debian',
    path,
    url: `https://${path}`,
    tree,
    generation: 1,
    public: true,
    download: 'Eager',
    packages: 1,
    suites: [suite('bookworm')],
    ...given,
  };
}

/** Writes them into a store, status and all. */
export class Objects {
  readonly #store: SqliteStore;

  constructor(store: SqliteStore) {
    this.#store = store;
  }

  async mirror(name: string, options: MirrorOptions): Promise<KubeObject> {
    const {
      url = 'https://deb.example.org/debian',
      public: isPublic = true,
      download = 'Eager',
    } = options;
    const spec = { url, suites: ['bookworm'], allowUnsigned: true, public: isPublic, download };
    const suites = options.suites ?? [suite('bookworm')];
    return this.#write('Mirror', name, spec, {
      predecessors: options.predecessors?.map((tree) => ({ tree, until: '2026-08-01T10:00:00Z' })),
      state: {
        tree: options.tree,
        url,
        download,
        generation: 1,
        specDigest: '0'.repeat(64),
        completedAt: '2026-08-01T10:00:00Z',
        files: 1,
        bytes: 1,
        packages: 1,
        keyring: options.keyring,
        suites,
        missing: [],
      },
    });
  }

  async snapshot(name: string, { members, ...options }: SnapshotOptions): Promise<KubeObject> {
    const { mirrorSet = 'all', takenAt = '2026-08-01T12:00:00Z' } = options;
    return this.#write(
      'Snapshot',
      name,
      { mirrorSetRef: { name: mirrorSet } },
      {
        takenAt,
        mirrorSet,
        members,
        observedGeneration: 1,
        conditions: [
          {
            type: 'Ready',
            status: 'True',
            reason: 'Succeeded',
            message: 'taken',
            observedGeneration: 1,
            lastTransitionTime: takenAt,
          },
        ],
      },
    );
  }

  async environment(name: string, options: PublishedOptions): Promise<KubeObject> {
    const { date = '2026-08-02T00:00:00Z', snapshotUid = randomUUID(), members } = options;
    return this.#write(
      'Environment',
      name,
      { snapshotRef: { name: 'a' } },
      {
        published: {
          snapshot: 'a',
          snapshotUid,
          promotedAt: date,
          date,
          inputs: '0'.repeat(64),
          members,
        },
        history: options.history?.map((entry) => ({
          snapshot: 'before',
          snapshotUid: randomUUID(),
          from: date,
          until: date,
          ...entry,
        })),
      },
    );
  }

  async setStatus(object: KubeObject, status: object): Promise<KubeObject> {
    return this.#store.updateStatus({ ...object, status });
  }

  async #write(kind: string, name: string, spec: object, status: object): Promise<KubeObject> {
    const manifest = { apiVersion, kind, metadata: { name, namespace: 'default' }, spec };
    const { object } = await this.#store.apply(manifest, 'test');
    return this.setStatus(object, { ...object.status, ...status });
  }
}
