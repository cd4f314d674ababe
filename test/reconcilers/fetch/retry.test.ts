import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { retryAfterMs } from '../../../reconcilers/fetch/retry.ts';
import { openBlobs } from '../../../depot/file-blobs.ts';
import { described } from '../../controller/http/fixture.ts';
import { tempDir } from '../../world/temp.ts';
import { failureOf, serve, signal, textOf, upstreamAt } from './fetch-world.ts';

type Answer = (isFirst: boolean) => [status: number, headers?: Record<string, string>];

/** A server that is told how to answer, and when it was asked. */
async function moody(t: TestContext, answer: Answer) {
  const times: number[] = [];
  const url = await serve(t, (_, response) => {
    times.push(performance.now());
    const [status, headers = {}] = answer(times.length === 1);
    response.writeHead(status, headers).end(status === 200 ? 'good' : 'bad');
  });
  return { url, times };
}

for (const status of [408, 425, 429, 500, 502, 503, 504]) {
  test(`tries again after ${status}`, async (t) => {
    const { url } = await moody(t, (isFirst) => [isFirst ? status : 200]);

    assert.equal(await textOf(upstreamAt(t, url, { retries: 1 }), 'file'), 'good');
  });
}

for (const status of [400, 401, 403, 405, 451]) {
  test(`takes ${status} for an answer`, async (t) => {
    const { url, times } = await moody(t, () => [status]);

    const failure = await failureOf(textOf(upstreamAt(t, url, { retries: 3 }), 'file'));

    assert.match(failure.message, new RegExp(`answered ${status}`));
    assert.equal(times.length, 1);
  });
}

test('waits as long as Retry-After asks', async (t) => {
  const { url, times } = await moody(t, (isFirst) =>
    isFirst ? [503, { 'retry-after': '1' }] : [200],
  );

  await textOf(upstreamAt(t, url, { retries: 1 }), 'file');

  const [first = 0, second = 0] = times;
  assert.ok(second - first >= 990, `asked again after ${Math.round(second - first)} ms`);
});

test('reads Retry-After in seconds and as a date, and ignores what is neither', () => {
  const now = Date.parse('2026-08-01T12:00:00Z');

  assert.equal(retryAfterMs('120', now), 120_000);
  assert.equal(retryAfterMs('Sat, 01 Aug 2026 12:00:30 GMT', now), 30_000);
  assert.equal(retryAfterMs('Sat, 01 Aug 2026 11:00:00 GMT', now), 0);
  assert.equal(retryAfterMs('soon', now), undefined);
  assert.equal(retryAfterMs(undefined, now), undefined);
});

test('stops waiting for the next try when it is told to', async (t) => {
  const { url } = await moody(t, () => [503, { 'retry-after': '60' }]);
  const stop = new AbortController();
  const upstream = upstreamAt(t, url, { retries: 5 });
  const page = upstream.page('file', { maxBytes: 10, signal: stop.signal });
  setTimeout(() => stop.abort(new Error('enough')), 50);

  assert.match((await failureOf(page)).message, /enough|aborted/);
});

test('asks the caches on the way to look again when the bytes were wrong', async (t) => {
  const control: (string | undefined)[] = [];
  const url = await serve(t, ({ headers }, response) => {
    control.push(headers['cache-control']);
    response.end(control.length === 1 ? 'old!' : 'good');
  });
  const blobs = await openBlobs(tempDir(t));
  const upstream = upstreamAt(t, url, { retries: 1 });

  const blob = await upstream.blob(['file'], described('good'), { blobs, signal });

  assert.equal((await blobs.bytes(blob?.sha256 ?? '')).toString(), 'good');
  assert.deepEqual(control, [undefined, 'no-cache']);
});

test('follows a redirect whose answer has a body, for files of every size', async (t) => {
  const large = Buffer.alloc(1_500_000, 'large');
  const page = '<html>302 Found</html>'.repeat(20);
  const url = await serve(t, (request, response) => {
    const [, name] = /^\/to\/(.*)/.exec(request.url ?? '') ?? [];
    if (name === undefined) response.writeHead(302, { location: `/to${request.url}` }).end(page);
    else response.end(name === 'large' ? large : 'small');
  });
  const blobs = await openBlobs(tempDir(t));
  const upstream = upstreamAt(t, url);

  const small = await upstream.page('small', { maxBytes: 5, signal });
  assert.equal(small.status === 'ok' && small.body.toString(), 'small');
  assert.ok(await upstream.blob(['small'], described('small'), { blobs, signal }));
  assert.ok(await upstream.blob(['large'], described(large), { blobs, signal }));
});
