import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ConfigSource } from '../../crds/config-source.ts';
import type { Mirror } from '../../crds/mirror.ts';
import { annotations, conditionOf, isReady } from '../../crds/object.ts';
import type { Cairn } from '../world/cairn.ts';
import {
  eventually,
  good,
  mirror,
  mirrorSet,
  objectOf,
  product,
  refreshed,
  snapshot,
  until,
  type Product,
} from './product.ts';

async function mirrored(t: TestContext, spec: Readonly<Record<string, unknown>> = {}) {
  const world = await product(t);
  world.archive.add({ name: 'hello', version: '1.0' });
  await world.archive.publish();
  world.write('mirror.yaml', mirror(world, spec));
  const cairn = await world.start();
  await until(cairn, 'mirror/demo');
  return { world, cairn };
}

async function publish({ archive }: Product, version: string): Promise<void> {
  archive.add({ name: 'hello', version });
  await archive.publish();
}

async function demo(cairn: Cairn): Promise<Mirror> {
  const found = await objectOf<Mirror>(cairn, 'mirrors', 'demo');
  assert.ok(found);
  return found;
}

async function readyOf(cairn: Cairn) {
  return conditionOf(await demo(cairn), 'Ready');
}

function releases({ upstream }: Product): number {
  return upstream.requestsFor(/InRelease$/).length;
}

test('a mirror follows its upstream, with one conditional request when nothing changed', async (t) => {
  const { world, cairn } = await mirrored(t, { interval: '1s' });
  const apt = await world.apt(cairn, '/mirrors/demo');
  world.upstream.forgetRequests();
  await eventually(() => releases(world) >= 2, 'it asks again and again');
  assert.ok(world.upstream.requests.every(({ status }) => status === 304));
  const { resourceVersion } = (await demo(cairn)).metadata;

  await publish(world, '2.0');

  await eventually(async () => {
    good(await apt.update());
    return (await apt.policy('hello')) === '2.0';
  }, 'apt sees the new version');
  assert.notEqual((await demo(cairn)).metadata.resourceVersion, resourceVersion);
});

test('a schedule decides when to look, and suspend stops it all', async (t) => {
  const schedule = { interval: undefined, schedule: '0 3 29 2 *', timeZone: 'Europe/Berlin' };
  const { world, cairn } = await mirrored(t, schedule);
  world.upstream.forgetRequests();
  await publish(world, '2.0');

  await refreshed(cairn); // a person may ask at any time
  assert.equal(releases(world), 1);

  world.write('mirror.yaml', mirror(world, { interval: '1s', suspend: true }));
  await until(cairn, 'mirror/demo', '--for=jsonpath={.spec.suspend}=true');
  await sleep(1500); // one that was on its way may end
  world.upstream.forgetRequests();
  await publish(world, '3.0');
  await sleep(2500);
  assert.equal(releases(world), 0);
  const apt = await world.apt(cairn, '/mirrors/demo');
  good(await apt.update());
  assert.equal(await apt.policy('hello'), '2.0');

  world.write('mirror.yaml', mirror(world, { interval: '1s' }));
  await eventually(async () => {
    good(await apt.update());
    return (await apt.policy('hello')) === '3.0';
  }, 'it goes on');
});

test('a mirror suspended under a running refresh shows how that ended, and can be frozen', async (t) => {
  const { world, cairn } = await mirrored(t);
  await publish(world, '2.0');
  const answer = Promise.withResolvers<void>();
  world.upstream.fault(/hello_2/, { until: answer.promise });
  await cairn.cli('reconcile', 'mirror/demo');
  await until(cairn, 'mirror/demo', '--for=jsonpath={.status.refreshInProgress}=true');

  world.write('mirror.yaml', mirror(world, { suspend: true }));
  await until(cairn, 'mirror/demo', '--for=jsonpath={.spec.suspend}=true');
  assert.equal((await demo(cairn)).status.refreshInProgress, true);
  answer.resolve();
  await until(cairn, 'mirror/demo', '--for=jsonpath={.status.refreshInProgress}=false');
  assert.equal((await readyOf(cairn))?.status, 'True');
  assert.equal((await demo(cairn)).status.progress, undefined);

  await publish(world, '3.0');
  world.write('mirror.yaml', mirror(world, { suspend: true, interval: '1s' }));
  world.write('set.yaml', mirrorSet);
  world.write('base-1.yaml', snapshot('base-1'));
  await until(cairn, 'snapshot/base-1');
  const apt = await world.apt(cairn, '/snapshots/base-1');
  good(await apt.update());
  assert.equal(await apt.policy('hello'), '2.0');
});

