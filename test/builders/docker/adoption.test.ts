import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { goFile, letGo, waitForGo } from '../../world/container.ts';
import { moveImage, needsDocker, startOwnDocker } from '../../world/docker.ts';
import { startDaemon, type Daemon } from '../../world/daemon.ts';
import { suiteScope, tempDir } from '../../world/temp.ts';
import {
  keep,
  limits,
  never,
  openBuilder,
  scriptRequest,
  startWorld,
  type World,
} from './world.ts';

const controller = join(import.meta.dirname, 'controller.ts');

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 120_000;
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error('it has not come true in two minutes');
    await sleep(20);
  }
}

function textOf(file: string): string {
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}

describe('a run that outlives', needsDocker, () => {
  const scope = suiteScope();
  let world: World;
  before(async () => {
    world = await startWorld(scope);
  });

  it('its controller, killed again and again, goes on, and its log has neither holes nor repeats', async (t) => {
    const folder = tempDir(t);
    const owner = 'cairn-test-killed';
    const builder = openBuilder(t, world, owner, { folder: join(folder, 'state') });
    // it goes on to its end when the last one who watches is there
    const script = `for i in $(seq 1 400); do echo "line $i"; sleep 0.01
      while test $i = 300 && ! test -e ${goFile}; do sleep 0.1; done; done; echo x >../x.deb`;
    const start = (): Daemon =>
      startDaemon(
        process.execPath,
        [
          '--disable-warning=ExperimentalWarning',
          controller,
          world.address,
          owner,
          folder,
          world.image,
          script,
        ],
        folder,
      );
    const log = join(folder, 'log');
    for (const line of [3, 60, 150, 250]) {
      const process = start();
      await until(() => textOf(log).includes(`line ${line}\n`) || process.hasEnded);
      assert.equal(process.hasEnded, false, process.output);
      await process.end('SIGKILL');
    }
    const last = start();
    await letGo(world.docker, `cairn-${owner}-run-killed`);
    await until(() => last.hasEnded);

    assert.equal(last.output, '');
    assert.partialDeepStrictEqual(JSON.parse(textOf(join(folder, 'result'))), {
      result: 'Succeeded',
      artifacts: [{ name: 'x.deb', size: 2 }],
    });
    const lines = Array.from({ length: 400 }, (_, index) => `line ${index + 1}\n`);
    assert.equal(textOf(log), lines.join(''));
    await builder.forget('killed');
  });

  it('its controller without a word is found by its id, and is not begun anew', async (t) => {
    const folder = tempDir(t);
    const request = scriptRequest(world.image, `echo begun; ${waitForGo}; echo done`);
    const first = openBuilder(t, world, 'cairn-test-adopt', { folder });
    const stop = new AbortController();
    const kept = keep();
    const watching = first.run(request, kept, stop.signal);
    await until(() => kept.log === 'begun\n');
    stop.abort(new Error('shutting down'));
    await assert.rejects(watching, /shutting down/);

    const second = openBuilder(t, world, 'cairn-test-adopt', { folder, concurrency: 1 });
    const adopted = second.run(
      request,
      { ...kept, source: () => assert.fail('the source is there already') },
      never,
    );
    await letGo(world.docker, `cairn-cairn-test-adopt-run-${request.id}`);

    assert.equal((await adopted).result, 'Succeeded');
    assert.equal(kept.log, 'begun\ndone\n');
  });

  it('its controller has a note, which others find and the build does not', async (t) => {
    const owner = 'cairn-test-note';
    const first = openBuilder(t, world, owner);
    const next = openBuilder(t, world, owner);
    const note = Buffer.from([0, 255, 10, 13, ...Buffer.from('what to know')]);
    const script = 'ls -a / | grep -c note; cat /.cairn-note || true; rm -f /.cairn-note || true';
    const request = scriptRequest(world.image, script);
    assert.equal(await next.noteOf(request.id, never), undefined);

    const kept = keep();
    const { result } = await first.run(request, { ...kept, note: () => note }, never);

    assert.equal(result, 'Succeeded', kept.log);
    assert.match(kept.log, /^1$[^]*Permission denied/m);
    assert.deepEqual(await next.noteOf(request.id, never), note);
    const without = scriptRequest(world.image, 'true');
    await first.run(without, keep(), never);
    assert.equal(await next.noteOf(without.id, never), undefined);
    await next.forget(request.id);
    assert.equal(await next.noteOf(request.id, never), undefined);
    await next.forget(without.id);
  });

  it('its controller gets its way to the archives back', async (t) => {
    const folder = tempDir(t);
    const open = openBuilder(t, world, 'cairn-test-way', { folder });
    const url = `${world.archive.uri.replace(/\/$/, '').replace(/^https:/, 'http:')}/dists/${world.archive.suites[0]}/InRelease`;
    const get = `perl -MHTTP::Tiny -e 'print HTTP::Tiny->new->get($ARGV[0])->{status}, "\\n"' ${url}`;
    const request = scriptRequest(
      world.image,
      `${get}; ${waitForGo}; for i in $(seq 50); do ${get} | grep 200 && break; sleep 0.1; done`,
      {
        network: 'Archives',
        archives: [world.archive],
        environment: { no_proxy: '', NO_PROXY: '' },
      },
    );
    const stop = new AbortController();
    const kept = keep();
    const watching = open.run(request, kept, stop.signal);
    await until(() => kept.log === '200\n');
    stop.abort(new Error('shutting down'));
    await assert.rejects(watching, /shutting down/);

    const adopted = openBuilder(t, world, 'cairn-test-way', { folder }).run(request, kept, never);
    await letGo(world.docker, `cairn-cairn-test-way-run-${request.id}`);

    assert.equal((await adopted).result, 'Succeeded');
    assert.equal(kept.log, '200\n200\n');
  });

  it('its engine, which comes back without it or not at all, can be tried again', async (t) => {
    const engine = await startOwnDocker(t);
    await moveImage(world.docker, world.image, engine.docker, 'test-image');
    const builder = openBuilder(t, engine, 'cairn-test-restart', { engineGraceMs: 60_000 });
    const request = scriptRequest('test-image', 'echo begun; exec sleep 1000');
    const kept = keep();
    const running = builder.run(request, kept, never);
    await until(() => kept.log === 'begun\n');

    await engine.stop();
    assert.deepEqual(await builder.health(), {
      ok: false,
      message: `Docker doesn't answer at ${engine.address}: connect ENOENT ${engine.address}`,
    });
    await engine.start();

    const result = await running;
    assert.equal(result.result, 'BuilderLost');
    assert.match('message' in result ? result.message : '', /ended from outside/);
    assert.match(kept.log, /^begun\n/);

    await builder.forget(request.id);
    const again = { ...request, id: `${request.id}-again`, command: ['echo', 'now'] };
    assert.equal((await builder.run(again, keep(), never)).result, 'Succeeded');

    const impatient = openBuilder(t, engine, 'cairn-test-gone', { engineGraceMs: 500 });
    const heard = keep();
    const lost = impatient.run(
      scriptRequest('test-image', 'echo begun; exec sleep 1000'),
      heard,
      never,
    );
    await until(() => heard.log === 'begun\n');
    await engine.stop();

    assert.partialDeepStrictEqual(await lost, { result: 'BuilderLost' });
  });
});

