/** Builds that mean harm: each has to be ended, by name, and the machine must not notice. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { before, describe, it } from 'node:test';
import { needsDocker } from '../../world/docker.ts';
import { suiteScope } from '../../world/temp.ts';
import type { DockerBuilder } from '../../../builders/docker/index.ts';
import type { RunLimits } from '../../../builders/docker/request.ts';
import { ask } from './ask.ts';
import {
  keep,
  limits,
  never,
  openBuilder,
  scriptRequest,
  startWorld,
  type World,
} from './world.ts';

describe('a build that means harm', needsDocker, () => {
  const scope = suiteScope();
  let world: World;
  let builder: DockerBuilder;
  before(async () => {
    world = await startWorld(scope);
    builder = openBuilder(scope, world, 'cairn-test-hostile', { concurrency: 4 });
  });

  async function outcome(script: string, less: Partial<RunLimits> = {}) {
    const kept = keep();
    const request = scriptRequest(world.image, script, { limits: { ...limits, ...less } });
    const result = await builder.run(request, kept, never);
    await builder.forget(request.id);
    return { result, because: 'because' in result ? result.because : result.result, kept };
  }

  it('is ended when it starts processes without end', async () => {
    const { because } = await outcome(`exec perl -e 'fork while 1'`);
    assert.equal(because, 'ProcessLimit');
  });

  it('is told apart when it hangs for want of processes', async () => {
    const script = 'bomb() { bomb | bomb & }; bomb; sleep 1000';
    assert.equal((await outcome(script, { silenceSeconds: 2 })).because, 'ProcessLimit');
  });

  it('is told apart when it fails for want of processes', async () => {
    const script = 'for i in $(seq 300); do sleep 100 & done';
    assert.equal((await outcome(script)).because, 'ProcessLimit');
  });

  it('is ended when it fills the disk', async () => {
    const script = 'i=0; while :; do i=$((i+1)); head -c 8M /dev/zero >/tmp/$i; sleep 0.05; done';
    const { because, kept } = await outcome(script, { diskBytes: 64 * 2 ** 20 });

    assert.equal(because, 'DiskLimit');
    assert.equal(kept.log, 'cairn: ended, since it has written more than 67108864 bytes\n');
  });

  it('can’t fill the disk with one file and be gone', async () => {
    const script = 'head -c 300M /dev/zero >/tmp/x || true; echo more >/tmp/y';
    assert.equal((await outcome(script, { diskBytes: 64 * 2 ** 20 })).because, 'DiskLimit');
  });

  it('is ended when it needs more memory than it may have', async () => {
    const script = `perl -e 'my @x; push @x, "x" x (1 << 24) while 1'`;
    assert.equal((await outcome(script)).because, 'OutOfMemory');
  });

  it('does not get more memory by way of /dev/shm', async () => {
    const script = 'head -c 400M /dev/zero >/dev/shm/x';
    assert.notEqual((await outcome(script, { memoryBytes: 64 * 2 ** 20 })).because, 'Succeeded');
  });

  it('is ended when it never ends', async () => {
    const script = 'while :; do echo still here; sleep 0.3; done';
    const { because, kept } = await outcome(script, { seconds: 5 });

    assert.equal(because, 'TimeLimit');
    assert.match(
      kept.log,
      /still here\ncairn: the build has run for 5 seconds, which is all it may\n$/,
    );
  });

  it('is ended when it says nothing', async () => {
    const { because, kept } = await outcome('echo begun; exec sleep 1000', { silenceSeconds: 4 });

    assert.equal(because, 'SilenceLimit');
    assert.equal(kept.log, 'begun\ncairn: the build has printed nothing for 4 seconds\n');
  });

  it('is ended when it stops the process that counts its time', async () => {
    const script = `for signal in STOP TERM INT HUP KILL USR1 CHLD; do kill -$signal 1; done; sleep 1000`;
    assert.equal((await outcome(script, { seconds: 1 })).because, 'TimeLimit');
  });

  it('is ended when it prints without end', async () => {
    const { because, kept } = await outcome('exec yes');

    assert.equal(because, 'OutputLimit');
    assert.match(kept.log.slice(-100), /y\ncairn: the build has printed too much\n$/);
    assert.ok(kept.log.length <= limits.logBytes + 10_000, `${kept.log.length} bytes`);
  });

  it('can’t print past the process that counts, nor look into it', async () => {
    const script = 'echo x >/proc/1/fd/1 || cat /proc/1/environ || ls /proc/1/fd';
    const { because, kept } = await outcome(script);

    assert.equal(because, 'ExitCode');
    assert.equal(kept.log.match(/Permission denied/g)?.length, 3, kept.log);
  });

  it('keeps any bytes in its log as they are', async () => {
    const { kept } = await outcome(`printf 'a\\377\\000\\033[31mb\\r\\n\\342\\202'`);
    assert.equal(kept.bytes.toString('latin1'), 'a\xff\0\x1b[31mb\r\n\xe2\x82');
  });

  for (const network of ['None', 'Archives', 'Full'] as const) {
    it(`reaches neither the controller nor the engine with network ${network}`, async () => {
      let asked = 0;
      const controller = createServer((_, answer) => {
        asked += 1;
        answer.end('controller');
      }).listen(0, '0.0.0.0');
      await once(controller, 'listening');
      const { port } = controller.address() as AddressInfo;
      const kept = keep();
      const script = `
        for host in 127.0.0.1 localhost 172.17.0.1 10.0.0.1 169.254.169.254 '[::1]' 0.0.0.0 2130706433; do
          for way in direct proxy connect; do
            perl -e "$ASK" "$way" "$host" ${port} && echo "REACHED $way $host"
          done
        done
        for file in /run/docker.sock /var/run/docker.sock ${world.address}; do test -e $file && echo "REACHED $file"; done
        echo end`;
      const request = scriptRequest(world.image, script, {
        network,
        archives: [world.archive],
        environment: { ASK: ask },
      });
      const result = await builder.run(request, kept, never);
      controller.close();
      controller.closeAllConnections();

      assert.equal(asked, 0);
      assert.equal(kept.log, 'end\n');
      assert.equal(result.result, 'Succeeded');
    });
  }
});
