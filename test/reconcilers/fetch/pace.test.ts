import assert from 'node:assert/strict';
import { test } from 'node:test';
import { paceOf } from '../../../reconcilers/fetch/pace.ts';
import { serve, signal, upstreamAt } from './fetch-world.ts';

test('a tenth of a second may pass at once, and what is too much has to wait', () => {
  let now = 0;
  const pace = paceOf(1000, () => now);

  assert.equal(pace(100), 0);
  assert.equal(pace(50), 50);
  now += 50;
  assert.equal(pace(200), 200);
});

test('time in which nothing came is not saved up', () => {
  let now = 0;
  const pace = paceOf(1000, () => now);
  now += 3_600_000;

  assert.equal(pace(100), 0);
  assert.equal(pace(1000), 1000);
});

test('keeps to its bytes per second over all connections', async (t) => {
  const url = await serve(t, (_, response) => response.end(Buffer.alloc(50_000)));
  const upstream = upstreamAt(t, url, { bytesPerSecond: 200_000, connections: 3 });
  const begin = performance.now();

  const pages = Array.from({ length: 6 }, (_, index) =>
    upstream.page(`${index}`, { maxBytes: 50_000, signal }),
  );
  await Promise.all(pages);

  const ideal = ((6 * 50_000) / 200_000) * 1000;
  const took = performance.now() - begin;
  assert.ok(took > ideal * 0.7, `300 kB at 200 kB/s took ${Math.round(took)} ms`);
});

test('a rate that is shared by many connections is no reason to give up on one', async (t) => {
  const url = await serve(t, (_, response) => response.end(Buffer.alloc(3000)));
  const limits = { bytesPerSecond: 9000, connections: 8, stallMs: 100 };
  const upstream = upstreamAt(t, url, limits);

  const pages = Array.from({ length: 8 }, (_, index) =>
    upstream.page(`${index}`, { maxBytes: 3000, signal }),
  );

  for (const page of await Promise.all(pages)) assert.equal(page.status, 'ok');
});
