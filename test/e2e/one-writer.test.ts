import assert from 'node:assert/strict';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { cairnCli } from '../world/cairn.ts';
import { tempDir } from '../world/temp.ts';
import { good, mirror, product, until } from './product.ts';

test('a second cairn on the same data directory refuses, and the first goes on serving', async (t) => {
  const { world, cairn } = await mirrored(t);
  const link = join(tempDir(t), 'link');
  symlinkSync(world.data, link);

  for (const data of [world.data, link]) {
    const args = ['--config', world.config, '--data', data, '--listen', '127.0.0.1:0'];
    const second = await cairnCli(['run', ...args]);
    assert.equal(second.code, 1);
    const who = `another Cairn (pid ${cairn.pid}, started `;
    assert.ok(second.stderr.includes(who), second.stderr);
    assert.ok(second.stderr.includes(`at ${cairn.url}) is using ${data}`), second.stderr);
    assert.doesNotMatch(second.stderr, /^ +at /m, 'no stack trace');
  }

  const apt = await world.apt(cairn, '/mirrors/demo');
  good(await apt.update());
  assert.equal(await apt.policy('hello'), '1.0');
});

test('a port that is taken is named, and the data directory is free again', async (t) => {
  const { world, cairn } = await mirrored(t);
  const { host } = new URL(cairn.url);
  const data = join(tempDir(t), 'data');

  const refused = await cairnCli(['run', '--data', data, '--listen', host]);

  assert.deepEqual([refused.code, refused.stdout], [1, '']);
  assert.match(
    refused.stderr,
    /^cairn: can't listen on 127.0.0.1:\d+: .* another program uses; .*--listen$/m,
  );
  assert.doesNotMatch(refused.stderr, /^ +at /m, 'no stack trace');
  const secure = ['--listen', '127.0.0.1:0', '--tls-listen', host];
  const other = await cairnCli(['run', '--data', data, ...secure]);
  assert.match(other.stderr, new RegExp(`can't listen on ${host}: .* --tls-listen$`, 'm'));
  await world.start({ data });
});

test('after kill -9 the next cairn starts at once and serves the same', async (t) => {
  const { world, cairn } = await mirrored(t);
  await cairn.kill('SIGKILL');

  const next = await world.start();

  const apt = await world.apt(next, '/mirrors/demo');
  good(await apt.update());
  assert.equal(await apt.policy('hello'), '1.0');
});

test('of two that start at the same instant, exactly one runs', async (t) => {
  const { world, cairn } = await mirrored(t);
  await cairn.kill('SIGKILL');

  const starts = await Promise.allSettled([world.start(), world.start()]);

  assert.deepEqual(starts.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
  const [refused] = starts.filter((start) => start.status === 'rejected');
  assert.match(String(refused?.reason), /another Cairn.* is using/);
});

async function mirrored(t: TestContext) {
  const world = await product(t);
  world.archive.add({ name: 'hello', version: '1.0' });
  await world.archive.publish();
  world.write('mirror.yaml', mirror(world));
  const cairn = await world.start();
  await until(cairn, 'mirror/demo');
  return { world, cairn };
}
