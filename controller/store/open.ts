import { join } from 'node:path';
import { kinds } from '../../crds/index.ts';
import type { InventoryStore, Store } from '../../crds/store.ts';
import { validateManifest } from '../../crds/validate.ts';
import type { Log } from '../log.ts';
import { openSqliteStore } from './sqlite.ts';

/** The API server to work on. */
export interface KubernetesLocation {
  /** `KUBECONFIG`, `HOME`, and what Kubernetes sets in Pods: see `findCluster`. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Only objects of this namespace; of all, when left out. */
  readonly namespace?: string | undefined;
}

export interface OpenedStore {
  readonly store: Store & InventoryStore;
  close(): Promise<void>;
}

export interface OpenStoreOptions {
  readonly data: string;
  readonly kubernetes?: KubernetesLocation | undefined;
  readonly log: Log;
  readonly now: () => Date;
}

/** The store of all of Cairn's kinds: on a Kubernetes API server, or else in the data directory. */
export async function openStore(options: OpenStoreOptions): Promise<OpenedStore> {
  const { data, kubernetes, log, now } = options;
  const common = { kinds, validate: validateManifest, now };
  if (!kubernetes) {
    const store = openSqliteStore(join(data, 'cairn.db'), common);
    return { store, close: async () => store.close() };
  }
  const { findCluster } = await import('./kubernetes/kubeconfig.ts');
  const { openKubernetesStore } = await import('./kubernetes/store.ts');
  const cluster = await findCluster(kubernetes.env);
  const { namespace } = kubernetes;
  log.info('reading objects from Kubernetes', { server: cluster.server.href, namespace });
  const store = await openKubernetesStore({ ...common, cluster, namespace, log });
  return { store, close: () => store.close() };
}
