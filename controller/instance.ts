import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { publicKeys } from '../apt/openpgp.ts';
import { apiVersion } from '../crds/object.ts';
import { ConfigSourceKind } from '../crds/config-source.ts';
import { EnvironmentKind, type Environment } from '../crds/environment.ts';
import { kinds } from '../crds/index.ts';
import { validateManifest } from '../crds/validate.ts';
import { openBlobs } from '../depot/file-blobs.ts';
import { Trees } from '../depot/trees.ts';
import { environmentReconciler } from '../reconcilers/environment/index.ts';
import { KeyFolder } from '../reconcilers/environment/key-store.ts';
import { signersOf } from '../reconcilers/environment/signers.ts';
import { HostSlots } from '../reconcilers/fetch/slots.ts';
import { mirrorReconciler } from '../reconcilers/mirror/index.ts';
import { LazyFiles } from '../reconcilers/mirror/lazy-pool.ts';
import { ThreadRunner } from '../reconcilers/mirror/thread-runner.ts';
import { mirrorSetReconciler } from '../reconcilers/mirror-set/index.ts';
import { snapshotDiffer } from '../reconcilers/snapshot/diff-worker-pool.ts';
import { snapshotReconciler } from '../reconcilers/snapshot/index.ts';
import { createServer } from './http/server.ts';
import type { Log } from './log.ts';
import { startLoop } from './loop/controller.ts';
import { createMetrics } from './loop/metrics.ts';
import { createMirrorMetrics } from './mirror-metrics.ts';
import { secretFolder } from './secrets.ts';
import { configSourceReconciler } from './sources/reconciler.ts';
import { lockDataDirectory } from './store/lock.ts';
import { openSqliteStore, type SqliteStore } from './store/sqlite.ts';
import { ownCertificate } from './tls.ts';
import { ownTokens } from './tokens.ts';

export interface ConfigLocation {
  readonly location: string;
  readonly branch?: string | undefined;
  readonly path?: string | undefined;
  readonly interval?: string | undefined;
  readonly secret?: string | undefined;
}

export interface InstanceOptions {
  readonly data: string;
  readonly host: string;
  readonly port: number;
  readonly config?: ConfigLocation | undefined;
  /** Secrets as files; `<data>/secrets` by default. */
  readonly secretsFolder?: string | undefined;
  readonly externalUrl?: string | undefined;
  /** Where to serve over TLS as well. */
  readonly secure?: { readonly host: string; readonly port: number } | undefined;
  readonly log: Log;
}

export interface Instance {
  readonly url: string;
  /** Of the TLS server, if there is one. */
  readonly secureUrl?: string | undefined;
  readonly store: SqliteStore;
  /** Finishes what runs, writes everything down and lets go of the data directory. */
  close(): Promise<void>;
}

const closeGraceMs = 10_000;
/** The name of the ConfigSource that `cairn run --config` makes. */
const configName = 'config';

/**
 * Starts all of Cairn in this process: store, depot, reconcile loop and HTTP server, on one data
 * directory. Throws when another process uses that directory or the port, with nothing left running.
 */
export async function startInstance(options: InstanceOptions): Promise<Instance> {
  const { data, log } = options;
  await using started = new AsyncDisposableStack();
  mkdirSync(data, { recursive: true });
  const lock = lockDataDirectory(data);
  started.defer(() => lock.release());
  const now = () => new Date();
  const blobs = await openBlobs(join(data, 'depot'), { recover: true });
  started.defer(() => blobs.close());
  const trees = new Trees(blobs);
  const store = openSqliteStore(join(data, 'cairn.db'), { kinds, validate: validateManifest, now });
  started.defer(() => store.close());
  const secrets = secretFolder(options.secretsFolder ?? join(data, 'secrets'));
  const keyStore = new KeyFolder(join(data, 'keys'));
  const tokens = ownTokens(join(data, 'tokens'));
  const runner = new ThreadRunner({ depot: join(data, 'depot'), cache: join(data, 'cache') });
  started.defer(() => runner.close());
  const metrics = createMetrics();
  const sources = configSourceReconciler({
    dataDir: data,
    store,
    inventory: (source) => store.inventory(source),
    secrets,
    now,
    log,
  });
  started.defer(() => sources.close());
  const loop = startLoop({
    store,
    reconcilers: [
      mirrorReconciler({ runner, secrets, observer: createMirrorMetrics(metrics.registry) }),
      mirrorSetReconciler,
      snapshotReconciler,
      environmentReconciler({ blobs, trees, keyStore, secrets }),
      sources,
    ],
    now,
    log,
    metrics,
  });
  started.defer(async () => void (await loop.stop(closeGraceMs)));
  let isSynced = false;
  void loop.synced.then(() => (isSynced = true));
  const environmentKeys = async (name: string) => {
    const found = await store.get({ kind: EnvironmentKind.kind, namespace: 'default', name });
    const environment = found as Environment | undefined;
    if (!environment?.status.published) return undefined;
    const { keys } = await signersOf(environment, { keyStore, secrets }, now());
    return publicKeys(keys);
  };
  const server = createServer({
    store,
    blobs,
    trees,
    lazy: new LazyFiles({ store, blobs, slots: new HostSlots(), secrets }),
    environmentKeys,
    diff: snapshotDiffer({ store, depotRoot: join(data, 'depot') }),
    inventories: async () => {
      const { items } = await store.list(ConfigSourceKind.kind);
      return items.map(({ metadata: { namespace, name } }) => ({
        name,
        entries: store.inventory(`${namespace}/${name}`).list(),
      }));
    },
    metrics: metrics.registry,
    health: () => ({ ...loop.health(), ready: isSynced }),
    log,
    readToken: tokens.read,
    adminToken: tokens.admin,
    roleTokens: tokens,
    ...(options.externalUrl ? { externalUrl: options.externalUrl } : {}),
    now,
  });
  started.defer(() => server.close(closeGraceMs));
  await declareConfig(store, options.config);
  const { secure } = options;
  const certificate = secure && ownCertificate(join(data, 'tls'), secure.host, now());
  const address = secure && certificate && { ...secure, ...certificate };
  const { url, secureUrl } = await server.listen(options.host, options.port, address);
  lock.announce(url);
  const running = started.move();
  return { url, secureUrl, store, close: () => running.disposeAsync() };
}

/** Makes the ConfigSource say what the command line says; without --config there is none. */
async function declareConfig(store: SqliteStore, config: ConfigLocation | undefined) {
  const key = { kind: ConfigSourceKind.kind, namespace: 'default', name: configName };
  if (!config) {
    if (await store.get(key)) await store.delete(key);
    return;
  }
  const { location, branch, path, interval, secret } = config;
  const spec = {
    location,
    ...(branch === undefined ? {} : { branch }),
    ...(path === undefined ? {} : { path }),
    ...(interval === undefined ? {} : { interval }),
    ...(secret === undefined ? {} : { secretRef: { name: secret } }),
  };
  await store.apply(
    { apiVersion, kind: ConfigSourceKind.kind, metadata: { name: configName }, spec },
    'cairn-run',
  );
}
