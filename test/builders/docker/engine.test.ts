/** What engines of other versions say, which the one of this machine does not. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { it } from 'node:test';
import { connect } from '../../../builders/docker/connect.ts';
import { checkEngine } from '../../../builders/docker/engine.ts';
import { followToEnd } from '../../../builders/docker/images.ts';

it('an engine may be newer than API 1.99, not older than 1.41', async (t) => {
  let ApiVersion = '';
  const server = createServer((_, answer) => {
    answer.end(JSON.stringify({ ApiVersion, Version: '1', Os: 'linux', Arch: 'amd64' }));
  }).listen(0, '127.0.0.1');
  t.after(() => void server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const engine = { address: `tcp://127.0.0.1:${port}` };
  for (const [version, ok] of [
    ['1.9', false],
    ['1.40', false],
    ['1.41', true],
    ['1.56', true],
    ['1.100', true],
    ['2.0', true],
  ] as const) {
    ApiVersion = version;
    assert.equal((await checkEngine(connect(engine), engine)).ok, ok, version);
  }
});

it('an engine may tell of a failure in either way', async () => {
  const docker = connect({ address: '/nowhere' });
  const told = async (...events: object[]) =>
    followToEnd(docker, Readable.from(events.map((event) => `${JSON.stringify(event)}\r\n`)));
  const errorDetail = { message: 'no space left' };
  await told({ status: 'Importing' });
  await assert.rejects(told({ errorDetail, error: 'no space left' }), /^Error: no space left$/);
  await assert.rejects(told({ errorDetail }), /^Error: no space left$/);
  await assert.rejects(told({ error: 'no space left' }), /^Error: no space left$/);
});
