/** Cairn's side of publishing. */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startCairn, type Cairn } from '../../test/world/cairn.ts';
import { Api, isReady } from '../api.ts';
import { measureProcess, type Cost } from '../measure.ts';
import { newWorkFolder } from '../work-folder.ts';

const apiVersion = 'cairn.build/v1alpha1';
const minute = 60_000;
const filesEach = 500;
const sentAtOnce = 16;
/** Release files are dated by the second, each later than the one before: a rest is not our time. */
const betweenMs = 1500;

/** A server with a repository that has many packages. */
export async function filledCairn(many: readonly string[]): Promise<Cairn> {
  const folder = newWorkFolder('cairn');
  const config = path.join(folder, 'config');
  mkdirSync(config, { recursive: true });
  const manifest = `{ apiVersion: ${apiVersion}, kind: Repository, metadata: { name: bench }, spec: { public: true } }\n`;
  writeFileSync(path.join(config, 'bench.yaml'), manifest);
  const server = await startCairn({ config, data: path.join(folder, 'data') });
  const api = new Api(server);
  const wait = { plural: 'repositories', name: 'bench', timeoutMs: 30 * minute };
  await api.actAndWait(wait, async () => {}, isReady);
  for (let at = 0; at < many.length; at += filesEach) {
    const files = many.slice(at, at + filesEach);
    await upload(server, `fill-${at}`, files);
    const name = `fill-${at}`;
    await api.actAndWait(
      { plural: 'uploads', name, timeoutMs: 10 * minute },
      async () => {},
      isReady,
    );
  }
  return server;
}

/** From the first byte that is sent until the Release that everybody gets is another one. */
export async function publishOne(server: Cairn, file: string): Promise<Cost> {
  await sleep(betweenMs);
  const before = await released(server);
  return measureProcess(server.pid, async () => {
    await upload(server, `one-${path.basename(file, '.deb').replaceAll(/[^a-z0-9]+/g, '-')}`, [
      file,
    ]);
    while ((await released(server)) === before) await sleep(1);
  });
}

async function released({ url }: Cairn): Promise<string> {
  return (await fetch(`${url}/repositories/default/bench/dists/stable/InRelease`)).text();
}

async function upload(server: Cairn, name: string, paths: readonly string[]): Promise<void> {
  const files: object[] = [];
  const waiting = [...paths];
  const lane = async () => {
    for (let file = waiting.pop(); file; file = waiting.pop()) files.push(await send(server, file));
  };
  await Promise.all(Array.from({ length: sentAtOnce }, lane));
  const spec = { repositoryRef: { name: 'bench' }, files };
  const metadata = { name, namespace: 'default', labels: { 'cairn.build/waits-for': 'bench' } };
  await new Api(server).create('uploads', { apiVersion, kind: 'Upload', metadata, spec });
}

async function send({ url, tokens }: Cairn, file: string): Promise<object> {
  const body = readFileSync(file);
  const sha256 = createHash('sha256').update(body).digest('hex');
  const headers = { authorization: `Bearer ${tokens.admin}` };
  const sent = await fetch(`${url}/api/v1/blobs/${sha256}?repository=bench`, {
    ...{ method: 'PUT', headers, body },
  });
  if (!sent.ok) throw new Error(`${file}: ${sent.status} ${await sent.text()}`);
  const { receipt } = (await sent.json()) as { readonly receipt: string };
  return { name: path.basename(file), sha256, size: body.length, receipt };
}
