import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { before, describe, it } from 'node:test';
import { needsS3, startS3, type S3, type S3Answer } from './s3.ts';
import { suiteScope } from './temp.ts';

const minute = { seconds: 60 };

describe('an S3 server of the test world', needsS3, () => {
  const scope = suiteScope();
  let s3: S3;

  before(async () => {
    s3 = await startS3(scope);
  });

  it('lets one of many writers create an object', async () => {
    const headers = { 'If-None-Match': '*' };
    const bodies = Array.from({ length: 20 }, (_, index) => `writer ${index}`);
    const create = (body: string) => s3.request('PUT', 'refs/one', { body, headers });

    const answers = await Promise.all(bodies.map(create));

    const winners = answers.flatMap(({ status }, index) => (status === 200 ? [index] : []));
    const losers = answers.filter(({ status }) => status !== 200);
    assert.equal(winners.length, 1);
    for (const loser of losers) assert.deepEqual(outcome(loser), [412, 'PreconditionFailed']);
    assert.equal((await s3.request('GET', 'refs/one')).text, bodies[winners[0] ?? -1]);
  });

  it('lets one of many writers change an object that all have read', async () => {
    const made = await s3.request('PUT', 'refs/two', { body: 'first' });
    const headers = { 'If-Match': made.headers.get('etag') ?? '' };
    const change = (_: unknown, index: number) =>
      s3.request('PUT', 'refs/two', { body: `writer ${index}`, headers });

    const answers = await Promise.all(Array.from({ length: 20 }, change));

    assert.equal(answers.filter(({ status }) => status === 200).length, 1);
    assert.equal(answers.filter(({ code }) => code === 'PreconditionFailed').length, 19);
  });

  it('refuses bytes that are not those of the checksum', async () => {
    const headersOf = (body: string) => [
      { 'x-amz-checksum-sha256': createHash('sha256').update(body).digest('base64') },
      { 'Content-MD5': createHash('md5').update(body).digest('base64') },
    ];
    const put = (headers: Record<string, string>) =>
      s3.request('PUT', 'blobs/sum', { body: 'sent', headers });

    for (const headers of headersOf('meant')) {
      assert.deepEqual(outcome(await put(headers)), [400, 'BadDigest']);
    }
    assert.equal((await s3.request('HEAD', 'blobs/sum')).status, 404);
    for (const headers of headersOf('sent'))
      assert.deepEqual(outcome(await put(headers)), [200, '']);
  });

  it('puts parts together, unless another came first', async () => {
    const parts = ['a'.repeat(5 * 1024 * 1024), 'b'];
    const complete = { headers: { 'If-None-Match': '*' } };

    const first = await upload(s3, 'blobs/big', parts);
    const second = await upload(s3, 'blobs/big', parts);
    const before = await s3.request('HEAD', 'blobs/big');
    const made = await s3.request('POST', 'blobs/big', { ...first, ...complete });
    const late = await s3.request('POST', 'blobs/big', { ...second, ...complete });
    const aborted = await s3.request('DELETE', 'blobs/big', { query: second.query });

    assert.deepEqual([before.status, ...outcome(made), aborted.status], [404, 200, '', 204]);
    assert.deepEqual(outcome(late), [412, 'PreconditionFailed']);
    assert.equal((await s3.request('GET', 'blobs/big')).text, parts.join(''));
    const pending = await s3.request('GET', '', { query: { uploads: '' } });
    assert.doesNotMatch(pending.text, /<Upload>/);
  });

  it('lists by prefix, page by page', async () => {
    const keys = ['list/a+b ~1', 'list/ä', 'list/z'];
    for (const key of [...keys, 'listed']) await s3.request('PUT', key);
    const page = { 'list-type': '2', prefix: 'list/', 'max-keys': '2' };

    const first = await s3.request('GET', '', { query: page });
    const [, token = ''] = /<NextContinuationToken>(.*?)</.exec(first.text) ?? [];
    const second = await s3.request('GET', '', { query: { ...page, 'continuation-token': token } });

    const listed = `${first.text}${second.text}`.matchAll(/<Key>(.*?)</g);
    assert.deepEqual(
      Array.from(listed, ([, key]) => key),
      keys.toSorted(),
    );
    assert.match(second.text, /<IsTruncated>false/);
  });

  it('serves who has a signed URL, until it expires', async () => {
    await s3.request('PUT', 'blobs/signed', { body: 'hello' });
    const past = new Date(Date.now() - 120_000);
    const headers = { Range: 'bytes=1-3' };

    const part = await fetch(s3.presign('blobs/signed', minute), { headers });
    const expired = await fetch(s3.presign('blobs/signed', { ...minute, date: past }));
    const unsigned = await fetch(s3.urlOf('blobs/signed'));

    assert.deepEqual([part.status, await part.text()], [206, 'ell']);
    assert.deepEqual([expired.status, unsigned.status], [403, 403]);
  });

  it('refuses wrong credentials', async () => {
    const get = async (keys: Partial<S3['keys']>, date = new Date()) =>
      outcome(await s3.request('GET', '', { keys, date }));

    assert.deepEqual(await get({ secretAccessKey: 'wrong' }), [403, 'SignatureDoesNotMatch']);
    assert.deepEqual(await get({ accessKeyId: 'nobody' }), [403, 'InvalidAccessKeyId']);
    assert.deepEqual(await get({ region: 'us-east-1' }), [400, 'AuthorizationHeaderMalformed']);
    assert.deepEqual(await get({}, new Date(0)), [403, 'RequestTimeTooSkewed']);
  });

  it('comes back with its objects after a crash', async () => {
    await s3.request('PUT', 'kept', { body: 'kept' });

    await s3.kill();
    await assert.rejects(s3.request('GET', 'kept'));
    await s3.restart();

    assert.equal((await s3.request('GET', 'kept')).text, 'kept');
  });

  it('refuses writes while it is to be read alone', async () => {
    await s3.request('PUT', 'read', { body: 'read' });
    await s3.restart({ readOnly: true });

    const [written, deleted, read] = [
      await s3.request('PUT', 'read', { body: 'other' }),
      await s3.request('DELETE', 'read'),
      await s3.request('GET', 'read'),
    ];
    await s3.restart();

    assert.deepEqual([outcome(written), outcome(deleted)], Array(2).fill([403, 'AccessDenied']));
    assert.equal(read.text, 'read');
  });

  it('serves what its disk has made of an object', async () => {
    await s3.request('PUT', 'blobs/rotten', { body: 'sound' });
    writeFileSync(s3.fileOf('blobs/rotten'), 'rotten');

    const { status, text } = await s3.request('GET', 'blobs/rotten');

    assert.deepEqual([status, text], [200, 'rotten']);
  });
});

function outcome({ status, code }: S3Answer): [number, string] {
  return [status, code];
}

/** What completes an upload of which all parts have arrived. */
async function upload(s3: S3, key: string, parts: readonly string[]) {
  const begun = await s3.request('POST', key, { query: { uploads: '' } });
  const [, uploadId = ''] = /<UploadId>(.*?)</.exec(begun.text) ?? [];
  const sent = parts.map(async (body, index) => {
    const query = { uploadId, partNumber: String(index + 1) };
    const etag = (await s3.request('PUT', key, { query, body })).headers.get('etag');
    return `<Part><PartNumber>${index + 1}</PartNumber><ETag>${etag}</ETag></Part>`;
  });
  const list = (await Promise.all(sent)).join('');
  const body = `<CompleteMultipartUpload>${list}</CompleteMultipartUpload>`;
  return { query: { uploadId }, body };
}
