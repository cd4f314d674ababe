/** One upstream archive and a depot to mirror it into, without the rest of Cairn. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { validateManifest } from '../../../crds/validate.ts';
import type { MirrorSpec, MirrorState } from '../../../crds/mirror.ts';
import { openBlobs, type FileBlobs } from '../../../depot/file-blobs.ts';
import { openTree } from '../../../depot/tree-reader.ts';
import { HostSlots } from '../../../reconcilers/fetch/slots.ts';
import { PoolLists } from '../../../reconcilers/mirror/pool-lists.ts';
import { Counter } from '../../../reconcilers/mirror/progress.ts';
import { refresh } from '../../../reconcilers/mirror/refresh.ts';
import type { Refreshed, RefreshRequest } from '../../../reconcilers/mirror/request.ts';
import { Archive } from '../../world/archive.ts';
import type { ArchiveOptions } from '../../world/archive-options.ts';
import { exportPublic, testKey } from '../../world/keys.ts';
import { tempDir, type Scope } from '../../world/temp.ts';
import { startUpstream, type Upstream } from '../../world/upstream.ts';

export interface MirrorWorld {
  readonly archive: Archive;
  readonly upstream: Upstream;
  readonly blobs: FileBlobs;
  /** Refreshes with what was learnt by the last successful refresh. */
  refresh(change?: Change): Promise<Refreshed>;
  readonly state: MirrorState | undefined;
  /** The mirrored bytes of a path. */
  read(path: string): Promise<Buffer | undefined>;
  /** The bytes of the same path upstream. */
  original(path: string): Buffer;
  /** Archives list empty indexes that they don't store. */
  isUpstream(path: string): boolean;
  /** All mirrored paths. */
  paths(): Promise<string[]>;
}

export interface Change {
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly request?: Partial<RefreshRequest>;
  readonly now?: Date;
  readonly signal?: AbortSignal;
}

export async function mirrorWorld(
  scope: Scope,
  { archive: options = {}, spec = {} }: { archive?: Partial<ArchiveOptions>; spec?: object } = {},
): Promise<MirrorWorld> {
  const key = await testKey('archive');
  const keyring = await exportPublic(key);
  const root = tempDir(scope);
  const archive = new Archive(root, { suite: 'stable', signWith: key, ...options });
  const upstream = await startUpstream(root);
  scope.after(() => upstream.close());
  const folder = tempDir(scope);
  const blobs = await openBlobs(join(folder, 'depot'));
  const lists = new PoolLists(join(folder, 'lists'), blobs);
  const slots = new HostSlots();
  let state: MirrorState | undefined;
  const base = {
    url: upstream.url,
    suites: [options.suite ?? 'stable'],
    limits: { retries: 1, stallTimeout: '1s' },
    ...spec,
  };
  const tree = async () => (state ? openTree(blobs, state.tree) : undefined);

  return {
    archive,
    upstream,
    blobs,
    get state() {
      return state;
    },
    async refresh(change = {}) {
      const now = change.now;
      const request: RefreshRequest = {
        name: 'default/test',
        spec: specOf({ ...base, ...change.spec }),
        generation: 1,
        keyring,
        previous: state,
        ...change.request,
      };
      const deps = { blobs, lists, slots, now: () => now ?? new Date(), settleMs: 10 };
      const signal = change.signal ?? new AbortController().signal;
      const refreshed = await refresh(request, deps, new Counter(), signal);
      state = refreshed.state;
      return refreshed;
    },
    async read(path) {
      const entry = await (await tree())?.get(path);
      return entry && (await blobs.bytes(entry.sha256));
    },
    original: (path) => readFileSync(join(root, path)),
    isUpstream: (path) => existsSync(join(root, path)),
    async paths() {
      const found: string[] = [];
      for await (const { path } of (await tree())?.entries() ?? []) found.push(path);
      return found;
    },
  };
}

/** A Mirror spec with its defaults; signed by somebody unless it says otherwise. */
export function specOf(spec: object): MirrorSpec {
  const { manifest, problems } = validateManifest({
    apiVersion: 'cairn.build/v1alpha1',
    kind: 'Mirror',
    metadata: { name: 'test' },
    spec:
      'allowUnsigned' in spec ? spec : { signedBy: { inline: 'given by the request' }, ...spec },
  });
  if (!manifest) throw new Error(JSON.stringify(problems));
  return manifest.spec as MirrorSpec;
}
