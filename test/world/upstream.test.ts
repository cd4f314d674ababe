import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { tempDir } from './temp.ts';
import { startUpstream } from './upstream.ts';

async function upstreamWith(context: TestContext, files: Readonly<Record<string, string>>) {
  const root = tempDir(context);
  for (const name in files) writeFileSync(path.join(root, name), files[name] ?? '');
  const upstream = await startUpstream(root);
  context.after(() => upstream.close());
  return upstream;
}

it('serves files, whole and in part, and logs it', async (t) => {
  const upstream = await upstreamWith(t, { 'a+b': '0123456789' });
  const url = `${upstream.url}/a%2bb`;

  const whole = await fetch(url);
  const part = await fetch(url, { headers: { range: 'bytes=7-' } });
  const beyond = await fetch(url, { headers: { range: 'bytes=10-' } });

  assert.equal(await whole.text(), '0123456789');
  assert.deepEqual([part.status, await part.text()], [206, '789']);
  assert.equal(part.headers.get('content-range'), 'bytes 7-9/10');
  assert.equal(beyond.status, 416);
  await beyond.text();
  const log = upstream.requestsFor('/a+b').map(({ status, bytes }) => [status, bytes]);
  assert.deepEqual(log, [
    [200, 10],
    [206, 3],
    [416, 0],
  ]);
});

it('says when nothing has changed', async (t) => {
  const upstream = await upstreamWith(t, { file: 'x' });
  const first = await fetch(`${upstream.url}/file`);
  const since = first.headers.get('last-modified') ?? '';
  const tag = first.headers.get('etag') ?? '';

  const bySince = await fetch(`${upstream.url}/file`, { headers: { 'if-modified-since': since } });
  const byTag = await fetch(`${upstream.url}/file`, { headers: { 'if-none-match': tag } });
  const ifRange = { range: 'bytes=0-0', 'if-range': '"other"' };
  const changed = await fetch(`${upstream.url}/file`, { headers: ifRange });

  assert.deepEqual([bySince.status, byTag.status, changed.status], [304, 304, 200]);
});

it('never leaves its folder', async (t) => {
  const upstream = await upstreamWith(t, {});

  const response = await fetch(`${upstream.url}/%2e%2e/%2e%2e/etc/passwd`);

  assert.equal(response.status, 404);
});

it('misbehaves as often as it is told to', async (t) => {
  const upstream = await upstreamWith(t, { file: 'good' });
  upstream.fault(/file/, { status: 503, skip: 1, times: 2 });

  const statuses: number[] = [];
  for (let turn = 0; turn < 4; turn += 1) {
    statuses.push((await fetch(`${upstream.url}/file`)).status);
  }

  assert.deepEqual(statuses, [200, 503, 503, 200]);
});

it('sends what is not in the file', async (t) => {
  const upstream = await upstreamWith(t, { file: 'good', other: 'other' });
  const get = async () => (await fetch(`${upstream.url}/file`)).text();

  const bodies: string[] = [];
  for (const fault of [
    { truncateAt: 2 },
    { corrupt: true },
    { oversize: 3 },
    { swapWith: '/other' },
  ]) {
    const repair = upstream.fault('/file', fault);
    bodies.push(await get());
    repair();
  }

  assert.deepEqual([...bodies, await get()], ['go', 'gond', 'goodxxx', 'other', 'good']);
});

it('breaks off, stalls and dawdles', async (t) => {
  const upstream = await upstreamWith(t, { file: 'x'.repeat(1000) });
  const url = `${upstream.url}/file`;

  upstream.fault('/file', { resetAfterBytes: 100, times: 1 });
  await assert.rejects((await fetch(url)).text());

  upstream.fault('/file', { stallAfterBytes: 100, times: 1 });
  const stalled = await fetch(url, { signal: AbortSignal.timeout(300) });
  await assert.rejects(stalled.text(), { name: 'TimeoutError' });

  upstream.fault('/file', { rateBytesPerSecond: 5000, times: 1 });
  const start = performance.now();
  assert.equal((await (await fetch(url)).text()).length, 1000);
  assert.ok(performance.now() - start > 100);

  while (upstream.pending > 0) await sleep(10);
  assert.deepEqual(
    upstream.requests.map(({ bytes }) => bytes),
    [100, 100, 1000],
  );
});

it('redirects, and asks for credentials', async (t) => {
  const upstream = await upstreamWith(t, { file: 'good' });
  const url = `${upstream.url}/file`;
  upstream.fault('/old', { redirectTo: '/file' });
  upstream.fault('/loop', { redirectLoop: true });
  assert.equal(await (await fetch(`${upstream.url}/old`)).text(), 'good');
  await assert.rejects(fetch(`${upstream.url}/loop`));

  upstream.fault('/file', { requireBasicAuth: { user: 'me', password: 'secret' } });
  const authorization = `Basic ${Buffer.from('me:secret').toString('base64')}`;
  assert.equal((await fetch(url)).status, 401);
  assert.equal((await fetch(url, { headers: { authorization } })).status, 200);
});

it('can pretend to know neither dates nor ranges', async (t) => {
  const upstream = await upstreamWith(t, { file: 'good' });
  upstream.fault('/file', { noRange: true, noLastModified: true });

  const response = await fetch(`${upstream.url}/file`, { headers: { range: 'bytes=1-' } });

  assert.deepEqual([response.status, await response.text()], [200, 'good']);
  assert.equal(response.headers.get('last-modified'), null);
});
