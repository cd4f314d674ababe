import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { test, type TestContext } from 'node:test';
import { openBlobs } from '../../../depot/file-blobs.ts';
import { described } from '../../controller/http/fixture.ts';
import { tempDir } from '../../world/temp.ts';
import { failureOf, serve, signal, upstreamAt } from './fetch-world.ts';

const content = Buffer.from(
  Array.from({ length: 1_500_000 }, (_, at) => (at * 31 + (at >> 8)) % 251),
);
const begun = 700_000;

type Answer = (range: string | undefined, response: ServerResponse) => void;

/** A download of which a part is there, from a server that answers as it is told. */
async function resumed(t: TestContext, answer: Answer, { part = content.subarray(0, begun) } = {}) {
  const ranges: (string | undefined)[] = [];
  const url = await serve(t, ({ headers }: IncomingMessage, response) => {
    ranges.push(headers.range);
    answer(headers.range, response);
  });
  const blobs = await openBlobs(tempDir(t));
  const expected = described(content);
  const partial = await blobs.resume(expected.sha256, expected.size);
  await partial.write(part);
  await partial.close();
  const upstream = upstreamAt(t, url, { retries: 1 });
  let received = 0;
  const onBytes = (count: number) => (received += count);
  const fetch = () => upstream.blob(['file'], expected, { blobs, signal, onBytes });
  return { fetch, ranges, blobs, received: () => received };
}

const range = `bytes=${begun}-`;

function partOf(start: number, response: ServerResponse): void {
  const last = content.length - 1;
  response
    .writeHead(206, { 'content-range': `bytes ${start}-${last}/${content.length}` })
    .end(content.subarray(start));
}

test('asks only for what is missing', async (t) => {
  const { fetch, ranges, received } = await resumed(t, (_, response) => partOf(begun, response));

  assert.deepEqual(await fetch(), described(content));
  assert.deepEqual(ranges, [range]);
  assert.equal(received(), content.length - begun);
});

test('starts over when the server knows no ranges', async (t) => {
  const { fetch, ranges, blobs } = await resumed(t, (_, response) => response.end(content));

  assert.deepEqual(await fetch(), described(content));
  assert.deepEqual(ranges, [range]);
  assert.ok(await blobs.verify(described(content).sha256));
});

test('starts over when the server sends another range than was asked for', async (t) => {
  const { fetch, ranges } = await resumed(t, (asked, response) => {
    if (asked) partOf(0, response);
    else response.end(content);
  });

  assert.deepEqual(await fetch(), described(content));
  assert.deepEqual(ranges, [range, undefined]);
});

test('starts over when the server says that the file has no such part', async (t) => {
  const { fetch, ranges } = await resumed(t, (asked, response) => {
    if (asked) response.writeHead(416, { 'content-range': 'bytes */100' }).end();
    else response.end(content);
  });

  assert.deepEqual(await fetch(), described(content));
  assert.deepEqual(ranges, [range, undefined]);
});

test('starts over when what was there before turns out to be of another file', async (t) => {
  const part = Buffer.alloc(begun, 'other');
  const answer: Answer = (asked, response) =>
    asked ? partOf(begun, response) : response.end(content);
  const { fetch, ranges } = await resumed(t, answer, { part });

  assert.deepEqual(await fetch(), described(content));
  assert.deepEqual(ranges, [range, undefined]);
});

test('takes a file that was whole already without asking for it', async (t) => {
  const refuse: Answer = (_, response) => response.writeHead(500).end();
  const { fetch, ranges } = await resumed(t, refuse, { part: content });

  assert.deepEqual(await fetch(), described(content));
  assert.deepEqual(ranges, []);
});

test('goes on again and again with a server that closes in the middle', async (t) => {
  let sent = 0;
  const { fetch, ranges } = await resumed(t, (asked, response) => {
    const start = Number(/=(\d+)-/.exec(asked ?? '')?.[1] ?? 0);
    if (sent++ > 0) return partOf(start, response);
    const last = content.length - 1;
    response.writeHead(206, { 'content-range': `bytes ${start}-${last}/${content.length}` });
    response.write(content.subarray(start, start + 300_000), () => response.destroy());
  });

  assert.deepEqual(await fetch(), described(content));
  assert.equal(ranges[0], range);
  assert.match(ranges[1] ?? '', /^bytes=\d+-$/);
});

test('says how far it came when the server only ever sends a part', async (t) => {
  const { fetch } = await resumed(t, (_, response) => response.end(content.subarray(0, 1000)));

  assert.match((await failureOf(fetch())).message, /broke off after 1000 of 1500000 bytes/);
});

test('keeps nothing of a file that is longer than it may be', async (t) => {
  const longer = Buffer.concat([content, Buffer.alloc(100)]);
  const { fetch, blobs } = await resumed(t, (_, response) => response.end(longer));

  assert.match((await failureOf(fetch())).message, /file is longer than/);
  assert.equal(await blobs.size(described(content).sha256), undefined);
});
