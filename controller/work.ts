import { join } from 'node:path';
import type { InventoryStore, Store } from '../crds/store.ts';
import type { Blobs } from '../depot/depot.ts';
import type { DepotLocation } from '../depot/open.ts';
import type { Trees } from '../depot/trees.ts';
import { environmentReconciler } from '../reconcilers/environment/index.ts';
import type { KeyStore } from '../reconcilers/signing/key-store.ts';
import { FairQueue } from '../builders/fair-queue.ts';
import { Builds } from '../reconcilers/build/index.ts';
import { RefWatch } from '../reconcilers/git/watch.ts';
import { mirrorReconciler } from '../reconcilers/mirror/index.ts';
import { ThreadRunner } from '../reconcilers/mirror/thread-runner.ts';
import { mirrorSetReconciler } from '../reconcilers/mirror-set/index.ts';
import type { Offers } from '../reconcilers/archives/own-suite.ts';
import { highestVersion } from '../reconcilers/repository/highest-version.ts';
import { offers } from '../reconcilers/repository/offers.ts';
import { ProvidedNames } from '../reconcilers/repository/provided.ts';
import { Publisher } from '../reconcilers/repository/publisher.ts';
import type { Receipts } from '../reconcilers/repository/receipts.ts';
import { repositoryReconciler } from '../reconcilers/repository/index.ts';
import { requestRemoval, requestUpload } from '../reconcilers/repository/upload-manifest.ts';
import { uploadReconciler } from '../reconcilers/repository/upload.ts';
import type { Secrets } from '../reconcilers/secrets.ts';
import { snapshotReconciler } from '../reconcilers/snapshot/index.ts';
import { sourceReconciler } from '../reconcilers/source/index.ts';
import {
  buildsFolder,
  openBuilder,
  sweepBuilds,
  tellEngine,
  type DockerOptions,
} from './builder.ts';
import { createDriftMetrics } from './drift-metrics.ts';
import { check, type Health } from './health.ts';
import type { Log } from './log.ts';
import { startLoop } from './loop/controller.ts';
import type { LoopMetrics } from './loop/metrics.ts';
import { createMirrorMetrics } from './mirror-metrics.ts';
import { ownVersion } from './own-version.ts';
import { configSourceReconciler } from './sources/reconciler.ts';

export interface WorkOptions {
  /** The data directory: nobody else may work in it. */
  readonly data: string;
  readonly depot: DepotLocation;
  readonly store: Store & InventoryStore;
  readonly blobs: Blobs;
  readonly trees: Trees;
  readonly keyStore: KeyStore;
  readonly receipts: Receipts;
  readonly secrets: Secrets;
  readonly metrics: LoopMetrics;
  /** How clients reach this server, without a slash at the end; undefined while nobody knows. */
  readonly baseUrl: () => string | undefined;
  /** Whether that will be known in a moment. */
  readonly isUrlComing: () => boolean;
  /** How this process itself is reached, without a slash at the end; undefined until it listens. */
  readonly ownUrl: () => string | undefined;
  readonly readToken: () => string;
  /** What builds run on; left out: nothing is built. */
  readonly docker?: DockerOptions | undefined;
  /** What the engine knows this Cairn by; left out: by its data directory. */
  readonly builderOwner?: string | undefined;
  /** Whether it is this process that works; it may find out late that it is not any more. */
  readonly isLeading: () => boolean;
  /** See `LoopOptions`. */
  readonly runTimeoutMs?: number | undefined;
  /** How many objects are worked on at once. */
  readonly workers: number;
  readonly now: () => Date;
  readonly log: Log;
}

/** The part of Cairn that only one process may do: making true what is declared. */
export interface Work {
  health(): Health;
  /** Aborts what still runs after so long, and ends all threads and watching. */
  close(graceMs: number): Promise<void>;
}

export async function startWork(options: WorkOptions): Promise<Work> {
  const { docker, builderOwner, isLeading, ownUrl, readToken } = options;
  const builder = docker && (await openBuilder(options.data, docker, builderOwner));
  if (builder) void tellEngine(builder, options.log);
  const { data, depot, store, blobs, trees, keyStore, receipts, secrets, metrics } = options;
  const { workers, now, log, runTimeoutMs, baseUrl, isUrlComing } = options;
  const runner = new ThreadRunner({ depot, cache: join(data, 'cache') });
  const publisher = new Publisher({ depot });
  const sources = configSourceReconciler({
    dataDir: data,
    store,
    inventory: (source) => store.inventory(source),
    secrets,
    now,
    log,
    observer: createDriftMetrics(metrics.registry),
  });
  const watch = new RefWatch(join(data, 'git'));
  const provided = new ProvidedNames();
  const offersNow: Offers = (repository, wanted) =>
    offers(repository, wanted, { blobs, trees, provided });
  const builds = new Builds({
    ...{ store, builder, blobs, keyStore, secrets, ownUrl, baseUrl, readToken, now },
    version: ownVersion(),
    folder: buildsFolder(data),
    // Most of them wait for git, or for the engine, which has turns of its own.
    queue: new FairQueue(2 * (docker?.concurrency ?? 1)),
    publish: (to, upload) => requestUpload(to, upload, receipts),
    offers: offersNow,
    highestVersion: (repository, name) => highestVersion(repository, name, { blobs, trees }),
  });
  const missing = builder
    ? undefined
    : 'there is no Docker engine to build with: name one with cairn run --docker';
  const loop = startLoop({
    store,
    reconcilers: [
      mirrorReconciler({ runner, secrets, observer: createMirrorMetrics(metrics.registry) }),
      mirrorSetReconciler,
      snapshotReconciler,
      environmentReconciler({ blobs, trees, keyStore, secrets }),
      repositoryReconciler({ publisher, keyStore, receipts, secrets, baseUrl, isUrlComing }),
      uploadReconciler(store),
      sourceReconciler({
        ...{ store, watch, secrets, baseUrl, missing },
        offers: offersNow,
        removePackages: requestRemoval,
      }),
      builds.reconciler(),
      sources,
    ],
    now,
    log,
    metrics,
    workers,
    ...(runTimeoutMs !== undefined && { runTimeoutMs }),
  });
  let isSynced = false;
  let endSweeping = () => {};
  void loop.synced.then(() => {
    isSynced = true;
    if (builder) endSweeping = sweepBuilds(builder, store, { isLeading, log });
  });
  return {
    health: () => ({
      live: [...loop.health(), check('config-sources', sources.problems())],
      ready: [check('objects', isSynced ? [] : ['not everything has been looked at yet'])],
    }),
    async close(graceMs) {
      endSweeping();
      await loop.stop(graceMs);
      await builds.close();
      await watch.close();
      await sources.close();
      await runner.close();
      await publisher.close();
    },
  };
}
