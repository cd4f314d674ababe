import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { it } from 'node:test';
import type { LazyPool, LazyRequest } from '../../../controller/http/lazy.ts';
import { CairnError } from '../../../crds/reasons.ts';
import { described, startServer } from './fixture.ts';

const file = 'pool/h/hello.deb';
const path = `/x.example/d/${file}`;
const content = Buffer.alloc(700_000, 'deb');

function poolOf(fetch: LazyPool['fetch']): LazyPool {
  return { fetch };
}

async function withLazy(t: Parameters<typeof startServer>[0], lazy: LazyPool) {
  const server = await startServer(t, { lazy });
  const tree = await server.treeWithout(file, { [file]: content, 'dists/bookworm/InRelease': 'x' });
  await server.mirror('lazy', { tree, url: 'http://x.example/d', download: 'Lazy' });
  return server;
}

it('fetches a pool file of a lazy mirror when somebody asks for it', async (t) => {
  const asked: LazyRequest[] = [];
  const lazy = poolOf(async (request) => {
    asked.push(request);
    return {
      size: content.length,
      stream: async (range = { start: 0, end: content.length - 1 }) =>
        Readable.from([content.subarray(range.start, range.end + 1)]),
    };
  });
  const server = await withLazy(t, lazy);
  const whole = await server.get(path);
  assert.equal(whole.status, 200);
  assert.equal(whole.headers.get('content-length'), String(content.length));
  assert.ok(Buffer.from(await whole.arrayBuffer()).equals(content));
  const part = await server.get(path, { range: 'bytes=3-5' });
  assert.equal(part.status, 206);
  assert.equal(await part.text(), 'deb');
  assert.deepEqual(asked[0], {
    mirror: 'lazy',
    namespace: 'default',
    url: 'http://x.example/d',
    path: file,
    ...described(content),
  });
});

it('knows size and validators of a lazy file without fetching it', async (t) => {
  const lazy = poolOf(async () => assert.fail('nothing needs to be fetched'));
  const server = await withLazy(t, lazy);
  const head = await server.get(path, {}, 'HEAD');
  assert.equal(head.headers.get('content-length'), String(content.length));
  const etag = head.headers.get('etag') ?? '';
  assert.equal((await server.get(path, { 'if-none-match': etag })).status, 304);
});

it('says so when upstream has deleted the file, or fails', async (t) => {
  let failure = new CairnError('FileMissing', 'http://x.example/d/pool/h/hello.deb: 404');
  const server = await withLazy(
    t,
    poolOf(async () => Promise.reject(failure)),
  );
  const gone = await server.get(path);
  assert.equal(gone.status, 404);
  assert.match(await gone.text(), /upstream no longer has/);
  failure = new CairnError('UpstreamUnreachable', 'x.example: connection refused');
  const broken = await server.get(path);
  assert.equal(broken.status, 502);
  assert.match(await broken.text(), /connection refused/);
});

it('cuts the connection when the bytes turn out to be wrong on the way', async (t) => {
  const lazy = poolOf(async () => ({
    size: content.length,
    stream: async () =>
      Readable.from(
        (async function* () {
          yield content.subarray(0, 1000);
          throw new CairnError('HashMismatch', 'not what the index says');
        })(),
      ),
  }));
  const server = await withLazy(t, lazy);
  await assert.rejects(async () => (await server.get(path)).arrayBuffer());
});

it('stops fetching when the client goes away', async (t) => {
  const { promise: aborted, resolve } = Promise.withResolvers<string>();
  const controller = new AbortController();
  const lazy = poolOf((_request, signal) => {
    const { promise, reject } = Promise.withResolvers<never>();
    signal.addEventListener('abort', () => {
      resolve('aborted');
      reject(new Error('aborted'));
    });
    controller.abort();
    return promise;
  });
  const server = await withLazy(t, lazy);
  await assert.rejects(fetch(`${server.url}${path}`, { signal: controller.signal }));
  assert.equal(await aborted, 'aborted');
});
