import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { bucketOf } from '../../../controller/cli/bucket-options.ts';
import { parseBytes } from '../../../controller/cli/bytes.ts';

describe('the options for a bucket', () => {
  it('name it, the part that is ours, and the server', () => {
    assert.deepEqual(
      bucketOf({
        bucket: 's3://example-archive/cairn/prod/',
        'bucket-endpoint': 'https://s3.example.com:9000',
        'bucket-region': 'eu-central-1',
        'cache-size': '50GiB',
        'redirect-above': '100MB',
        'redirect-endpoint': 'https://s3.example.org',
      }),
      {
        bucket: {
          name: 'example-archive',
          prefix: 'cairn/prod/',
          endpoint: 'https://s3.example.com:9000',
          region: 'eu-central-1',
          publicEndpoint: 'https://s3.example.org',
          cacheBytes: 50 * 1024 ** 3,
        },
        redirectAboveBytes: 100_000_000,
      },
    );
    assert.equal(bucketOf({ bucket: 's3://example' }).bucket?.prefix, '');
    assert.deepEqual(bucketOf({}), {});
  });

  for (const [values, message] of [
    [{ bucket: 'example' }, /--bucket example: expected s3:\/\/NAME/],
    [{ bucket: 's3://Example' }, /expected s3:\/\/NAME/],
    [{ bucket: 's3://example/../other' }, undefined],
    [{ bucket: 's3://example/a b' }, /expected s3:\/\/NAME/],
    [{ 'cache-size': '1GiB' }, /--cache-size is for --bucket/],
    [{ bucket: 's3://example', 'cache-size': 'much' }, /--cache-size much: expected a size/],
    [{ bucket: 's3://example', 'bucket-endpoint': 'example.com' }, /expected a URL/],
    [{ bucket: 's3://example', 'redirect-endpoint': 'http://s3' }, /is for --redirect-above/],
  ] as const) {
    it(`are refused when they make no sense: ${JSON.stringify(values)}`, () => {
      assert.throws(() => bucketOf(values), message ?? /expected/);
    });
  }

  it('show no password that somebody has put into a URL', () => {
    const values = { bucket: 's3://example', 'bucket-endpoint': 'https://me:hunter2@s3.example' };
    assert.throws(
      () => bucketOf(values),
      (error: Error) =>
        !error.message.includes('hunter2') && /without a password/.test(error.message),
    );
  });

  it('give sizes as people and as Kubernetes write them', () => {
    const texts = ['0', '512', '1kB', '1.5GiB', '20Gi', '2 TB', '3Ti'];
    const bytes = [0, 512, 1000, 1.5 * 1024 ** 3, 20 * 1024 ** 3, 2e12, 3 * 1024 ** 4];
    assert.deepEqual(texts.map(parseBytes), bytes);
    for (const text of ['', '-1', '1e9', 'GiB', '1 G i B', '1Pi']) {
      assert.equal(parseBytes(text), undefined, text);
    }
  });
});
