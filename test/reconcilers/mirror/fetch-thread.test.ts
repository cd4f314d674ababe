import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TreeEntry } from '../../../depot/depot.ts';
import { openBlobs } from '../../../depot/file-blobs.ts';
import { HostSlots } from '../../../reconcilers/fetch/slots.ts';
import { FetchThread, isWorthAThread } from '../../../reconcilers/mirror/fetch-thread.ts';
import { fetchPool } from '../../../reconcilers/mirror/pool.ts';
import { Counter } from '../../../reconcilers/mirror/progress.ts';
import { upstreamOf } from '../../../reconcilers/mirror/upstream-of.ts';
import { described } from '../../controller/http/fixture.ts';
import { tempDir } from '../../world/temp.ts';
import { serve } from '../fetch/fetch-world.ts';
import { specOf } from './mirror-world.ts';

const content = (path: string) => `the file ${path}`;
const never = new AbortController().signal;

function entryOf(path: string): TreeEntry {
  return { path, ...described(content(path)) };
}

/** Answers with the status of a path, or with what belongs there. */
type Answer = (path: string) => number | Promise<number>;

async function pool(t: TestContext, answer: Answer = () => 200, more: object = {}) {
  const asked: string[] = [];
  const connections = new Map<number | undefined, string[]>();
  const url = await serve(t, async (request, response) => {
    const path = (request.url ?? '').slice(1);
    asked.push(path);
    const port = request.socket.remotePort;
    connections.set(port, [...(connections.get(port) ?? []), path]);
    const status = await answer(path);
    response.writeHead(status).end(status === 200 ? content(path) : '');
  });
  const depot = { root: tempDir(t) };
  const blobs = await openBlobs(depot.root);
  const limits = { retries: 0, connections: 4, stallTimeout: '2s' };
  const spec = specOf({ url, suites: ['stable'], limits, ...more });
  const slots = new HostSlots();
  const upstream = upstreamOf(spec, undefined, slots);
  t.after(() => upstream.close());
  const counter = new Counter();
  const fetch = (entries: readonly TreeEntry[], signal = never) =>
    fetchPool(
      entries,
      { name: 'test', spec, generation: 1 },
      {
        ...{ upstream, blobs, slots, counter, depot },
        signal,
      },
    );
  return { asked, blobs, spec, depot, counter, slots, fetch };
}

const many = Array.from({ length: 2500 }, (_, at) => entryOf(`pool/f-${at}.deb`));

test('a pool of thousands of files is shared with another thread, and all arrive once', async (t) => {
  const { asked, blobs, counter, fetch, spec } = await pool(t);
  assert.equal(isWorthAThread(many.length, spec.limits), availableParallelism() > 1);

  assert.deepEqual(await fetch(many), []);

  for (const { sha256, size } of many) assert.equal(await blobs.size(sha256), size);
  assert.equal(new Set(asked).size, many.length);
  assert.equal(asked.length, many.length);
  assert.deepEqual([counter.fetchedFiles, counter.fetchedBytes], [2500, total(many)]);
});

function total(entries: readonly TreeEntry[]): number {
  return entries.reduce((sum, { size }) => sum + size, 0);
}

for (const [what, status, reason] of [
  ['not there', 404, 'FileMissing'],
  ['refused', 403, 'UpstreamRefused'],
] as const) {
  test(`a file that is ${what} fails a shared pool, and is named`, async (t) => {
    const { fetch } = await pool(t, (path) => (path.endsWith('-1777.deb') ? status : 200));

    await assert.rejects(fetch(many), { reason, message: /pool\/f-1777\.deb/ });
  });
}

test('what is not there is recorded, whichever thread looks for it', async (t) => {
  const isGone = (path: string) => Number(/\d+/.exec(path)?.[0]) % 100 === 7;
  const record = { missingFiles: { pool: 'Record' } };
  const { fetch, counter } = await pool(t, (path) => (isGone(path) ? 404 : 200), record);

  const absent = await fetch(many);

  const gone = many.map(({ path }) => path).filter(isGone);
  assert.deepEqual(absent, gone.sort());
  assert.equal(counter.fetchedFiles, many.length - gone.length);
});

test('a stopped pool asks for no more files, in either thread, and gives its places back', async (t) => {
  const { asked, fetch, slots, spec } = await pool(t, async () => {
    await sleep(5);
    return 200;
  });
  const stop = new AbortController();
  const stopped = fetch(many, stop.signal);
  while (asked.length < 300) await sleep(5);
  stop.abort(new Error('enough'));

  await assert.rejects(stopped, /enough/);
  let then = 0; // what was on its way may still arrive
  while (asked.length > then) {
    then = asked.length;
    await sleep(250);
  }
  assert.ok(then < many.length, `${then} were asked for`);
  const { host } = new URL(spec.url);
  assert.equal(await slots.use(host, 1, never, async () => 'free'), 'free');
});

test('the fetch thread names the file that failed', async (t) => {
  const { depot, spec } = await pool(t, (path) => (path.endsWith('-3.deb') ? 404 : 200));
  const thread = new FetchThread({ depot, spec, credentials: undefined });
  t.after(() => thread.close());

  await assert.rejects(thread.fetch(many.slice(0, 10), never), {
    reason: 'FileMissing',
    message: /pool\/f-3\.deb/,
  });
  assert.deepEqual((await thread.fetch(many.slice(10, 20), never)).absent, []);
});

test('the fetch thread verifies what it fetches', async (t) => {
  const { depot, spec, blobs } = await pool(t);
  const thread = new FetchThread({ depot, spec, credentials: undefined });
  t.after(() => thread.close());
  const sha256 = createHash('sha256').update('something else').digest('hex');
  const wrong = { ...entryOf('pool/wrong.deb'), sha256 };

  await assert.rejects(thread.fetch([wrong], never), {
    reason: 'HashMismatch',
    message: /pool\/wrong\.deb/,
  });
  assert.equal(await blobs.size(sha256), undefined);
});

test('a thread is not worth its start for a few files, one connection or a rate', () => {
  const limits = specOf({ url: 'http://x/', suites: ['stable'] }).limits;

  assert.equal(isWorthAThread(1999, limits), false);
  assert.equal(isWorthAThread(2000, { ...limits, connections: 1 }), false);
  assert.equal(isWorthAThread(2000, { ...limits, bytesPerSecond: 1e9 }), false);
});
