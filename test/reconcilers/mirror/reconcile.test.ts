import assert from 'node:assert/strict';
import { test } from 'node:test';
import { annotations } from '../../../crds/object.ts';
import { CairnError } from '../../../crds/reasons.ts';
import { ThreadError } from '../../../reconcilers/threads/caller.ts';
import { ScriptedMirror, settled } from './scripted-runner.ts';

const unreachable = () => new CairnError('UpstreamUnreachable', 'deb.example.org: no answer');
const hour = 3_600_000;

test('a new mirror is refreshed at once, and is ready when that is done', async () => {
  const world = new ScriptedMirror();

  const first = await world.run();
  assert.equal(world.calls.length, 1);
  assert.equal(first.progressing, true);
  assert.equal(first.status.refreshInProgress, true);
  const ready = await world.succeed('a');

  assert.equal(ready.progressing, false);
  assert.equal(ready.failure, undefined);
  assert.match(ready.message, /Holds bookworm of 2026-08-01: 1 pool files/);
  assert.deepEqual(
    ready.events?.map(({ reason }) => reason),
    ['Refreshed'],
  );
  assert.equal(ready.again?.ms, hour);
  assert.deepEqual(world.told, ['good 2026-08-01T12:00:00.000Z']);
});

test('how far a refresh is shows in the status, for as long as it runs', async () => {
  const world = new ScriptedMirror();
  await world.run();
  const progress = { phase: 'Pool', files: 1, filesTotal: 2, bytes: 3, bytesTotal: 4 };
  world.last.progress({ ...progress, bytesPerSecond: 5 });
  assert.equal(world.pokes, 1);

  assert.equal((await world.run()).status.progress?.phase, 'Pool');
  assert.equal((await world.succeed('a')).status.progress, undefined);
});

test('a look at upstream that finds nothing new leaves the status as it is', async () => {
  const world = new ScriptedMirror();
  await world.run();
  await world.succeed('a');
  const { status } = world.mirror;
  const [before, looks] = [world.pokes, world.calls.length];
  const none = { files: 0, filesTotal: 0, bytes: 0, bytesTotal: 0, bytesPerSecond: 0 };

  world.wait(hour);
  const during = await world.run();
  world.last.progress({ phase: 'Release', ...none });
  assert.equal(world.pokes, before, 'nobody is woken for it');
  const after = await world.succeed('a', false);
  world.restart();
  const again = await world.run();

  assert.deepEqual([during.status, after.status, again.status], [status, status, status]);
  assert.equal(world.calls.length, looks + 2);
});

test('a refresh shows once it has found something, and at once when it was asked for', async () => {
  const world = new ScriptedMirror();
  await world.run();
  await world.succeed('a');
  world.wait(hour);
  await world.run();
  const none = { files: 0, filesTotal: 0, bytes: 0, bytesTotal: 0, bytesPerSecond: 0 };
  world.last.progress({ phase: 'Indexes', ...none });
  assert.equal((await world.run()).status.refreshInProgress, true);
  await world.succeed('b');

  assert.equal((await world.run('please')).status.refreshInProgress, true);
});

test('a failure stays told after a restart, until a refresh has ended', async () => {
  const world = new ScriptedMirror();
  await world.run();
  await world.fail(unreachable());
  const { status } = world.mirror;
  world.mirror = { ...world.mirror, status: { ...status, conditions: [notReady] } };

  world.restart();
  const report = await world.run();

  assert.equal(report.failure?.reason, 'UpstreamUnreachable');
  assert.equal(report.failure?.message, notReady.message);
  assert.equal(report.status.refreshInProgress, false);
  assert.equal(report.progressing, false);
  assert.equal(world.calls.length, 2, 'it looks again at once');
  assert.equal((await world.succeed('a')).failure, undefined);
});

const notReady = {
  type: 'Ready',
  status: 'False' as const,
  reason: 'UpstreamUnreachable',
  message: 'deb.example.org: no answer',
  observedGeneration: 1,
  lastTransitionTime: '2026-08-01T12:00:00Z',
};

test('a spec that wants other files stops the refresh that runs, and starts another', async () => {
  const world = new ScriptedMirror();
  await world.run();
  const [old] = world.calls;
  world.edit({ architectures: ['amd64'] });

  const report = await world.run();

  assert.equal(old?.signal.aborted, true);
  assert.equal(world.calls.length, 2);
  assert.deepEqual(world.last.request.spec.architectures, ['amd64']);
  assert.equal(report.progressing, true);
});

test('what a stopped refresh still brings is not taken', async () => {
  const world = new ScriptedMirror();
  await world.run();
  const [old] = world.calls;
  world.edit({ architectures: ['amd64'] });
  await world.run();
  old?.reject(unreachable());
  await settled();

  const report = await world.run();

  assert.equal(world.pokes, 0);
  assert.equal(report.failure, undefined);
  assert.equal(report.status.refreshInProgress, true);
  assert.deepEqual(world.told, []);
});