test('a schedule that can not be is refused, and what is there stays in service', async (t) => {
  const { world, cairn } = await mirrored(t);
  const { state } = (await demo(cairn)).status;
  world.upstream.forgetRequests();
  const changed = { architectures: ['amd64'], interval: undefined };

  for (const [spec, wrong] of [
    [{ schedule: '61 25 * * *' }, /^mirror\.yaml:4:\d+: .*"61 25/],
    [{ schedule: '0 3 * * *', timeZone: 'Mars/Olympus' }, /^mirror\.yaml:4:\d+: .*"Mars/],
  ] as const) {
    world.write('mirror.yaml', mirror(world, { ...changed, ...spec }));
    await eventually(async () => {
      const source = await objectOf<ConfigSource>(cairn, 'configsources', 'config');
      return wrong.test((source && conditionOf(source, 'Ready')?.message) ?? '');
    }, 'it is refused where it is written');
  }

  // A day that never comes is found out when the next one is looked for.
  world.write('mirror.yaml', mirror(world, { ...changed, schedule: '0 3 31 2 *' }));
  await until(cairn, 'mirror/demo', '--for=condition=Stalled');
  const ready = await readyOf(cairn);
  assert.equal(ready?.reason, 'SpecInvalid');
  assert.match(ready.message, /0 3 31 2 \*/);

  assert.deepEqual((await demo(cairn)).status.state, state);
  assert.equal(releases(world), 0);
  world.write('mirror.yaml', mirror(world, { ...changed, schedule: '0 3 * * *' }));
  await until(cairn, 'mirror/demo', 'configsource/config');
});

test('a request to reconcile is answered when the refresh is over, and not before', async (t) => {
  const { world, cairn } = await mirrored(t);
  await publish(world, '2.0');
  const answer = Promise.withResolvers<void>();
  world.upstream.fault(/\.deb$/, { until: answer.promise });

  const asked = cairn.cli('reconcile', 'mirror/demo', '--wait');
  await eventually(async () => (await demo(cairn)).status.refreshInProgress === true, 'it runs');
  const during = await demo(cairn);
  const token = during.metadata.annotations?.[annotations.reconcile];
  assert.ok(token !== undefined);
  assert.notEqual(during.status.lastHandledReconcileAt, token);
  assert.ok(isReady(during), 'the last state is good meanwhile');

  answer.resolve();
  assert.equal((await asked).code, 0);
  const after = await demo(cairn);
  assert.equal(after.status.lastHandledReconcileAt, token);
  assert.notEqual(after.status.state?.tree, during.status.state?.tree);
});

test('people see how far a refresh is', async (t) => {
  const { world, cairn } = await mirrored(t);
  for (let index = 0; index < 40; index += 1) {
    world.archive.add({ name: `package-${index}`, version: '1.0' });
  }
  await world.archive.publish();
  const last = Promise.withResolvers<void>();
  world.upstream.fault(/package-39_/, { until: last.promise });

  await cairn.cli('reconcile', 'mirror/demo');
  let seen: Mirror['status'] = {};
  await eventually(async () => {
    seen = (await demo(cairn)).status;
    return seen.progress?.phase === 'Pool' && seen.progress.files > 0;
  }, 'progress in the middle of the pool');
  assert.equal(seen.refreshInProgress, true);
  const { files = 99, filesTotal = 0, bytes = 0, bytesTotal = 0 } = seen.progress ?? {};
  assert.ok(filesTotal >= 40 && files < filesTotal && bytes < bytesTotal);

  last.resolve();
  await eventually(async () => (await demo(cairn)).status.refreshInProgress === false, 'its end');
  assert.equal((await demo(cairn)).status.progress, undefined);
});

test('while upstream fails the last good state is served; it recovers by itself', async (t) => {
  const { world, cairn } = await mirrored(t, { interval: '1s', limits: { retries: 0 } });
  const apt = await world.apt(cairn, '/mirrors/demo');
  await publish(world, '2.0');
  const failures: [Parameters<typeof world.upstream.fault>[1], RegExp, RegExp][] = [
    [{ status: 503 }, /InRelease/, /^Upstream(Refused|Unreachable)$/],
    [{ corrupt: true }, /InRelease/, /^(SignatureInvalid|ReleaseInvalid)$/],
    [{ status: 404 }, /hello_3/, /^FileMissing$/],
  ];
  await eventually(async () => {
    good(await apt.update());
    return (await apt.policy('hello')) === '2.0';
  }, 'the state before');
  for (const [fault, path, reason] of failures) {
    const repair = world.upstream.fault(path, fault);
    await publish(world, '3.0');
    await eventually(async () => {
      const ready = await readyOf(cairn);
      return ready?.status === 'False' && reason.test(ready.reason);
    }, `Ready is False because of ${reason}`);
    good(await apt.update());
    assert.equal(await apt.policy('hello'), '2.0');
    world.archive.remove('hello', '3.0');
    await world.archive.publish();
    repair();
    await eventually(async () => isReady(await demo(cairn)), 'it recovers');
  }
});

test('an upstream that lost most of its packages is not followed before somebody approves', async (t) => {
  const world = await product(t);
  for (let index = 0; index < 30; index += 1) {
    world.archive.add({ name: `package-${index}`, version: '1.0' });
  }
  await world.archive.publish();
  world.write('mirror.yaml', mirror(world, { interval: '1s' }));
  const cairn = await world.start();
  await until(cairn, 'mirror/demo');
  const apt = await world.apt(cairn, '/mirrors/demo');

  for (let index = 1; index < 30; index += 1) world.archive.remove(`package-${index}`);
  await world.archive.publish();
  await eventually(async () => (await readyOf(cairn))?.reason === 'ShrinkHeld', 'it is held');
  const { shrink } = (await demo(cairn)).status;
  assert.ok(shrink && shrink.vanishing >= 29 && shrink.vanishing <= shrink.of);
  good(await apt.update());
  assert.equal(await apt.policy('package-29'), '1.0');

  const approved = await cairn.cli('approve', 'mirror/demo');
  assert.equal(approved.code, 0, approved.output);
  await until(cairn, 'mirror/demo');
  good(await apt.update());
  assert.equal(await apt.policy('package-29'), undefined);
  assert.equal(await apt.policy('package-0'), '1.0');
  assert.equal((await demo(cairn)).status.shrink, undefined);
});
