import { Gauge, type Registry } from 'prom-client';
import type { Leadership } from './leadership.ts';

/** Whether this process leads, as client-go tells it. */
export function leaderMetrics(
  registry: Registry,
  name: string,
  leadership: Pick<Leadership, 'isLeading'>,
): void {
  new Gauge({
    name: 'leader_election_master_status',
    help: '1 on the replica that leads, else 0.',
    labelNames: ['name'],
    registers: [registry],
    collect() {
      this.set({ name }, leadership.isLeading() ? 1 : 0);
    },
  });
}
