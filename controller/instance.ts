import { join } from 'node:path';
import { collectDefaultMetrics } from 'prom-client';
import { publicKeys } from '../apt/openpgp.ts';
import { apiVersion, type KubeObject } from '../crds/object.ts';
import type { Store } from '../crds/store.ts';
import { ConfigSourceKind } from '../crds/config-source.ts';
import { EnvironmentKind, type Environment } from '../crds/environment.ts';
import { openBlobs } from '../depot/file-blobs.ts';
import { openDepot, type BucketLocation, type Depot, type DepotLocation } from '../depot/open.ts';
import { Trees } from '../depot/trees.ts';
import { signersOf } from '../reconcilers/signing/signers.ts';
import { HostSlots } from '../reconcilers/fetch/slots.ts';
import { Receipts } from '../reconcilers/repository/receipts.ts';
import { LazyFiles } from '../reconcilers/mirror/lazy-pool.ts';
import { snapshotDiffer } from '../reconcilers/snapshot/diff-worker-pool.ts';
import { makeDataDirectory } from './data-directory.ts';
import { buildsFolder, forgetBuilds, sharedOwner, type DockerOptions } from './builder.ts';
import { check, type Health } from './health.ts';
import { createServer } from './http/server.ts';
import type { Log } from './log.ts';
import { addressOf, fromHere, type Advertised } from './leader/address.ts';
import { lateShift, soleShift, type LateOptions } from './leader/shift.ts';
import { createMetrics } from './loop/metrics.ts';
import { redirectOf } from './redirect.ts';
import { lockDataDirectory } from './store/lock.ts';
import { openStore, type KubernetesLocation } from './store/open.ts';
import { ownCertificate } from './tls.ts';
import { openVault } from './vault/vault.ts';
import { startWork } from './work.ts';

export interface ConfigLocation {
  readonly location: string;
  readonly branch?: string | undefined;
  readonly path?: string | undefined;
  readonly interval?: string | undefined;
  readonly secret?: string | undefined;
  readonly drift?: 'Correct' | 'Report' | undefined;
}

export interface InstanceOptions {
  readonly data: string;
  /** Empty: all addresses of this machine. */
  readonly host: string;
  readonly port: number;
  readonly config?: ConfigLocation | undefined;
  /** Keeps objects on this API server; else in the data directory. */
  readonly kubernetes?: KubernetesLocation | undefined;
  /** Keeps the blobs in this bucket, and `<data>/depot` as a cache of them. */
  readonly bucket?: BucketLocation | undefined;
  /** Larger files are left for clients to fetch from the bucket themselves. */
  readonly redirectAboveBytes?: number | undefined;
  /** Secrets as files; `<data>/secrets` by default. */
  readonly secretsFolder?: string | undefined;
  readonly externalUrl?: string | undefined;
  /** The engine that builds run on; left out: nothing is built. */
  readonly docker?: DockerOptions | undefined;
  /** Where other replicas reach this one, if not at the address that it listens on. */
  readonly advertised?: Advertised | undefined;
  /** Where to serve over TLS as well. */
  readonly secure?: { readonly host: string; readonly port: number } | undefined;
  /** See `LoopOptions`. */
  readonly runTimeoutMs?: number | undefined;
  readonly log: Log;
}

export interface Instance {
  readonly url: string;
  /** Of the TLS server, if there is one. */
  readonly secureUrl?: string | undefined;
  readonly store: Store;
  /** Resolves with the reason when this one has to end: another replica leads by now, mostly. */
  readonly lost: Promise<string>;
  /** Finishes what runs, for 10 s by default, and lets go of the data directory. */
  close(withinMs?: number): Promise<void>;
}

const closeGraceMs = 10_000;
/** Objects that are worked on at a time: on Kubernetes, each waits for the API server most of it. */
const atOnce = { embedded: 4, onKubernetes: 12 };
/** The name of the ConfigSource that `cairn run --config` makes. */
const configName = 'config';

/**
 * Starts all of Cairn in this process: store, depot, reconcile loop and HTTP server, on one data
 * directory. Throws when another process uses that directory or the port, with nothing left running.
 */
