import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { HostSlots } from '../../../reconcilers/fetch/slots.ts';
import type { Scope } from '../../world/temp.ts';
import { failureOf, serve, signal, textOf, upstreamAt } from './fetch-world.ts';

/** A server that is slow enough for requests to meet, and knows how many met at most. */
async function countingServer(scope: Scope) {
  let now = 0;
  let most = 0;
  const url = await serve(scope, (_, response) => {
    now += 1;
    most = Math.max(most, now);
    setTimeout(() => {
      now -= 1;
      response.end('x');
    }, 20);
  });
  return { url, most: () => most };
}

const paths = Array.from({ length: 12 }, (_, index) => `file-${index}`);

test('never asks a host for more at once than the limit says', async (t) => {
  const { url, most } = await countingServer(t);
  const upstream = upstreamAt(t, url, { connections: 3 });

  await Promise.all(paths.map((path) => textOf(upstream, path)));

  assert.equal(most(), 3);
});

test('two mirrors of one host share its places', async (t) => {
  const { url, most } = await countingServer(t);
  const slots = new HostSlots();
  const mirrors = ['/debian', '/ubuntu'].map((root) =>
    upstreamAt(t, url + root, { connections: 3, slots }),
  );

  await Promise.all(
    mirrors.flatMap((mirror) => paths.slice(0, 8).map((path) => textOf(mirror, path))),
  );

  assert.equal(most(), 3);
});

test('a strict mirror waits for a generous one, and gets its turn', async (t) => {
  const { url, most } = await countingServer(t);
  const slots = new HostSlots();
  const generous = upstreamAt(t, url, { connections: 5, slots });
  const strict = upstreamAt(t, url, { connections: 1, slots });

  const all = [
    ...paths.map((path) => textOf(generous, path)),
    ...paths.slice(0, 3).map((path) => textOf(strict, path)),
  ];

  assert.deepEqual(new Set(await Promise.all(all)), new Set(['x']));
  assert.equal(most(), 5);
});

test('who gives up while waiting takes no place, and keeps nobody from one', async () => {
  const slots = new HostSlots();
  const busy = Promise.withResolvers<void>();
  const first = slots.use('host', 1, signal, () => busy.promise);
  const stop = new AbortController();
  const ran: string[] = [];
  const second = slots.use('host', 1, stop.signal, async () => ran.push('second'));
  const third = slots.use('host', 1, signal, async () => ran.push('third'));

  stop.abort(new Error('no longer wanted'));
  assert.match((await failureOf(second)).message, /no longer wanted/);
  assert.deepEqual(ran, []);
  busy.resolve();
  await Promise.all([first, third]);

  assert.deepEqual(ran, ['third']);
});

test('a place is given back when the work in it fails', async () => {
  const slots = new HostSlots();
  const failing = slots.use('host', 1, signal, async () => {
    await sleep(5);
    throw new Error('broken');
  });
  const next = slots.use('host', 1, signal, async () => 'done');

  assert.match((await failureOf(failing)).message, /broken/);
  assert.equal(await next, 'done');
});

test('hosts do not wait for one another', async () => {
  const slots = new HostSlots();
  const busy = Promise.withResolvers<void>();
  const first = slots.use('one', 1, signal, () => busy.promise);

  assert.equal(await slots.use('two', 1, signal, async () => 'done'), 'done');
  busy.resolve();
  await first;
});
