/** The whole product on a small upstream archive, as its users have it: config files, CLI, apt. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cairn as runCommand, type Ran } from '../controller/cli/in-process.ts';
import { createAptRoot, type AptRoot, type AptRootOptions } from '../world/apt.ts';
import { Archive } from '../world/archive.ts';
import type { ArchiveOptions } from '../world/archive-options.ts';
import { startCairn, type Cairn, type CairnOptions } from '../world/cairn.ts';
import { exportPublic, testKey } from '../world/keys.ts';
import type { Finished } from '../world/process.ts';
import { tempDir, type Scope } from '../world/temp.ts';
import { startUpstream, type Upstream } from '../world/upstream.ts';

export interface Product {
  readonly archive: Archive;
  readonly upstream: Upstream;
  readonly config: string;
  readonly data: string;
  /** The mount path of the archive: `127.0.0.1:PORT/debian`. */
  readonly mount: string;
  start(options?: Partial<CairnOptions>): Promise<Cairn>;
  /** Writes one manifest file into the config folder. */
  write(name: string, text: string): void;
  /** An apt root whose sources are those that Cairn generates at this path. */
  apt(cairn: Cairn, path: string, options?: AptRootOptions): Promise<AptRoot>;
}

const header = 'apiVersion: cairn.build/v1alpha1\n';

export async function product(
  scope: Scope,
  archiveOptions: Partial<ArchiveOptions> = {},
): Promise<Product> {
  const cairns: Cairn[] = [];
  // Hooks run in the order of their registration, and none does after one that fails: first those
  // who write into the folders that the others remove.
  scope.after(async () => {
    await Promise.all(cairns.map((cairn) => cairn.kill('SIGKILL')));
  });
  const root = tempDir(scope);
  const config = tempDir(scope);
  const data = join(tempDir(scope), 'data');
  const key = await testKey('archive');
  const archive = new Archive(join(root, 'debian'), {
    suite: 'stable',
    signWith: key,
    ...archiveOptions,
  });
  const upstream = await startUpstream(root);
  scope.after(() => upstream.close());
  mkdirSync(join(config, 'keys'));
  writeFileSync(join(config, 'keys/archive.asc'), await exportPublic(key));
  return {
    archive,
    upstream,
    config,
    data,
    mount: `${upstream.url.replace('http://', '')}/debian`,
    async start(options = {}) {
      const cairn = await startCairn({ config, data, ...options });
      cairns.push(cairn);
      return cairn;
    },
    write: (name, text) => writeFileSync(join(config, name), text),
    async apt(cairn, path, options) {
      const root = createAptRoot(tempDir(scope), options);
      const response = await fetch(`${cairn.url}${path}/client.sources`);
      if (!response.ok) throw new Error(`${path}/client.sources: ${await response.text()}`);
      root.writeSources(await response.text());
      return root;
    },
  };
}

/** A Mirror of the archive, as the documentation shows one. */
export function mirror(
  { upstream }: Product,
  spec: Readonly<Record<string, unknown>> = {},
): string {
  const fields = {
    url: `${upstream.url}/debian`,
    suites: ['stable'],
    signedBy: { file: 'keys/archive.asc' },
    interval: '1h',
    public: true,
    ...spec,
  };
  return `${header}kind: Mirror\nmetadata: { name: demo }\nspec: ${JSON.stringify(fields)}\n`;
}

export const mirrorSet = `${header}kind: MirrorSet
metadata: { name: base }
spec: { mirrors: [{ name: demo }] }
`;

export function snapshot(name: string): string {
  return `${header}kind: Snapshot
metadata: { name: ${name} }
spec: { mirrorSetRef: { name: base } }
`;
}

export function environment(
  snapshotName: string,
  spec: Readonly<Record<string, unknown>> = {},
): string {
  const fields = { snapshotRef: { name: snapshotName }, ...spec };
  return `${header}kind: Environment
metadata: { name: production }
spec: ${JSON.stringify(fields)}
`;
}

/** Waits until `cairn wait` says yes; its output otherwise fails the test. */
export async function until(cairn: Cairn, ...args: readonly string[]): Promise<void> {
  const { status, err } = await command(cairn, 'wait', ...args, '--timeout=120s');
  if (status !== 0) {
    const { out } = await command(cairn, 'get', 'all');
    throw new Error(`cairn wait ${args.join(' ')}: ${err}\n${out}\n${cairn.logs}`);
  }
}

/** Runs `cairn …` against a server as its admin, as `cli` does, but in this process: tests wait often. */
async function command({ url, tokens }: Cairn, ...words: readonly string[]): Promise<Ran> {
  return runCommand(words, { env: { CAIRN_SERVER: url, CAIRN_TOKEN: tokens.admin } });
}

/** What the API says of an object, such as `mirrors demo`; undefined when there is none. */
export async function objectOf<T>(
  cairn: Pick<Cairn, 'url'>,
  plural: string,
  name: string,
): Promise<T | undefined> {
  const path = `apis/cairn.build/v1alpha1/namespaces/default/${plural}/${name}`;
  const response = await fetch(`${cairn.url}/${path}`);
  const body: unknown = await response.json();
  if (response.status === 404) return undefined;
  if (!response.ok) throw new Error(`${path}: ${JSON.stringify(body)}`);
  return body as T; // the caller names the kind that it asks for
}

/** Fails unless apt did its work without an error or a warning. */
export function good({ code, output }: Finished): void {
  assert.equal(code, 0, output);
  assert.doesNotMatch(output, /^[EW]:/m);
}

/** Has a mirror refreshed now, and waits for the end of it. */
export async function refreshed(cairn: Cairn, name = 'demo'): Promise<void> {
  const done = await command(cairn, 'reconcile', `mirror/${name}`, '--wait');
  if (done.status !== 0) throw new Error(`cairn reconcile: ${done.err}\n${cairn.logs}`);
}

/** Looks again and again; the limit is only there for what never comes, on however busy a machine. */
export async function eventually(
  check: () => boolean | Promise<boolean>,
  what: string,
  ms = 90_000,
  everyMs = 50,
): Promise<void> {
  const deadline = Date.now() + ms;
  while (!(await check())) {
    if (Date.now() > deadline) throw new Error(`never: ${what}`);
    await sleep(everyMs);
  }
}