export async function startInstance(options: InstanceOptions): Promise<Instance> {
  const { data, log, kubernetes } = options;
  const namespace = kubernetes?.namespace ?? 'default';
  const elects = kubernetes?.elects ?? false;
  await using started = new AsyncDisposableStack();
  makeDataDirectory(data);
  const lock = elects ? undefined : lockDataDirectory(data);
  started.defer(() => lock?.release());
  const now = () => new Date();
  const depot: DepotLocation = { root: join(data, 'depot'), bucket: options.bucket };
  const blobs = await openDepot(depot, { recover: !elects, guest: elects, isMain: true });
  started.defer(() => blobs.close());
  const trees = new Trees(blobs);
  const metrics = createMetrics();
  collectDefaultMetrics({ register: metrics.registry });
  const opened = await openStore({ data, kubernetes, log, now, metrics: metrics.registry });
  const { store } = opened;
  started.defer(() => opened.close());
  const { secretsFolder, runTimeoutMs } = options;
  const vault = await openVault({ data, secretsFolder, kubernetes, log });
  started.defer(() => vault.close());
  const { keyStore, secrets } = vault;
  const receipts = new Receipts(keyStore);
  const workers = kubernetes ? atOnce.onKubernetes : atOnce.embedded;
  // On Kubernetes this process is one of several, behind an address that only people know.
  let ownUrl: string | undefined;
  const externalUrl = options.externalUrl?.replace(/\/+$/, '');
  const baseUrl = () => externalUrl ?? (kubernetes ? undefined : ownUrl);
  const isUrlComing = () => !kubernetes && baseUrl() === undefined;
  const parts = {
    ...{ data, depot, blobs, trees, keyStore, receipts, secrets, metrics, workers, now, log },
    ...{ runTimeoutMs, baseUrl, isUrlComing, docker: options.docker },
    ownUrl: () => ownUrl,
    readToken: () => vault.tokens().read,
  };
  // With a bucket, each replica has a data directory of its own.
  const hasReplicas = elects && options.bucket !== undefined;
  const begin: LateOptions['begin'] = async (turn) => {
    if (elects) await (await openBlobs(depot.root, { recover: 'beside guests' })).close();
    if (hasReplicas) await forgetBuilds(data);
    await declareConfig(turn.store, namespace, options);
    const isShared = kubernetes && options.docker;
    const builderOwner = isShared && (await sharedOwner(keyStore, kubernetes.namespace));
    return startWork({ ...parts, ...turn, builderOwner });
  };
  const { synced } = opened;
  const election = elects ? { data, seekLeadership: () => opened.seekLeadership() } : undefined;
  const shift =
    lock && !synced
      ? soleShift(await begin({ store, isLeading: () => true }), lock)
      : lateShift({ synced: synced ?? Promise.resolve(), lock, store, election, begin, log });
  const replicas = { leader: () => shift.leader(), secret: () => keyStore.ownSecret('replicas') };
  let graceMs = closeGraceMs;
  const closeShift = once(() => shift.close(graceMs));
  started.defer(closeShift);
  const environmentKeys = async (name: string) => {
    const found = await store.get({ kind: EnvironmentKind.kind, namespace, name });
    const environment = found as Environment | undefined;
    if (!environment?.status.published) return undefined;
    const { keys } = await signersOf(
      { ...environment, owner: 'environment' },
      { keyStore, secrets },
      now(),
    );
    return publicKeys(keys);
  };
  const server = createServer({
    store,
    namespace,
    blobs,
    redirect: redirectOf(blobs, options.redirectAboveBytes),
    trees,
    giveReceipt: (of) => receipts.give(of),
    lazy: new LazyFiles({ store, blobs, slots: new HostSlots(), secrets }),
    environmentKeys,
    diff: snapshotDiffer({ store, namespace, depot }),
    inventories: async () => {
      const { items } = await store.list(ConfigSourceKind.kind);
      const entries = ({ metadata: { namespace, name } }: KubeObject) =>
        store.inventory(`${namespace}/${name}`).list();
      return Promise.all(
        items.map(async (item) => ({ name: item.metadata.name, entries: await entries(item) })),
      );
    },
    secrets,
    buildsFolder: buildsFolder(data),
    replicas: hasReplicas ? replicas : undefined,
    metrics: metrics.registry,
    health: () => joined(opened.health(), vault.health(), shift.health(), depotHealth(blobs)),
    synced,
    log,
    get readToken() {
      return vault.tokens().read;
    },
    get adminToken() {
      return vault.tokens().admin;
    },
    get roleTokens() {
      return vault.tokens();
    },
    ...(options.externalUrl ? { externalUrl: options.externalUrl } : {}),
    now,
  });
  // Both at once: another replica need not wait for a client here that reads slowly.
  started.defer(async () => void (await Promise.all([server.close(graceMs), closeShift()])));
  const { secure } = options;
  const certificate = secure && ownCertificate(join(data, 'tls'), secure.host, now());
  const address = secure && certificate && { ...secure, ...certificate };
  const { url, secureUrl } = await server.listen(options.host, options.port, address);
  ownUrl = fromHere(url);
  shift.announce(url, addressOf(url, options.advertised));
  const running = started.move();
  return {
    url,
    secureUrl,
    store,
    lost: shift.lost,
    async close(withinMs = closeGraceMs) {
      graceMs = withinMs;
      await running.disposeAsync();
    },
  };
}

function once(work: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined;
  return () => (done ??= work());
}

function joined(...parts: readonly Health[]): Health {
  return { live: parts.flatMap(({ live }) => live), ready: parts.flatMap(({ ready }) => ready) };
}

/** A bucket that is away is mended by no restart; meanwhile the cache is served. */
function depotHealth(blobs: Depot): Health {
  return { live: [], ready: [check('depot', blobs.problems(), 'poor')] };
}

/** Makes the ConfigSource say what the command line says; without --config there is no such one. */
async function declareConfig(
  store: Store,
  namespace: string,
  { config, kubernetes }: Pick<InstanceOptions, 'config' | 'kubernetes'>,
): Promise<void> {
  const key = { kind: ConfigSourceKind.kind, namespace, name: configName };
  if (!config) {
    const isOurs = kubernetes === undefined; // else somebody may have applied it with kubectl
    if (isOurs && (await store.get(key))) await store.delete(key);
    return;
  }
  const { location, branch, path, interval, secret, drift } = config;
  const spec = {
    location,
    ...(branch === undefined ? {} : { branch }),
    ...(path === undefined ? {} : { path }),
    ...(interval === undefined ? {} : { interval }),
    ...(secret === undefined ? {} : { secretRef: { name: secret } }),
    ...(drift === undefined ? {} : { drift }),
  };
  await store.apply(
    { apiVersion, kind: ConfigSourceKind.kind, metadata: { name: configName, namespace }, spec },
    'cairn-run',
  );
}
