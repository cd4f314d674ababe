/** A server on the loopback interface, over a depot and a store that are real. */
import { createHash } from 'node:crypto';
import { Registry } from 'prom-client';
import { createServer } from '../../../controller/http/server.ts';
import type { LazyPool } from '../../../controller/http/lazy.ts';
import type { ServerOptions } from '../../../controller/http/options.ts';
import { createLog } from '../../../controller/log.ts';
import { openSqliteStore, type SqliteStore } from '../../../controller/store/sqlite.ts';
import { kinds } from '../../../crds/index.ts';
import type { KubeObject } from '../../../crds/object.ts';
import { validateManifest } from '../../../crds/validate.ts';
import { CairnError } from '../../../crds/reasons.ts';
import { openBlobs, type FileBlobs } from '../../../depot/file-blobs.ts';
import { Trees } from '../../../depot/tree-reader.ts';
import { comparePaths, writeTree } from '../../../depot/tree-writer.ts';
import { receiptFor } from '../../../reconcilers/repository/receipts.ts';
import { tempDir, type Scope } from '../../world/temp.ts';
import {
  Objects,
  type MirrorOptions,
  type PublishedOptions,
  type SnapshotOptions,
} from './objects.ts';

export { member, suite } from './objects.ts';

export const readToken = 'read-token-of-the-test';
export const adminToken = 'admin-token-of-the-test';
export const roleTokens = {
  viewer: 'viewer-token-of-the-test',
  promoter: 'promoter-token-of-the-test',
  editor: 'editor-token-of-the-test',
} as const;

export interface Fixture {
  readonly url: string;
  readonly port: number;
  readonly store: SqliteStore;
  readonly blobs: FileBlobs;
  readonly metrics: Registry;
  readonly logs: readonly string[];
  readonly options: ServerOptions;
  /** `fetch` that follows no redirects. */
  get(path: string, headers?: Record<string, string>, method?: string): Promise<Response>;
  /** Stores files, and a tree of them; gives its digest. */
  tree(files: Readonly<Record<string, string | Buffer>>): Promise<string>;
  /** A tree whose files are not all in the depot. */
  treeWithout(missing: string, files: Readonly<Record<string, string | Buffer>>): Promise<string>;
  mirror(name: string, options: MirrorOptions): Promise<KubeObject>;
  snapshot(name: string, options: SnapshotOptions): Promise<KubeObject>;
  environment(name: string, published: PublishedOptions): Promise<KubeObject>;
  setStatus(object: KubeObject, status: object): Promise<KubeObject>;
  close(graceMs: number): Promise<void>;
}

export async function startServer(
  t: Scope,
  given: Partial<ServerOptions> & { readonly depot?: string } = {},
): Promise<Fixture> {
  const blobs = await openBlobs(given.depot ?? tempDir(t));
  const trees = new Trees(blobs);
  const store = openSqliteStore(':memory:', { kinds, validate: accepting });
  const metrics = new Registry();
  const logs: string[] = [];
  const options: ServerOptions = {
    store,
    blobs,
    trees,
    lazy: nothingLazy,
    giveReceipt: async (of) => receiptFor(of, 'secret-of-the-test'),
    environmentKeys: async () => undefined,
    metrics,
    health: () => ({ live: [], ready: [] }),
    log: createLog({ format: 'text', level: 'debug', write: (line) => logs.push(line) }),
    readToken,
    adminToken,
    roleTokens,
    now: () => new Date(),
    ...given,
  };
  const server = createServer(options);
  const { url } = await server.listen('127.0.0.1', 0);
  const close = async (graceMs: number) => {
    await server.close(graceMs);
    await trees.close();
  };
  t.after(() => close(0));
  const objects = new Objects(store);
  return {
    url,
    port: Number(new URL(url).port),
    store,
    blobs,
    metrics,
    logs,
    options,
    get: (path, headers = {}, method = 'GET') =>
      fetch(`${url}${path}`, { headers, method, redirect: 'manual' }),
    tree: async (files) => (await writeTree(blobs, stored(blobs, files))).digest,
    treeWithout: async (missing, files) => {
      const { [missing]: content = '', ...others } = files;
      const entries = [...stored(blobs, others), { path: missing, ...described(content) }];
      const sorted = entries.sort((a, b) => comparePaths(a.path, b.path));
      return (await writeTree(blobs, sorted)).digest;
    },
    mirror: (name, options) => objects.mirror(name, options),
    snapshot: (name, options) => objects.snapshot(name, options),
    environment: (name, options) => objects.environment(name, options),
    setStatus: (object, status) => objects.setStatus(object, status),
    close,
  };
}

function accepting(input: unknown) {
  const { manifest, problems } = validateManifest(input);
  return { manifest: manifest ?? ({} as never), problems };
}

export function described(content: string | Buffer): { sha256: string; size: number } {
  const bytes = Buffer.from(content);
  return { sha256: createHash('sha256').update(bytes).digest('hex'), size: bytes.length };
}

function stored(blobs: FileBlobs, files: Readonly<Record<string, string | Buffer>>) {
  return Object.entries(files)
    .map(([path, content]) => ({ path, ...blobs.put(Buffer.from(content)) }))
    .sort((a, b) => comparePaths(a.path, b.path));
}

const nothingLazy: LazyPool = {
  async fetch({ path }) {
    throw new CairnError('FileMissing', `${path}: 404`);
  },
};
