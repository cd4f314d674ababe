import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent } from 'undici';
import { exchange } from '../../../reconcilers/fetch/exchange.ts';
import { MemorySink } from '../../../reconcilers/fetch/sinks.ts';
import { failureOf, serve, signal, textOf, upstreamAt } from './fetch-world.ts';

test('one connection is enough for many files, one after the other', async (t) => {
  const connections = new Set<number | undefined>();
  const url = await serve(t, ({ socket }, response) => {
    connections.add(socket.remotePort);
    response.end('x');
  });
  const upstream = upstreamAt(t, url, { connections: 1 });

  for (let index = 0; index < 10; index += 1) await textOf(upstream, `${index}`);

  assert.equal(connections.size, 1);
});

test('an answer of 404 costs no connection', async (t) => {
  const connections = new Set<number | undefined>();
  const url = await serve(t, ({ socket }, response) => {
    connections.add(socket.remotePort);
    response.writeHead(404).end('there is nothing here');
  });
  const upstream = upstreamAt(t, url, { connections: 1 });

  for (let index = 0; index < 5; index += 1) await textOf(upstream, `${index}`);

  assert.equal(connections.size, 1);
});

const names = [
  'libstdc++',
  'a~b',
  '100%',
  '%2b',
  'a:b',
  'a@b',
  'a#b',
  'a b',
  'ä?',
  "it's",
  '(x)*!',
];

for (const name of names) {
  test(`asks for a file called ${name} by that name`, async (t) => {
    const asked: string[] = [];
    const url = await serve(t, (request, response) => {
      asked.push(request.url ?? '');
      response.end('x');
    });

    await textOf(upstreamAt(t, `${url}/debian`), `${name}/${name}.deb`);

    const [path = ''] = asked;
    assert.equal(decodeURIComponent(path), `/debian/${name}/${name}.deb`);
    assert.doesNotMatch(path, /[+:@#? ]/);
  });
}

test('a body that ends early is not taken for the whole', async (t) => {
  const url = await serve(t, (_, response) => {
    response.writeHead(200, { 'content-length': '100' });
    response.write('half', () => response.destroy());
  });

  const failure = await failureOf(textOf(upstreamAt(t, url), 'file'));

  assert.match(failure.message, /127\.0\.0\.1.*file/);
  assert.equal('reason' in failure && failure.reason, 'UpstreamUnreachable');
});

test('a body that never ends is refused as soon as it is too long', async (t) => {
  const url = await serve(t, (_, response) => {
    const more = setInterval(() => response.write(Buffer.alloc(10_000)), 1);
    response.on('close', () => clearInterval(more));
  });

  const page = upstreamAt(t, url).page('file', { maxBytes: 100_000, signal });

  assert.match((await failureOf(page)).message, /larger than the 100000 bytes/);
});

test('closing ends the requests that run, and nothing is tried again', async (t) => {
  let asked = 0;
  const url = await serve(t, () => void (asked += 1)); // never answers
  const upstream = upstreamAt(t, url, { retries: 20, connections: 2, stallMs: 60_000 });
  const pages = ['a', 'b', 'c'].map((path) => failureOf(textOf(upstream, path)));
  while (asked < 2) await sleep(2);

  await upstream.close();
  const failures = await Promise.all(pages);

  assert.equal(asked, 2);
  for (const { message } of failures) assert.match(message, /closed|destroyed/);
});

/** One exchange that never ends holds the only connection. */
async function busyAgent(t: TestContext) {
  const asked: string[] = [];
  const free = Promise.withResolvers<void>();
  const origin = await serve(t, (request, response) => {
    asked.push(request.url ?? '');
    void free.promise.then(() => response.end('x'));
  });
  const agent = new Agent({ connections: 1 });
  t.after(() => agent.destroy());
  const ask = (path: string, stop: AbortSignal) =>
    exchange(agent, { origin, path, method: 'GET' }, new MemorySink(10), {
      signal: stop,
      patience: { ms: 10_000, slowestBytesPerSecond: 1 },
    });
  const first = ask('/first', signal);
  while (asked.length < 1) await sleep(2);
  return { ask, asked, first, free };
}

test('a request that is given up before it is sent is never sent', async (t) => {
  const { ask, asked, first, free } = await busyAgent(t);
  const stop = new AbortController();
  const second = failureOf(ask('/second', stop.signal));
  stop.abort(new Error('enough'));

  assert.match((await second).message, /enough/);
  free.resolve();
  await first;
  await ask('/third', signal);

  assert.deepEqual(asked, ['/first', '/third']);
});

test('what a sink throws ends the exchange', async (t) => {
  const url = await serve(t, (_, response) => response.end('too long for it'));
  const agent = new Agent();
  t.after(() => agent.destroy());
  const request = { origin: url, path: '/', method: 'GET' } as const;

  const work = exchange(agent, request, new MemorySink(3), {
    signal,
    patience: { ms: 5000, slowestBytesPerSecond: 1 },
  });

  assert.match((await failureOf(work)).message, /larger than the 3 bytes/);
});
