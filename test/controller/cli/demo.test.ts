import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, symlinkSync, writeFileSync, appendFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { startDemoArchive } from '../../../controller/cli/demo-archive.ts';
import type { Environment } from '../../../crds/environment.ts';
import { eventually, good, objectOf } from '../../e2e/product.ts';
import { createAptRoot } from '../../world/apt.ts';
import { tempDir, type Scope } from '../../world/temp.ts';

const main = join(import.meta.dirname, '../../../controller/main.ts');

/** `cairn run --demo` on a machine that has no apt. */
async function startDemo(t: TestContext, cwd: string, listen = '127.0.0.1:0') {
  const bin = tempDir(t);
  symlinkSync('/bin/sync', join(bin, 'sync'));
  const args = ['--disable-warning=ExperimentalWarning', main, 'run', '--demo', '--listen', listen];
  const child = spawn(process.execPath, args, { cwd, env: { PATH: bin } });
  const closed = once(child, 'close');
  t.after(async () => {
    child.kill('SIGKILL');
    await closed;
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  const goesOn = () => !output.includes('It works.') && child.exitCode === null;
  await eventually(() => !goesOn(), 'it works', 30_000).catch((error: unknown) => {
    throw new Error(output, { cause: error });
  });
  assert.equal(child.exitCode, null, output);
  return {
    output: () => output,
    url: /Serving on (\S+);/.exec(output)?.[1] ?? '',
    async interrupt() {
      child.kill('SIGINT');
      await closed;
      return child.exitCode;
    },
  };
}

const published = async (url: string) =>
  (await objectOf<Environment>({ url }, 'environments', 'production'))?.status.published;

test('the demo makes an archive of its own where there is no apt, and keeps all for the next time', async (t) => {
  const cwd = tempDir(t);
  const first = await startDemo(t, cwd);
  assert.match(first.output(), /There is no apt here; using a small signed archive/);
  assert.match(first.output(), /environment\/production: Serves base-1: 3 pool files/);
  assert.doesNotMatch(first.output(), /\berror/i);

  const apt = createAptRoot(tempDir(t));
  const response = await fetch(`${first.url}/environments/production/client.sources`);
  apt.writeSources(await response.text());
  good(await apt.update());
  good(await apt.download('banana'));
  const before = await published(first.url);
  assert.equal(await first.interrupt(), 0, first.output());

  const manifest = join(cwd, '.cache/demo/config/demo.yaml');
  appendFileSync(manifest, '# my own words\n');
  const second = await startDemo(t, cwd);

  assert.deepEqual(await published(second.url), before);
  assert.match(readFileSync(manifest, 'utf8'), /# my own words/);
  assert.equal(await second.interrupt(), 0, second.output());
});

test('the demo finds other ports where its own are taken', async (t) => {
  await occupy(t, 18_100);
  const port = await occupy(t, 0);

  const demo = await startDemo(t, tempDir(t), `127.0.0.1:${port}`);

  assert.match(demo.output(), new RegExp(`port ${port} is taken; using another one`));
  assert.ok(await published(demo.url));
  assert.equal(await demo.interrupt(), 0, demo.output());
});

/** Holds a port, unless somebody else does; gives its number. */
async function occupy(t: Scope, port: number): Promise<number> {
  const server = createServer().listen(port, '127.0.0.1');
  const listening = once(server, 'listening');
  const found = await listening.then(
    () => (server.address() as AddressInfo).port, // listening on TCP
    () => port,
  );
  t.after(() => void server.close());
  return found;
}

test('the archive of the demo is found again at the same address', async (t) => {
  const folder = tempDir(t);
  await occupy(t, 18_100);
  const first = await startDemoArchive(folder);
  await first.close();
  const second = await startDemoArchive(folder);
  t.after(() => second.close());

  assert.equal(second.url, first.url);
});

test('the archive of the demo says which port it needs when that is taken', async (t) => {
  const folder = tempDir(t);
  const first = await startDemoArchive(folder);
  await first.close();
  const port = await occupy(t, Number(new URL(first.url).port));

  await assert.rejects(startDemoArchive(folder), new RegExp(`port ${port}.*taken`));
});

/** A GET of a path just as it is. */
async function statusOf(url: string, path: string): Promise<number | undefined> {
  const { hostname, port } = new URL(url);
  const asked = request({ hostname, port, path }).end();
  const [response] = (await once(asked, 'response')) as [{ statusCode?: number; resume(): void }];
  response.resume();
  return response.statusCode;
}

test('the archive of the demo serves its own files and nothing else', async (t) => {
  const folder = tempDir(t);
  writeFileSync(join(folder, 'secret'), 'not for others');
  const archive = await startDemoArchive(folder);
  t.after(() => archive.close());

  assert.equal(await statusOf(archive.url, '/dists/stable/InRelease'), 200);
  for (const path of [
    '/..%2fsecret',
    '/dists/..%2f..%2fsecret',
    '/%00',
    '/%zz',
    '/dists',
    '/nothing',
  ]) {
    assert.equal(await statusOf(archive.url, path), 404, path);
  }
  assert.equal(await statusOf(archive.url, '/dists/stable/InRelease'), 200);
});