describe('whoever keeps house', needsDocker, () => {
  const scope = suiteScope();
  let world: World;
  before(async () => {
    world = await startWorld(scope);
  });

  const idle = 'echo begun; exec sleep 1000';

  it('cancels a run, which says so', async (t) => {
    const builder = openBuilder(t, world, 'cairn-test-cancel');
    const request = scriptRequest(world.image, idle);
    const kept = keep();
    const running = builder.run(request, kept, never);
    await until(() => kept.log === 'begun\n');
    await builder.cancel(request.id, 'a newer commit is there');

    assert.partialDeepStrictEqual(await running, {
      result: 'Cancelled',
      message: 'a newer commit is there',
    });
    assert.equal(kept.log, 'begun\ncairn: ended, since a newer commit is there\n');
  });

  it('cancels a run that has not begun, and one whose end nobody was there to see', async (t) => {
    const folder = tempDir(t);
    const builder = openBuilder(t, world, 'cairn-test-before', { folder });
    const request = scriptRequest(world.image, idle);
    await builder.cancel(request.id, 'not wanted');
    assert.equal((await builder.run(request, keep(), never)).result, 'Cancelled');

    const other = scriptRequest(world.image, idle);
    const stop = new AbortController();
    const kept = keep();
    const watching = builder.run(other, kept, stop.signal);
    await until(() => kept.log === 'begun\n');
    stop.abort(new Error('killed'));
    await assert.rejects(watching, /killed/);
    await openBuilder(t, world, 'cairn-test-before', { folder }).cancel(other.id, 'not wanted');

    const later = openBuilder(t, world, 'cairn-test-before', { folder });
    assert.partialDeepStrictEqual(await later.run(other, kept, never), { result: 'Cancelled' });
  });

  it('sweeps what nobody claims, and nothing of others or of what runs', async (t) => {
    const folder = tempDir(t);
    const [mine, others] = [
      openBuilder(t, world, 'cairn-test-sweep', { folder, concurrency: 3 }),
      openBuilder(t, world, 'cairn-test-others'),
    ];
    const stop = new AbortController();
    const requests = [1, 2, 3].map(() => scriptRequest(world.image, idle));
    const kepts = requests.map(() => keep());
    const start = (builder: typeof mine, index: number, signal: AbortSignal) => {
      const [request, kept] = [requests[index], kepts[index]];
      assert.ok(request && kept);
      return builder.run(request, kept, signal);
    };
    const orphaned = start(mine, 0, stop.signal).catch(() => {});
    const claimed = start(mine, 1, stop.signal).catch(() => {});
    const foreign = start(others, 2, stop.signal).catch(() => {});
    await until(() => kepts.every((kept) => kept.log === 'begun\n'));
    assert.equal((await mine.sweep(new Set())).containers, 0, 'what it watches itself');
    stop.abort(new Error('killed'));
    await Promise.all([orphaned, claimed, foreign]);

    const restarted = openBuilder(t, world, 'cairn-test-sweep', { folder });
    const { containers } = await restarted.sweep(new Set([requests[1]?.id ?? '']));

    assert.equal(containers, 1);
    const areLeft = async () => {
      const left = await world.docker.listContainers({ all: true });
      const names = left.flatMap(({ Names }) => Names);
      return requests.map(({ id }) => names.some((name) => name.endsWith(`-run-${id}`)));
    };
    await until(async () => !(await areLeft())[0]); // the engine lists it until all of it is gone
    assert.deepEqual(await areLeft(), [false, true, true]);
  });

  it('lets no more run at once than may', async (t) => {
    const builder = openBuilder(t, world, 'cairn-test-queue', { concurrency: 1 });
    const order: string[] = [];
    const one = async (key: string) => {
      const request = scriptRequest(world.image, 'true', {
        key,
        limits: { ...limits, seconds: 30 },
      });
      await builder.run(request, keep(), never);
      order.push(key);
    };
    await Promise.all([one('noisy'), one('noisy'), one('noisy'), one('quiet')]);

    assert.ok(order.indexOf('quiet') <= 1, String(order));
  });
});
