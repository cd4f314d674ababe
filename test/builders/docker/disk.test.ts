/** Files that can't be counted while they come and go, which is so with containerd's image store. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type RequestOptions } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { needsDocker, type TestDocker } from '../../world/docker.ts';
import { suiteScope, tempDir, type Scope } from '../../world/temp.ts';
import { keep, limits, never, openBuilder, scriptRequest, startWorld } from './world.ts';

interface Uncountable {
  readonly address: string;
  /** What it was asked to do, of what makes a container stand still or go on. */
  readonly calls: readonly string[];
}

/** The engine, which counts the files of a container only when that stands still. */
async function uncountable(scope: Scope, engine: TestDocker): Promise<Uncountable> {
  const calls: string[] = [];
  const server = createServer((asked, answer) => {
    const { url = '', method, headers } = asked;
    const verb = /\/(pause|unpause|kill)(\?|$)/.exec(url)?.[1];
    if (verb !== undefined) calls.push(verb);
    if (url.includes('size=') && !['pause', 'kill'].includes(calls.at(-1) ?? '')) {
      answer.writeHead(500).end('{"message":"snapshotter.Usage failed: no such file"}');
      return;
    }
    const place: RequestOptions = engine.address.startsWith('/')
      ? { socketPath: engine.address }
      : { hostname: new URL(engine.address).hostname, port: new URL(engine.address).port };
    const passOn = (got: IncomingMessage) => {
      answer.writeHead(got.statusCode ?? 500, got.headers);
      answer.flushHeaders();
      got.pipe(answer);
    };
    const passed = request({ ...place, path: url, method, headers }, passOn);
    passed.on('error', () => answer.destroy());
    answer.on('close', () => passed.destroy());
    asked.pipe(passed);
  }).listen(0, '127.0.0.1');
  scope.after(() => {
    server.close();
    server.closeAllConnections();
  });
  await once(server, 'listening');
  return { address: `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`, calls };
}

describe('a build whose files can’t be counted while it runs', needsDocker, () => {
  const scope = suiteScope();

  it('is held still for it, and ended when it fills the disk', async (t) => {
    const world = await startWorld(scope);
    openBuilder(t, world, 'cairn-test-uncountable'); // removes containers, when the other's way is gone
    const engine = await uncountable(t, world);
    const builder = openBuilder(t, { ...world, ...engine }, 'cairn-test-uncountable');
    const script = 'i=0; while :; do i=$((i+1)); head -c 1M /dev/zero >/tmp/$i; sleep 0.05; done';
    const request = scriptRequest(world.image, script, {
      limits: { ...limits, diskBytes: 32 * 2 ** 20 },
    });
    const result = await builder.run(request, keep(), never);

    assert.deepEqual(engine.calls.slice(0, 2), ['pause', 'unpause']);
    assert.partialDeepStrictEqual(result, { because: 'DiskLimit' });
  });

  it('goes on when its controller has died at that moment', async (t) => {
    const world = await startWorld(scope);
    const folder = tempDir(t);
    const request = scriptRequest(world.image, 'echo begun; sleep 1; echo done');
    const stop = new AbortController();
    const kept = keep();
    const watching = openBuilder(t, world, 'cairn-test-held', { folder }).run(
      request,
      kept,
      stop.signal,
    );
    while (kept.log !== 'begun\n') await sleep(10);
    await world.docker.getContainer(`cairn-cairn-test-held-run-${request.id}`).pause();
    stop.abort(new Error('killed'));
    await assert.rejects(watching, /killed/);

    const later = openBuilder(t, world, 'cairn-test-held', { folder });
    assert.equal((await later.run(request, kept, never)).result, 'Succeeded');
    assert.equal(kept.log, 'begun\ndone\n');
  });
});
