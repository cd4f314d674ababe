import assert from 'node:assert/strict';
import { hash, randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { test, type TestContext } from 'node:test';
import { openSqliteStore } from '../../../controller/store/sqlite.ts';
import { kinds } from '../../../crds/index.ts';
import { validateManifest } from '../../../crds/validate.ts';
import { openBlobs } from '../../../depot/file-blobs.ts';
import { HostSlots } from '../../../reconcilers/fetch/slots.ts';
import { LazyFiles } from '../../../reconcilers/mirror/lazy-pool.ts';
import { tempDir } from '../../world/temp.ts';
import { serve } from '../fetch/fetch-world.ts';

const size = 6 * 1024 * 1024;
const right = randomBytes(size);
const wrong = randomBytes(size);

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** A lazy file of a mirror whose upstream answers its first requests as it is told, then well. */
async function lazyFile(t: TestContext, ...answers: readonly Answer[]) {
  const asked: IncomingMessage[] = [];
  const url = await serve(t, (request, response) => {
    const answer = answers[asked.length] ?? ((_, whole) => void whole.end(right));
    asked.push(request);
    answer(request, response);
  });
  const store = openSqliteStore(':memory:', { kinds, validate: validateManifest });
  t.after(() => store.close());
  const blobs = await openBlobs(tempDir(t));
  const slots = new HostSlots();
  const files = new LazyFiles({ store, blobs, slots, secrets: async () => undefined });
  const sha256 = hash('sha256', right);
  const wanted = { mirror: 'debian', namespace: 'default', url, path: 'pool/x.deb', sha256, size };
  return {
    asked,
    fetch: (signal = new AbortController().signal) => files.fetch(wanted, signal),
  };
}

/** Answers all but the end, which follows when `go` resolves. */
function upTo(bytes: Buffer, end: number, go: Promise<void>, last: Answer): Answer {
  return (request, response) => {
    response.writeHead(200, { 'content-length': size });
    response.write(bytes.subarray(0, end));
    void go.then(() => last(request, response));
  };
}

const breakOff: Answer = (_, response) => void response.destroy();

async function collect(stream: Readable, onFirst = () => {}): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of stream) {
    if (parts.length === 0) onFirst();
    parts.push(part as Buffer); // it is not in object mode
  }
  return Buffer.concat(parts);
}

test('who has read along with bytes that turn out wrong is broken off, and the next gets the right ones', async (t) => {
  const go = Promise.withResolvers<void>();
  const end = size - 100_000;
  const { fetch } = await lazyFile(
    t,
    upTo(wrong, end, go.promise, (_, response) => void response.end(wrong.subarray(end))),
  );

  const first = await fetch();

  await assert.rejects(collect(await first.stream(), go.resolve), /started over/);
  assert.ok((await collect(await (await fetch()).stream())).equals(right));
});

test('bytes that are wrong again and again leave nothing to go on with', async (t) => {
  const go = Promise.withResolvers<void>();
  const whole: Answer = (_, response) => void response.end(wrong.subarray(4_000_000));
  const slowly = upTo(wrong, 4_000_000, go.promise, whole);
  const { asked, fetch } = await lazyFile(t, slowly, slowly);

  const first = await fetch();
  await assert.rejects(collect(await first.stream(), go.resolve));
  const second = await collect(await (await fetch()).stream()).catch(() => undefined);

  assert.ok(second === undefined || second.equals(right));
  assert.ok((await collect(await (await fetch()).stream())).equals(right));
  for (const { headers } of asked) assert.equal(headers.range, undefined);
});

test('a download that has to begin again breaks off those who have read of it', async (t) => {
  const go = Promise.withResolvers<void>();
  const { asked, fetch } = await lazyFile(t, upTo(wrong, 4_000_000, go.promise, breakOff));

  const first = await fetch();

  await assert.rejects(collect(await first.stream(), go.resolve), /started over/);
  assert.ok((await collect(await (await fetch()).stream())).equals(right));
  assert.match(asked[1]?.headers.range ?? '', /^bytes=\d+-$/);
});

test('a download that goes on where it broke off is nothing that a client notices', async (t) => {
  const go = Promise.withResolvers<void>();
  const { asked, fetch } = await lazyFile(
    t,
    upTo(right, 4_000_000, go.promise, breakOff),
    ({ headers }, response) => {
      const start = Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1]);
      const range = `bytes ${start}-${size - 1}/${size}`;
      response.writeHead(206, { 'content-range': range, 'content-length': size - start });
      response.end(right.subarray(start));
    },
  );

  const first = await fetch();

  assert.ok((await collect(await first.stream(), go.resolve)).equals(right));
  assert.equal(asked.length, 2);
});

test('who comes just after the last client has left gets the file', async (t) => {
  const never = new Promise<void>(() => {});
  const { asked, fetch } = await lazyFile(t, upTo(right, 4_000_000, never, breakOff));
  const client = new AbortController();
  await fetch(client.signal);
  client.abort(new Error('gone'));

  const next = await fetch();

  assert.ok((await collect(await next.stream())).equals(right));
  assert.equal(asked.length, 2);
});
