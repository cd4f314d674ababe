/** How images get into an engine that is slow, or breaks off. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { PassThrough } from 'node:stream';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { readPrograms, type Context } from '../../../builders/docker/context.ts';
import { connect } from '../../../builders/docker/connect.ts';
import { importImage } from '../../../builders/docker/images.ts';
import { inWorkshop } from '../../../builders/docker/workshop.ts';
import { needsDocker } from '../../world/docker.ts';
import { tempDir, type Scope } from '../../world/temp.ts';
import { startWorld } from './world.ts';

function contextOf(scope: Scope, address: string): Context {
  return {
    ...{ docker: connect({ address }), address, owner: 'cairn-test-import' },
    ...{ folder: tempDir(scope), programs: readPrograms() },
    ...{ workshops: new Set<string>(), making: new Map() },
  };
}

const name = { kind: 'base', key: 'a'.repeat(64) } as const;

it('an import takes no connection of the engine before there is something to send', async (t) => {
  const calls: string[] = [];
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', (bytes) => {
      calls.push(bytes.toString().split('\r\n', 1)[0] ?? '');
      socket.destroy();
    });
  }).listen(0, '127.0.0.1');
  t.after(() => void server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  let connections = 0;
  server.on('connection', () => (connections += 1));
  const tar = new PassThrough();
  const imported = importImage(contextOf(t, `tcp://127.0.0.1:${port}`), name, tar);
  imported.catch(() => {});
  await sleep(50);
  assert.equal(connections, 0);

  tar.write('bytes');
  await assert.rejects(imported);
  assert.match(calls[0] ?? '', /^POST \/images\/create\?/);
});

it('an import of what breaks off fails with the reason', async (t) => {
  const tar = new PassThrough();
  const imported = importImage(contextOf(t, 'tcp://127.0.0.1:1'), name, tar);
  tar.destroy(new Error('it broke'));
  await assert.rejects(imported, /it broke/);
});

it(
  'a command whose output nobody wants any more does not wait for ever',
  needsDocker,
  async (t) => {
    const { address, image } = await startWorld(t);
    const stdout = new PassThrough();
    setTimeout(() => stdout.destroy(), 200);
    const done = inWorkshop(contextOf(t, address), { image, archives: [] }, (workshop) =>
      workshop.run(['sh', '-c', 'while :; do echo much; done'], { stdout }),
    );
    await assert.rejects(done, /nobody reads what the command writes/);
  },
);
