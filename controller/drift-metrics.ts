import { Counter, Gauge, type Registry } from 'prom-client';
import type { ConfigSource } from '../crds/config-source.ts';
import type { DriftObserver } from './sources/drift.ts';

const labelNames = ['namespace', 'name'] as const;

/** How much of what config sources declare is changed by others. */
export function createDriftMetrics(registry: Registry): DriftObserver {
  const registers = [registry];
  const corrections = new Counter({
    name: 'cairn_configsource_drift_corrections_total',
    help: 'Objects that a config source has put back after somebody changed or deleted them.',
    labelNames,
    registers,
  });
  const drifted = new Gauge({
    name: 'cairn_configsource_drifted_objects',
    help: 'Objects that are not as their config source declares them, and are left so.',
    labelNames,
    registers,
  });
  return {
    seen(source, { corrected, left }) {
      corrections.inc(labelsOf(source), corrected);
      drifted.set(labelsOf(source), left);
    },
    forget(source) {
      corrections.remove(labelsOf(source));
      drifted.remove(labelsOf(source));
    },
  };
}

function labelsOf({ metadata: { namespace, name } }: ConfigSource) {
  return { namespace, name };
}