test('a spec that changes how a mirror is fetched does not stop the refresh that runs', async () => {
  const world = new ScriptedMirror();
  await world.run();
  world.edit({ interval: '5m', limits: { connections: 2 } });
  await world.run();
  assert.equal(world.calls.length, 1);
  assert.equal(world.last.signal.aborted, false);

  const ready = await world.succeed('a');

  assert.equal(ready.progressing, false);
  assert.equal(ready.status.state?.generation, 2);
});

test('the last state stays when the spec changes, and when refreshes fail', async () => {
  const world = new ScriptedMirror();
  await world.run();
  const { state } = (await world.succeed('a')).status;
  world.edit({ architectures: ['amd64'] });

  const changing = await world.run();
  assert.equal(changing.progressing, true);
  assert.deepEqual(changing.status.state, state);
  const failed = await world.fail(unreachable());

  assert.equal(failed.failure?.reason, 'UpstreamUnreachable');
  assert.deepEqual(failed.status.state, state);
});

test('a mirror that goes stops its refresh and is forgotten', async () => {
  const world = new ScriptedMirror();
  await world.run();

  world.forget();

  assert.equal(world.last.signal.aborted, true);
  assert.deepEqual(world.told, ['forgotten']);
  world.last.reject(unreachable());
  await settled();
  assert.equal(world.pokes, 0);
});

test('a suspended mirror begins no refresh, and tells how the one of before ended', async () => {
  const world = new ScriptedMirror();
  await world.run();
  world.edit({ suspend: true });
  const during = await world.run();
  assert.equal(during.status.refreshInProgress, true);
  assert.equal(world.isBusy, true);
  const ended = await world.succeed('a');

  assert.equal(ended.failure, undefined);
  assert.equal(ended.status.refreshInProgress, false);
  assert.equal(ended.again, undefined);
  assert.equal(world.isBusy, false);
  assert.equal(world.calls.length, 1);
});

test('a mirror that was suspended before it was complete, and a restart, speaks of no refresh', async () => {
  const world = new ScriptedMirror();
  await world.run();
  world.edit({ suspend: true });
  await world.run();
  world.restart();
  assert.equal(world.isBusy, true);

  const report = await world.run();

  assert.equal(report.progressing, false);
  assert.equal(report.failure?.reason, 'Suspended');
  assert.equal(report.status.refreshInProgress, false);
  assert.equal(world.isBusy, false);
  world.edit({});
  assert.equal((await world.run()).progressing, true);
});

for (const spec of [{ interval: '1h' }, { schedule: '0 3 * * *' }]) {
  test(`a clock that is set back stops nothing: ${Object.keys(spec).join()}`, async () => {
    const world = new ScriptedMirror(spec);
    await world.run();
    await world.succeed('a');
    world.wait(30 * 24 * hour);
    await world.run();
    await world.succeed('b');
    assert.equal(world.calls.length, 2);

    world.wait(-20 * 24 * hour);
    await world.run();
    const { again } = await world.succeed('c');

    assert.equal(world.calls.length, 3);
    assert.ok((again?.ms ?? Infinity) <= 24 * hour);
    await world.run();
    assert.equal(world.calls.length, 3);
  });
}

test('failures are tried again less and less often', async () => {
  const world = new ScriptedMirror();
  await world.run();
  const waits: (number | undefined)[] = [];
  for (let failures = 1; failures <= 4; failures += 1) {
    const { again } = await world.fail(unreachable());
    waits.push(again?.ms);
    assert.equal(world.calls.length, failures);
    world.wait((again?.ms ?? 0) + 1);
    await world.run();
  }

  assert.deepEqual(waits, [2000, 4000, 8000, 16_000]);
});

const edits: readonly [what: string, edit: (world: ScriptedMirror) => void][] = [
  [
    'its proxy',
    (world) => world.edit({ proxy: 'http://proxy:3128', secretRef: { name: 'login' } }),
  ],
  ['its limits', (world) => world.edit({ limits: { retries: 9 }, secretRef: { name: 'login' } })],
  ['its secret', (world) => void (world.secrets['login'] = { password: 'new' })],
];

for (const [what, edit] of edits) {
  test(`a mirror that failed is tried again as soon as ${what} is another`, async () => {
    const world = new ScriptedMirror({ secretRef: { name: 'login' } });
    world.secrets['login'] = { password: 'old' };
    await world.run();
    for (let failures = 0; failures < 5; failures += 1) {
      await world.fail(unreachable());
      world.wait(20 * 60_000);
      await world.run();
    }
    await world.fail(unreachable());
    const before = world.calls.length;
    assert.equal((await world.run()).status.refreshInProgress, false);

    edit(world);
    await world.run();
    assert.equal(world.calls.length, before + 1);
    await world.fail(unreachable());

    await world.run();
    assert.equal(world.calls.length, before + 1, 'once, not for ever');
  });
}

