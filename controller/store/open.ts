import { join } from 'node:path';
import { kinds } from '../../crds/index.ts';
import type { EventReader, InventoryStore, Store } from '../../crds/store.ts';
import { validateManifest } from '../../crds/validate.ts';
import type { Leadership } from '../leader/leadership.ts';
import type { Log } from '../log.ts';
import { openSqliteStore } from './sqlite.ts';

/** The API server to work on. */
export interface KubernetesLocation {
  /** `KUBECONFIG`, `HOME`, and what Kubernetes sets in Pods: see `findCluster`. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Only objects of this namespace; of all, when left out. */
  readonly namespace?: string | undefined;
  /** Several replicas share the data directory, and one of them works: see `Leadership`. */
  readonly elects?: boolean;
}

export interface OpenedStore {
  readonly store: Store & InventoryStore & EventReader;
  /** Runs for the leadership of all replicas. Throws where there is no cluster. */
  seekLeadership(): {
    readonly leadership: Leadership;
    /** Writes only while this process leads. */
    readonly fencedStore: Store & InventoryStore;
  };
  close(): Promise<void>;
}

export interface OpenStoreOptions {
  readonly data: string;
  readonly kubernetes?: KubernetesLocation | undefined;
  readonly log: Log;
  readonly now: () => Date;
}

/** Of the Lease that replicas share. */
const leaseName = 'cairn';

/** The store of all of Cairn's kinds: on a Kubernetes API server, or else in the data directory. */
export async function openStore(options: OpenStoreOptions): Promise<OpenedStore> {
  const { data, kubernetes, log, now } = options;
  const common = { kinds, validate: validateManifest, now };
  if (!kubernetes) {
    const store = openSqliteStore(join(data, 'cairn.db'), common);
    return {
      store,
      seekLeadership() {
        throw new Error('only replicas on Kubernetes elect a leader');
      },
      close: async () => store.close(),
    };
  }
  const { findCluster } = await import('./kubernetes/kubeconfig.ts');
  const { openKubernetesStore } = await import('./kubernetes/store.ts');
  const { seekLeadership } = await import('../leader/leadership.ts');
  const cluster = await findCluster(kubernetes.env);
  const { namespace } = kubernetes;
  log.info('reading objects from Kubernetes', { server: cluster.server.href, namespace });
  const store = await openKubernetesStore({ ...common, cluster, namespace, log });
  return {
    store,
    seekLeadership() {
      const within = namespace ?? cluster.namespace ?? 'default';
      const leadership = seekLeadership({
        env: kubernetes.env,
        namespace: within,
        name: leaseName,
        log,
      });
      return { leadership, fencedStore: store.fenced(() => leadership.fence()) };
    },
    close: () => store.close(),
  };
}
