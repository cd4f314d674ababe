/** A Kubernetes API server full of objects, beside a Cairn that is started and stopped on it. */
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startCairn, type Cairn } from '../../test/world/cairn.ts';
import { startKubernetes, type Kubernetes } from '../../test/world/kubernetes.ts';
import { newWorkFolder } from '../work-folder.ts';
import { Observer } from './observer.ts';
import { population, type Declared } from './population.ts';
import { pathOf, Server } from './server.ts';
import { startUpstreams } from './upstreams.ts';

const crds = path.resolve(import.meta.dirname, '../../crds');
export const watched = ['mirrors', 'mirrorsets', 'snapshots', 'environments', 'configsources'];

export interface Site {
  readonly server: Server;
  readonly observer: Observer;
  readonly objects: readonly Declared[];
  readonly kubernetes: Kubernetes;
  readonly folder: string;
  /** Runs Cairn as a person would. `args` are more arguments of `cairn run`. */
  start(args?: readonly string[]): Promise<Cairn>;
  stop(): Promise<void>;
}

/** Starts all of it, with so many objects that nobody has looked at yet. */
export async function makeSite(count: number): Promise<Site> {
  await using started = new AsyncDisposableStack();
  const folder = newWorkFolder('scale');
  const upstreams = await startUpstreams(folder, count);
  started.defer(() => upstreams.stop());
  const kubernetes = await startKubernetes({ after: (end) => started.defer(async () => end()) });
  const server = new Server(kubernetes);
  started.defer(() => server.close());
  await declareKinds(kubernetes);
  const objects = population(count, upstreams);
  await server.forEach(objects, ({ plural, manifest }) =>
    server.send('POST', pathOf(plural), manifest),
  );
  const observer = new Observer();
  started.defer(() => observer.close());
  await observer.follow(server, watched);
  const env = { KUBECONFIG: kubernetes.kubeconfig };
  const data = path.join(folder, 'data');
  const cairns: Cairn[] = [];
  started.defer(async () => {
    await Promise.all(cairns.map((cairn) => cairn.kill('SIGKILL')));
  });
  const running = started.move();
  return {
    server,
    observer,
    objects,
    kubernetes,
    folder,
    async start(args = []) {
      const all = ['--kubernetes', ...args];
      const cairn = await startCairn({ data, args: all, env, timeoutMs: 300_000 });
      cairns.push(cairn);
      return cairn;
    },
    stop: () => running.disposeAsync(),
  };
}

async function declareKinds(kubernetes: Kubernetes): Promise<void> {
  const files = readdirSync(crds).filter((file) => file.endsWith('.yaml'));
  const flags = files.flatMap((file) => ['-f', path.join(crds, file)]);
  for (const args of [['apply'], ['wait', '--for=condition=Established', '--timeout=30s']]) {
    const { code, output } = await kubernetes.kubectl([...args, ...flags]);
    if (code !== 0) throw new Error(output);
  }
}

/** Resolves when every object was looked at since the start. Edits may still be waiting. */
export async function untilLookedAt({ url }: Cairn, count: number): Promise<void> {
  const gauges = {
    runs: /^controller_runtime_reconcile_total(?:\{.*\})? (\S+)$/gm,
    waiting: /^workqueue_depth\{.*priority="2".*\} (\S+)$/gm,
  };
  for (;;) {
    const text = await (await fetch(`${url}/metrics`)).text();
    const sum = (gauge: RegExp) =>
      [...text.matchAll(gauge)].reduce((all, [, value]) => all + Number(value), 0);
    if (sum(gauges.runs) >= count && sum(gauges.waiting) === 0) return;
    await sleep(1000);
  }
}
