/** Answers of servers that are old, broken, or up to something. */
import assert from 'node:assert/strict';
import { hash, randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { test, type TestContext } from 'node:test';
import { Agent } from 'undici';
import { openBlobs } from '../../../depot/file-blobs.ts';
import { exchange, type Sink } from '../../../reconcilers/fetch/exchange.ts';
import type { UpstreamOptions } from '../../../reconcilers/fetch/upstream.ts';
import { tempDir } from '../../world/temp.ts';
import { failureOf, serve, signal, textOf, upstreamAt } from './fetch-world.ts';

const large = randomBytes(6 * 1024 * 1024);
const small = randomBytes(300_000);

/** Answers as HTTP/1.0 does: the end of the connection is the end of the file. */
function untilTheEnd({ socket }: ServerResponse, body: Uint8Array): void {
  socket?.write('HTTP/1.0 200 OK\r\nContent-Type: application/octet-stream\r\n\r\n');
  socket?.end(body);
}

async function fetched(
  t: TestContext,
  url: string,
  content: Buffer,
  options: Partial<UpstreamOptions> = {},
): Promise<Buffer> {
  const blobs = await openBlobs(tempDir(t));
  const expected = { size: content.length, sha256: hash('sha256', content) };
  const upstream = upstreamAt(t, url, options);
  const blob = await upstream.blob(['file'], expected, { blobs, signal });
  return blob ? blobs.bytes(blob.sha256) : Buffer.alloc(0);
}

for (const [what, content] of [
  ['a large', large],
  ['a small', small],
] as const) {
  test(`takes ${what} file whose end is that of the connection`, async (t) => {
    const url = await serve(t, (_, response) => untilTheEnd(response, content));

    assert.ok((await fetched(t, url, content)).equals(content));
  });

  test(`${what} file is not taken for whole when the connection ends early`, async (t) => {
    let asked = 0;
    const url = await serve(t, (_, response) => {
      asked += 1;
      untilTheEnd(response, asked === 1 ? content.subarray(0, 250_000) : content);
    });

    assert.ok((await fetched(t, url, content, { retries: 1 })).equals(content));
    assert.equal(asked, 2);
  });

  test(`${what} file that goes on too long until the connection ends is refused`, async (t) => {
    const url = await serve(t, (_, response) =>
      untilTheEnd(response, Buffer.concat([content, content])),
    );

    assert.match(
      (await failureOf(fetched(t, url, content))).message,
      /(larger|longer) than the \d+ bytes/,
    );
  });
}

test('a slow sink gets one thing after the other, also at the end of the connection', async (t) => {
  const url = await serve(t, (_, response) => untilTheEnd(response, large));
  const agent = new Agent();
  t.after(() => agent.destroy());
  let busy = 0;
  let mostBusy = 0;
  const parts: Buffer[] = [];
  const sink: Sink = {
    start: () => {},
    async data(chunk) {
      mostBusy = Math.max(mostBusy, (busy += 1));
      await sleep(1);
      parts.push(chunk);
      busy -= 1;
    },
  };

  const patience = { ms: 20_000, slowestBytesPerSecond: 1 };
  const request = { origin: url, path: '/', method: 'GET' } as const;
  await exchange(agent, request, sink, { signal, patience });

  assert.equal(mostBusy, 1);
  assert.ok(Buffer.concat(parts).equals(large));
});

test('gives up on a trickle, however much may come', async (t) => {
  const url = await serve(t, (_, response) => {
    const drip = setInterval(() => response.write('x'), 20);
    response.on('close', () => clearInterval(drip));
  });
  const upstream = upstreamAt(t, url, { stallMs: 100 });

  const failure = await failureOf(upstream.page('file', { maxBytes: 16 * 1024 * 1024, signal }));

  assert.match(failure.message, /file: only \d+ bytes after/);
});

test('bears with a slow upstream as long as enough comes', async (t) => {
  const url = await serve(t, (_, response) => {
    let left = 15;
    const drip = setInterval(() => {
      left -= 1;
      if (left > 0) response.write('x'.repeat(500));
      else response.end();
    }, 50);
    response.on('close', () => clearInterval(drip));
  });

  assert.equal((await textOf(upstreamAt(t, url, { stallMs: 100 }), 'file')).length, 14 * 500);
});

test('asks for files as they are', async (t) => {
  const encodings = new Set<unknown>();
  const url = await serve(t, ({ headers }, response) => {
    encodings.add(headers['accept-encoding']);
    response.end(small);
  });

  await textOf(upstreamAt(t, url), 'file').catch(() => {});
  await fetched(t, url, small);

  assert.deepEqual([...encodings], ['identity']);
});

for (const status of [202, 204, 206, 304]) {
  test(`takes ${status} neither for a file nor for its absence when nobody asked for that`, async (t) => {
    const url = await serve(t, (_, response) => {
      response.writeHead(status, { 'content-range': 'bytes 0-9/300000' });
      response.end(status === 206 ? small.subarray(0, 10) : undefined);
    });

    for (const work of [textOf(upstreamAt(t, url), 'file'), fetched(t, url, small)]) {
      assert.match((await failureOf(work)).message, new RegExp(`file answered ${status}$`));
    }
  });
}

test('a page that is too large is TooLarge', async (t) => {
  const url = await serve(t, (_, response) => response.end(small));

  const failure = await failureOf(upstreamAt(t, url).page('file', { maxBytes: 1000, signal }));

  assert.equal('reason' in failure && failure.reason, 'TooLarge');
});

test('says it when a page is compressed on the way all the same', async (t) => {
  const url = await serve(t, (_, response) => {
    response.writeHead(200, { 'content-encoding': 'gzip' }).end('something else');
  });

  const failure = await failureOf(textOf(upstreamAt(t, url), 'file'));

  assert.match(failure.message, /file comes with Content-Encoding gzip/);
});
