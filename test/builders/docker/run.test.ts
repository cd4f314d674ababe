import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { before, describe, it } from 'node:test';
import { needsDocker } from '../../world/docker.ts';
import { suiteScope } from '../../world/temp.ts';
import type { DockerBuilder } from '../../../builders/docker/index.ts';
import {
  keep,
  limits,
  never,
  openBuilder,
  scriptRequest,
  startWorld,
  treeOf,
  type World,
} from './world.ts';

describe('a run', needsDocker, () => {
  const scope = suiteScope();
  let world: World;
  let builder: DockerBuilder;
  before(async () => {
    world = await startWorld(scope);
    builder = openBuilder(scope, world, 'cairn-test-run');
  });

  it('runs a command on a source tree, and hands on its log and what it leaves', async () => {
    const kept = keep(() =>
      treeOf({ 'hello.sh': '#!/bin/sh\necho "hello from $PWD"\n', 'a/b': 'b\n' }),
    );
    const request = scriptRequest(
      world.image,
      './hello.sh; ls -l --time-style=+%s a/b; cp a/b ../b_1.0.deb; echo to stderr >&2',
    );

    const result = await builder.run(request, kept, never);

    assert.deepEqual(
      { ...result, startedAt: '', finishedAt: '' },
      {
        result: 'Succeeded',
        artifacts: [
          {
            name: 'b_1.0.deb',
            size: 2,
            sha256: '0263829989b6fd954f72baaf2fc64bc2e2f01d692d4de72986ea808f6e99813f',
          },
        ],
        startedAt: '',
        finishedAt: '',
      },
    );
    assert.equal(
      kept.log,
      'hello from /build/source\n-rw-r--r-- 1 builder builder 2 1700000000 a/b\nto stderr\n',
    );
    assert.deepEqual(kept.files, { 'b_1.0.deb': Buffer.from('b\n') });
  });

  it('has the exit status of a command that fails', async () => {
    const kept = keep();
    const result = await builder.run(scriptRequest(world.image, 'echo no; exit 7'), kept, never);

    assert.partialDeepStrictEqual(result, {
      result: 'FailedToBuild',
      because: 'ExitCode',
      exitCode: 7,
      message: 'the build failed with exit status 7',
    });
    assert.equal(kept.log, 'no\ncairn: the build has failed with exit status 7\n');
  });

  it('has neither rights nor a network, and is always the same surroundings', async () => {
    const kept = keep();
    const script = `id -un; umask; hostname; echo $HOME $LANG $TZ $SOURCE_DATE_EPOCH
      grep -E '^(CapEff|CapBnd|NoNewPrivs|Seccomp):' /proc/self/status
      ls /sys/class/net
      touch /etc/x 2>&1 || true
      ls /var/run/docker.sock /run/docker.sock 2>&1 || true
      grep -c / /proc/self/mountinfo >/dev/null; grep -v -E ' (overlay|proc|tmpfs|devpts|sysfs|mqueue|cgroup2?) ' /proc/self/mounts | cut -d' ' -f2`;
    await builder.run(scriptRequest(world.image, script), kept, never);

    assert.equal(
      kept.log,
      `builder
0022
build
/build/home C.UTF-8 UTC 1700000000
CapBnd:\t0000000000000000
CapEff:\t0000000000000000
NoNewPrivs:\t1
Seccomp:\t2
lo
touch: cannot touch '/etc/x': Permission denied
ls: cannot access '/var/run/docker.sock': No such file or directory
ls: cannot access '/run/docker.sock': No such file or directory
/etc/resolv.conf
/etc/hostname
/etc/hosts
`.replace(
        'CapBnd:\t0000000000000000\nCapEff:\t0000000000000000',
        'CapEff:\t0000000000000000\nCapBnd:\t0000000000000000',
      ),
    );
  });

  it('takes every orphan along when it ends', async () => {
    const kept = keep();
    const script = '(sleep 1000 & sleep 1000 &) >/dev/null 2>&1; (sleep 1000 &); echo done';
    const result = await builder.run(scriptRequest(world.image, script), kept, never);

    assert.equal(result.result, 'Succeeded');
    assert.equal(kept.log, 'done\n');
  });

  it('refuses another request with the id of one that is there', async () => {
    const request = scriptRequest(world.image, 'true');
    await builder.run(request, keep(), never);

    await assert.rejects(builder.run({ ...request, command: ['false'] }, keep(), never), {
      name: 'RequestInvalid',
      message: `there is another run with the id ${request.id}`,
    });
    await builder.forget(request.id);
    const again = await builder.run({ ...request, command: ['false'] }, keep(), never);
    assert.equal(again.result, 'FailedToBuild');
  });

  it('gives the same result again until it is forgotten, and the log from where it was kept', async () => {
    const request = scriptRequest(world.image, 'echo one; echo two; echo x >../x.deb');
    const first = await builder.run(request, keep(), never);
    const kept = keep();
    kept.writeLog(Buffer.from('one\nt'));

    const second = await builder.run(request, kept, never);

    assert.deepEqual(second, first);
    assert.equal(kept.log, 'one\ntwo\n');
    assert.deepEqual(Object.keys(kept.files), ['x.deb']);
  });

  it('can’t be asked for twice at once', async () => {
    const request = scriptRequest(world.image, 'true');
    const first = builder.run(request, keep(), never);
    await assert.rejects(builder.run(request, keep(), never), { name: 'RequestInvalid' });
    assert.equal((await first).result, 'Succeeded');
  });

  it('fails with its source, and can be asked for again', async () => {
    const request = scriptRequest(world.image, 'cat a');
    const broken = Object.assign(new Error('the clone is gone'), { code: 'ECONNRESET' });
    const streams = keep();
    await assert.rejects(
      builder.run(request, { ...streams, source: () => Promise.reject(broken) }, never),
      broken,
    );
    const breaksOff = () =>
      Readable.from(
        Readable.from([Buffer.alloc(0)]).compose(async function* () {
          yield Buffer.alloc(0);
          throw broken;
        }),
      );
    await assert.rejects(builder.run(request, { ...streams, source: breaksOff }, never), broken);
    const kept = keep(() => treeOf({ a: 'b\n' }));
    assert.equal((await builder.run(request, kept, never)).result, 'Succeeded');
    assert.equal(kept.log, 'b\n');
  });

  it('fails when a part of its log or of its artifacts can’t be kept, and can be asked for again', async () => {
    const request = scriptRequest(world.image, 'echo one; echo x >../x.deb');
    // as a socket of the engine would say it
    const full = Object.assign(new Error('no space left'), { code: 'ECONNRESET' });
    const kept = keep();

    await assert.rejects(
      builder.run(
        request,
        { ...kept, keptLog: () => 0, writeLog: () => Promise.reject(full) },
        never,
      ),
      full,
    );
    await assert.rejects(
      builder.run(request, { ...keep(), artifact: () => Promise.reject(full) }, never),
      full,
    );
    assert.equal((await builder.run(request, kept, never)).result, 'Succeeded');
    assert.equal(kept.log, 'one\n');
  });

  for (const [what, script, message] of [
    [
      'a link',
      'mkdir ../results; ln -s /etc/passwd ../results/x',
      /x", which is a symlink and no file/,
    ],
    [
      'a second name',
      'mkdir ../results; echo a >../results/a; ln ../results/a ../results/b',
      /which is a link and no file/,
    ],
    ['a pipe', 'mkdir ../results; mkfifo ../results/x', /which is a fifo and no file/],
    ['a folder', 'mkdir -p ../results/x', /which is a directory and no file/],
    [
      'a name for a terminal',
      `mkdir ../results; touch "../results/$(printf 'a\\033[2J')"`,
      /a file with the name/,
    ],
    ['a hidden file', 'mkdir ../results; touch ../results/.x', /a file with the name/],
    ['too much', 'mkdir ../results; truncate -s 2M ../results/x', /more than 1048576 bytes/],
    [
      'too many',
      'mkdir ../results; for i in 1 2 3 4 5 6; do touch ../results/$i; done',
      /more than 5 files/,
    ],
    ['a file for the folder', 'touch ../results', /could not be moved|a file/],
  ] as const) {
    it(`refuses ${what} among its results`, async () => {
      const small = { ...limits, artifactBytes: 2 ** 20, artifacts: 5 };
      const request = scriptRequest(world.image, script, { limits: small });
      const kept = keep();
      const result = await builder.run(request, kept, never);

      assert.equal(result.result, 'FailedToBuild');
      assert.match('message' in result ? `${result.message} ${kept.log}` : '', message);
    });
  }

  it('does not follow a folder of results that leads elsewhere', async () => {
    const kept = keep();
    const request = scriptRequest(world.image, 'ln -s /etc ../results; echo x >../x.deb');
    const result = await builder.run(request, kept, never);

    assert.equal(result.result, 'Succeeded');
    assert.deepEqual(Object.keys(kept.files), ['x.deb']);
  });

  it('says what is wrong with a source that is refused, and leaves nothing behind', async () => {
    const request = scriptRequest(world.image, 'true');
    const kept = keep(() => treeOf({ '../x': 'x' }));

    await assert.rejects(builder.run(request, kept, never), {
      name: 'SourceInvalid',
      message: 'the source has a file with the name "../x"',
    });
    const names = await world.docker.listContainers({ all: true });
    assert.deepEqual(
      names.filter(({ Names }) => Names[0]?.endsWith(`-${request.id}`)),
      [],
    );
  });
});
