/** Cairn's side of the table: all that must change when its API or command line does. */
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { launcher, startCairn, type Cairn } from '../test/world/cairn.ts';
import { Api, isReady } from './api.ts';
import { cpuSecondsOf, measureCommand, measureProcess, peakOf, type Cost } from './measure.ts';
import type { Upstream } from './peers/peer.ts';
import { newWorkFolder } from './work-folder.ts';

const minute = 60_000;
const apiVersion = 'cairn.build/v1alpha1';

export interface RunningCairn {
  readonly server: Cairn;
  /** From the start of the process until the mirror was ready. */
  readonly firstMirror: Cost;
}

/** Starts a server with nothing but a declared mirror, and waits until it has it. */
export async function mirrorAnew(upstream: Upstream): Promise<RunningCairn> {
  const workFolder = newWorkFolder('cairn');
  const config = path.join(workFolder, 'config');
  mkdirSync(config, { recursive: true });
  cpSync(upstream.keyFile, path.join(config, 'archive-key.asc'));
  writeFileSync(path.join(config, 'bench.yaml'), manifests(upstream));
  const start = performance.now();
  const server = await startCairn({ config, data: path.join(workFolder, 'data') });
  const wait = { plural: 'mirrors', name: 'bench', timeoutMs: 30 * minute };
  await new Api(server)
    .actAndWait(wait, async () => {}, isReady)
    .catch(async (error: unknown) => {
      await server.kill();
      throw new Error(`the mirror did not become ready; the server's log:\n${server.logs}`, {
        cause: error,
      });
    });
  const wallSeconds = (performance.now() - start) / 1000;
  const { pid } = server;
  const firstMirror = { wallSeconds, cpuSeconds: cpuSecondsOf(pid), peakMegabytes: peakOf(pid) };
  return { server, firstMirror };
}

function manifests({ url, suite }: Upstream): string {
  return `apiVersion: ${apiVersion}
kind: Mirror
metadata: { name: bench }
spec:
  url: ${url}
  suites: [${suite}]
  components: [main]
  architectures: [amd64]
  signedBy: { file: archive-key.asc }
  interval: 1d
  public: true
  maxShrinkPercent: 100 # of a few hundred packages, a hundred are many
  limits: { connections: 16 }
---
apiVersion: ${apiVersion}
kind: MirrorSet
metadata: { name: bench }
spec:
  mirrors: [{ name: bench }]
`;
}

/** Asks for a refresh, as \`cairn reconcile\` does, and waits until it was dealt with. */
export function refresh(server: Cairn): Promise<Cost> {
  const api = new Api(server);
  const requestedAt = new Date().toISOString();
  const annotations = { 'reconcile.cairn.build/requestedAt': requestedAt };
  return measureProcess(server.pid, () =>
    api.actAndWait(
      { plural: 'mirrors', name: 'bench', timeoutMs: 10 * minute },
      () => api.patch('mirrors', 'bench', { metadata: { annotations } }),
      (mirror) =>
        mirror.status?.lastHandledReconcileAt === requestedAt &&
        mirror.status.refreshInProgress !== true &&
        isReady(mirror),
    ),
  );
}

export function createSnapshot(server: Cairn, name: string): Promise<Cost> {
  const api = new Api(server);
  const manifest = {
    apiVersion,
    kind: 'Snapshot',
    metadata: { name, namespace: 'default' },
    spec: { mirrorSetRef: { name: 'bench' } },
  };
  return measureProcess(server.pid, () =>
    api.actAndWait(
      { plural: 'snapshots', name, timeoutMs: minute },
      () => api.create('snapshots', manifest),
      isReady,
    ),
  );
}

export async function createEnvironment(server: Cairn, snapshot: string): Promise<void> {
  const api = new Api(server);
  const manifest = {
    apiVersion,
    kind: 'Environment',
    metadata: { name: 'bench', namespace: 'default' },
    spec: { snapshotRef: { name: snapshot } },
  };
  await api.actAndWait(
    { plural: 'environments', name: 'bench', timeoutMs: minute },
    () => api.create('environments', manifest),
    isReady,
  );
}

/** Changes the environment's snapshot and waits until that is what it serves. */
export function promote(server: Cairn, snapshot: string): Promise<Cost> {
  const api = new Api(server);
  return measureProcess(server.pid, () =>
    api.actAndWait(
      { plural: 'environments', name: 'bench', timeoutMs: minute },
      () => api.patch('environments', 'bench', { spec: { snapshotRef: { name: snapshot } } }),
      (environment) => environment.status?.published?.snapshot === snapshot && isReady(environment),
    ),
  );
}

/** The command line as a whole process, and what the server did for it. */
export async function diff(server: Cairn, one: string, other: string): Promise<Cost> {
  const env = { CAIRN_SERVER: server.url, CAIRN_TOKEN: server.tokens.admin };
  const before = cpuSecondsOf(server.pid);
  const client = await measureCommand({ program: launcher, args: ['diff', one, other], env });
  return {
    wallSeconds: client.wallSeconds,
    cpuSeconds: client.cpuSeconds + cpuSecondsOf(server.pid) - before,
    peakMegabytes: client.peakMegabytes + peakOf(server.pid),
  };
}
