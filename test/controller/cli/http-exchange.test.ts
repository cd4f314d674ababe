import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { exchange } from '../../../controller/cli/http-exchange.ts';

test('an answer that comes before the end of what is sent leaves no timer behind', async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  t.after(() => server.close());
  server.on('checkContinue', (request, response) => {
    response.writeContinue();
    response.flushHeaders();
    request.resume().on('end', () => response.end('known'));
  });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // it listens on TCP
  const url = new URL(`http://127.0.0.1:${port}/`);
  const answered = Promise.withResolvers<void>();
  const body = Readable.from(
    (async function* () {
      await answered.promise;
      yield 'late';
    })(),
  );
  const timers = () => process.getActiveResourcesInfo().filter((one) => one === 'Timeout').length;
  const before = timers();

  const answer = await exchange({
    ...{ method: 'PUT', url, headers: {}, body },
    signal: new AbortController().signal,
  });
  answered.resolve();

  await answer.resume().toArray();
  for (let turn = 0; turn < 10; turn += 1) await sleep(1);
  assert.equal(timers(), before);
});
