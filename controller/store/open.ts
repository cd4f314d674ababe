import { join } from 'node:path';
import type { Registry } from 'prom-client';
import { objectSchema } from '../../crds/crd.ts';
import { kinds } from '../../crds/index.ts';
import type { EventReader, InventoryStore, Store, StorePeek } from '../../crds/store.ts';
import { validateManifest } from '../../crds/validate.ts';
import { check, type Health } from '../health.ts';
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
  readonly store: Store & StorePeek & InventoryStore & EventReader;
  /** When everything has been read once; left out: it is here. Rejects when it is closed first. */
  readonly synced?: Promise<void>;
  /** For probes. */
  health(): Health;
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
  /** Of what API servers are asked, and of who leads. */
  readonly metrics: Registry;
}

/** Of the Lease that replicas share. */
const leaseName = 'cairn';

/**
 * The store of all of Cairn's kinds: on a Kubernetes API server, or else in the data directory. The
 * former is there at once, and can be read a moment later: the server may be away, or have no CRDs.
 */
export async function openStore(options: OpenStoreOptions): Promise<OpenedStore> {
  const { data, kubernetes, log, now, metrics } = options;
  const common = { kinds, validate: validateManifest, now };
  if (!kubernetes) {
    const store = openSqliteStore(join(data, 'cairn.db'), common);
    return {
      store,
      health: () => ({ live: [], ready: [check('store', [])] }),
      seekLeadership() {
        throw new Error('only replicas on Kubernetes elect a leader');
      },
      close: async () => store.close(),
    };
  }
  const { findCluster } = await import('./kubernetes/kubeconfig.ts');
  const { KubernetesStore } = await import('./kubernetes/store.ts');
  const { seekLeadership } = await import('../leader/leadership.ts');
  const cluster = await findCluster(kubernetes.env);
  const { requestMetrics } = await import('./kubernetes/request-metrics.ts');
  const { leaderMetrics } = await import('../leader/metrics.ts');
  const { namespace } = kubernetes;
  const expected = kinds.map((kind) => ({
    kind: kind.kind,
    plural: kind.plural,
    schema: objectSchema(kind),
  }));
  const observer = requestMetrics(metrics, cluster.server.host);
  log.info('reading objects from Kubernetes', { server: cluster.server.href, namespace });
  const store = new KubernetesStore({ ...common, expected, cluster, namespace, log, observer });
  const synced = store.synced(Infinity);
  synced.catch(() => undefined); // whoever waits for it is told
  return {
    store,
    synced,
    health: () => store.health(),
    seekLeadership() {
      const within = namespace ?? cluster.namespace ?? 'default';
      const leadership = seekLeadership({
        env: kubernetes.env,
        namespace: within,
        name: leaseName,
        log,
        observer,
      });
      leaderMetrics(metrics, leaseName, leadership);
      return { leadership, fencedStore: store.fenced(() => leadership.fence()) };
    },
    close: () => store.close(),
  };
}