test('a secret that was rotated counts from the next refresh on', async () => {
  const world = new ScriptedMirror({ secretRef: { name: 'login' } });
  world.secrets['login'] = { username: 'me', password: 'old' };
  await world.run();
  await world.succeed('a');
  world.secrets['login'] = { username: 'me', password: 'new' };
  await world.run();
  assert.equal(world.calls.length, 1, 'all is well: there is no hurry');
  world.wait(hour);

  await world.run();

  assert.equal(world.last.request.credentials?.password, 'new');
});

test('a secret that is not there is named, and nothing is fetched', async () => {
  const world = new ScriptedMirror({ secretRef: { name: 'login' } });

  await assert.rejects(world.run(), { reason: 'SecretMissing', message: /secret login/ });
  assert.equal(world.calls.length, 0);
});

test('keys come from a secret, and other keys make another state', async () => {
  const world = new ScriptedMirror({ signedBy: { secretRef: { name: 'keys', key: 'debian' } } });
  world.secrets['keys'] = { debian: 'old keys' };
  await world.run();
  assert.equal(world.last.request.keyring, 'old keys');
  await world.succeed('a');
  world.secrets['keys'] = { debian: 'new keys' };

  const report = await world.run();

  assert.equal(report.progressing, true);
  assert.equal(world.last.request.keyring, 'new keys');
});

test('a request is answered by a refresh that began after it', async () => {
  const world = new ScriptedMirror();
  await world.run();
  await world.run('please'); // while the first refresh runs
  assert.equal(world.mirror.status.lastHandledReconcileAt, undefined);
  world.last.resolve({ ...(await refreshedOf(world)) });
  await settled();

  await world.run('please');
  assert.equal(world.calls.length, 2);
  assert.equal(world.mirror.status.lastHandledReconcileAt, undefined);
  await world.succeed('a', false);

  assert.equal(world.mirror.status.lastHandledReconcileAt, 'please');
  await world.run('please');
  assert.equal(world.calls.length, 2);
});

/** What the first refresh of another such mirror brings. */
async function refreshedOf({ mirror }: ScriptedMirror) {
  const other = new ScriptedMirror();
  await other.run();
  const { status } = await other.succeed('a');
  assert.ok(status.state && mirror.spec.url === status.state.url);
  const none = { added: 0, removed: 0, fetchedFiles: 0, fetchedBytes: 0, warnings: [] };
  return { ...none, state: status.state, changed: true };
}

test('a refresh that is held goes on once a person has approved it', async () => {
  const world = new ScriptedMirror();
  await world.run();
  await world.succeed('a');
  world.wait(hour);
  await world.run();
  const detail = { digest: 'd'.repeat(64), vanishing: 30, of: 40 };
  const held = await world.fail(new ThreadError({ reason: 'ShrinkHeld', message: 'held', detail }));
  assert.deepEqual(held.status.shrink, detail);
  const before = world.calls.length;

  world.annotate({ [annotations.shrinkApproved]: detail.digest });
  await world.run();

  assert.equal(world.calls.length, before + 1);
  assert.equal(world.last.request.shrinkApproved, detail.digest);
  assert.equal((await world.succeed('b')).status.shrink, undefined);
});

test('remembers the states before for two days, and ten of them at most', async () => {
  const world = new ScriptedMirror();
  await world.run();
  await world.succeed('0');
  for (const tree of '123456789abc') {
    world.wait(hour);
    await world.run();
    await world.succeed(tree);
  }
  const trees = () => world.mirror.status.predecessors?.map(({ tree }) => tree[0]).join('');
  assert.equal(trees(), 'ba98765432');

  world.wait(47 * hour);
  await world.run();
  await world.succeed('d');
  assert.equal(trees(), 'cb');
});

test('a scheduled mirror does not run again after a restart, until its time comes', async () => {
  const world = new ScriptedMirror({ schedule: '0 3 * * *' });
  await world.run();
  const ready = await world.succeed('a');
  assert.equal(ready.status.lastScheduledAt, '2026-08-01T12:00:00Z');
  assert.deepEqual(ready.again, { ms: 15 * hour, exact: true });

  world.restart();
  await world.run();
  assert.equal(world.calls.length, 1);
  world.wait(15 * hour);
  await world.run();

  assert.equal(world.calls.length, 2);
});

test('a mirror with an interval looks again after a restart', async () => {
  const world = new ScriptedMirror();
  await world.run();
  await world.succeed('a');

  world.restart();
  const report = await world.run();

  assert.equal(world.calls.length, 2);
  assert.equal(report.progressing, false, 'it is ready meanwhile');
});
