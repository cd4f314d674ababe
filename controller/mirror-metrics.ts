import { Counter, Gauge, type Registry } from 'prom-client';
import type { Mirror } from '../crds/mirror.ts';
import type { Gone } from '../reconcilers/reconciler.ts';

/** Told of refreshes by the mirrors' reconciler. */
export interface MirrorMetrics {
  refreshed(mirror: Mirror, at: Date, ok: boolean): void;
  /** The Mirror is gone, and its series with it. */
  forget(mirror: Gone): void;
}

const labelNames = ['namespace', 'name'] as const;

/** Says when each mirror was last found to be like its upstream: statuses hold no such clock. */
export function createMirrorMetrics(registry: Registry): MirrorMetrics {
  const registers = [registry];
  const success = new Gauge({
    name: 'cairn_mirror_last_success_timestamp_seconds',
    help: 'When a refresh last succeeded, changes or not.',
    labelNames,
    registers,
  });
  const refreshes = new Counter({
    name: 'cairn_mirror_refresh_total',
    help: 'Refreshes by result: success or error.',
    labelNames: [...labelNames, 'result'],
    registers,
  });
  return {
    refreshed({ metadata }, at, ok) {
      const labels = { namespace: metadata.namespace, name: metadata.name };
      refreshes.inc({ ...labels, result: ok ? 'success' : 'error' });
      if (ok) success.set(labels, at.getTime() / 1000);
    },
    forget({ namespace, name }) {
      const labels = { namespace, name };
      success.remove(labels);
      for (const result of ['success', 'error']) refreshes.remove({ ...labels, result });
    },
  };
}
