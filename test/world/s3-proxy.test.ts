import assert from 'node:assert/strict';
import { before, beforeEach, describe, it } from 'node:test';
import { startS3Proxy, type S3Proxy } from './s3-proxy.ts';
import { needsS3, startS3, type S3, type S3Answer } from './s3.ts';
import { suiteScope } from './temp.ts';

describe('an S3 server behind a bad line', needsS3, () => {
  const scope = suiteScope();
  let s3: S3;
  let proxy: S3Proxy;

  before(async () => {
    s3 = await startS3(scope);
    proxy = await startS3Proxy(scope, s3);
  });

  beforeEach(async () => {
    proxy.clearFaults();
    await s3.request('PUT', 'object', { body: 'abcdefgh' });
  });

  const get = () => s3.request('GET', 'object', { endpoint: proxy.endpoint });
  const put = (key: string) =>
    s3.request('PUT', key, { endpoint: proxy.endpoint, body: 'abcdefgh' });

  it('passes signed requests on, and notes them', async () => {
    const seen = proxy.requests.length;

    assert.equal((await get()).text, 'abcdefgh');

    const [{ method, url, status } = {}] = proxy.requests.slice(seen);
    assert.deepEqual([method, url, status], ['GET', '/cairn/object', 200]);
  });

  it('is too busy so many times', async () => {
    const headers = { 'retry-after': '1' };
    proxy.fault(/^GET /, { status: 503, code: 'SlowDown', headers, times: 1 });

    const [busy, again] = [await get(), await get()];

    assert.deepEqual([...outcome(busy), busy.headers.get('retry-after')], [503, 'SlowDown', '1']);
    assert.equal(again.text, 'abcdefgh');
  });

  it('breaks off, cuts short and garbles answers', async () => {
    proxy.fault('GET /cairn/object', { corrupt: true });
    proxy.fault('GET /cairn/object', { truncateAt: 3, times: 1 });
    proxy.fault('GET /cairn/object', { resetAfterBytes: 3, times: 1 });

    await assert.rejects(get());
    assert.equal((await get()).text, 'abc');
    assert.equal((await get()).text, 'abcddfgh');
  });

  it('goes silent in the middle of an answer', async () => {
    proxy.fault(/object/, { stallAfterBytes: 3, times: 1 });

    const answer = await fetch(
      new URL(s3.presign('object', { seconds: 60, endpoint: proxy.endpoint })),
    );
    const reader = answer.body?.getReader();

    assert.equal(Buffer.from((await reader?.read())?.value ?? []).toString(), 'abc');
    await reader?.cancel();
  });

  it('loses requests, and answers', async () => {
    proxy.fault(/^PUT /, { loseAnswer: true, times: 1 });
    proxy.fault(/^PUT /, { loseRequest: true, times: 1 });

    await assert.rejects(put('lost'));
    assert.equal((await s3.request('HEAD', 'lost')).status, 404);
    await assert.rejects(put('lost'));
    assert.equal((await s3.request('HEAD', 'lost')).status, 200);
  });

  it('garbles requests, which the server notices', async () => {
    proxy.fault(/^PUT /, { corruptRequest: true, times: 1 });

    assert.deepEqual(outcome(await put('garbled')), [400, 'XAmzContentSHA256Mismatch']);
    assert.equal((await put('garbled')).status, 200);
  });
});

function outcome({ status, code }: S3Answer): [number, string] {
  return [status, code];
}
