import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { backoffMs } from '../../../controller/loop/backoff.ts';
import { WorkQueue, type QueueOptions } from '../../../controller/loop/queue.ts';
import { HeldClock, turns } from './held-clock.ts';

describe('a work queue', () => {
  it('runs a key that is added many times while it waits once', async () => {
    const { queue, started, finish } = queueing({ workers: 1 });
    queue.add('busy');
    for (let count = 0; count < 10; count += 1) queue.add('a');

    await finish('busy');
    await finish('a');

    assert.deepEqual(started, ['busy', 'a']);
    assert.equal(queue.isQuiet(), true);
  });

  it('runs a key that is added while it runs exactly once more, and not beside itself', async () => {
    const { queue, started, finish } = queueing({});
    queue.add('a');
    for (let count = 0; count < 10; count += 1) queue.add('a');
    const before = [...started];

    await finish('a');
    await finish('a');

    assert.deepEqual([before, started], [['a'], ['a', 'a']]);
    assert.equal(queue.isQuiet(), true);
  });

  it('runs no more keys at once than it has workers', async () => {
    const { queue, started, finish } = queueing({ workers: 2 });
    for (const key of ['a', 'b', 'c']) queue.add(key);
    const before = [...started];

    await finish('a');

    assert.deepEqual(
      [before, started],
      [
        ['a', 'b'],
        ['a', 'b', 'c'],
      ],
    );
  });

  it('takes what a person changed first, then what follows from it, then the rest', async () => {
    const { queue, started, finishAll } = queueing({ workers: 1 });
    queue.add('busy');
    queue.add('periodic', 2);
    queue.add('dependent', 1);
    queue.add('edited', 0);
    queue.add('first', 2);
    queue.add('first', 0);

    await finishAll();

    assert.deepEqual(started, ['busy', 'edited', 'first', 'dependent', 'periodic']);
  });

  it('starves neither old looks by edits nor edits by old looks', async () => {
    const clock = new HeldClock();
    const { queue, started, finishAll } = queueing({ workers: 1, clock });
    queue.add('busy');
    for (const key of ['old1', 'old2', 'old3']) queue.add(key, 2);
    await clock.pass(30_001);
    for (const key of ['edit1', 'edit2', 'edit3']) queue.add(key, 0);

    await finishAll();

    assert.deepEqual(started, ['busy', 'old1', 'edit1', 'old2', 'edit2', 'old3', 'edit3']);
  });

  it('comes back at the earliest of the times that were asked for', async () => {
    const clock = new HeldClock();
    const { queue, started, finish } = queueing({ clock });
    queue.addAfter('a', 5_000);
    queue.addAfter('a', 1_000);
    queue.addAfter('a', 3_000);

    await clock.pass(999);
    assert.deepEqual(started, []);
    await clock.pass(1);
    await finish('a');
    await clock.pass(60_000);

    assert.deepEqual(started, ['a']);
  });

  it('forgets an earlier wish once the key has run', async () => {
    const clock = new HeldClock();
    const { queue, started, finish } = queueing({ clock });
    queue.addAfter('a', 5_000);
    queue.add('a');
    await finish('a');

    await clock.pass(60_000);

    assert.deepEqual(started, ['a']);
  });

  it('doubles its back-off from 750 ms to 15 minutes, and starts anew after a success', async () => {
    const clock = new HeldClock();
    const { queue, finish } = queueing({ clock, random: () => 1 });
    const delays: (number | undefined)[] = [];

    for (let count = 0; count < 13; count += 1) {
      queue.retry('a');
      delays.push(clock.nextIn());
      await clock.pass(clock.nextIn() ?? 0);
      await finish('a');
    }
    queue.forgive('a');
    queue.retry('a');

    assert.deepEqual(delays.slice(0, 4), [750, 1500, 3000, 6000]);
    assert.deepEqual(delays.slice(-2), [900_000, 900_000]);
    assert.equal(clock.nextIn(), 750);
  });

  it('never waits longer than 15 minutes nor less than half of the back-off', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1e6 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (n, r) => {
          const ms = backoffMs(n, r);
          return ms >= 375 && ms <= 900_000;
        },
      ),
    );
  });

  it('drops a key that is gone, with its timers', async () => {
    const clock = new HeldClock();
    const { queue, started } = queueing({ clock, workers: 1 });
    queue.add('busy');
    queue.add('a');
    queue.addAfter('b', 10);
    queue.drop('a');
    queue.drop('b');

    await clock.pass(1_000);

    assert.deepEqual(started, ['busy']);
    assert.equal(queue.stats().depth[1], 0);
  });

  it('stops: takes nothing in, aborts what runs, and waits for it', async () => {
    const clock = new HeldClock();
    const { queue, started, signals, finish } = queueing({ clock, workers: 1 });
    queue.add('a');
    queue.add('b');
    queue.addAfter('c', 10);

    const stopped = queue.shutdown(1_000);
    queue.add('d');
    await clock.pass(100);
    await finish('a');

    assert.deepEqual(await stopped, []);
    assert.equal(signals[0]?.aborted, true);
    assert.deepEqual(started, ['a']);
  });

  it('does not wait for ever, and names what would not stop', async () => {
    const clock = new HeldClock();
    const { queue } = queueing({ clock });
    queue.add('stuck');

    const stopped = queue.shutdown(1_000);
    await clock.pass(1_000);

    assert.deepEqual(await stopped, ['stuck']);
  });

  it('tells how much waits and how long things run', async () => {
    const clock = new HeldClock();
    const { queue } = queueing({ clock, workers: 1 });
    queue.add('a');
    queue.add('b', 0);
    queue.add('c', 2);

    await clock.pass(2_000);

    assert.deepEqual(queue.stats(), {
      depth: { 0: 1, 1: 0, 2: 1 },
      oldestWaitMs: 2_000,
      running: new Map([['a', 2_000]]),
      idleWorkers: 0,
    });
  });

  it('runs every key after its last add, whatever the order of things', async () => {
    const keys = fc.constantFrom('a', 'b', 'c');
    const step = fc.oneof(
      fc.record({ do: fc.constant('add' as const), key: keys, priority: fc.constantFrom(0, 1, 2) }),
      fc.record({ do: fc.constant('finish' as const), key: keys }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const { queue, started, most, running, finish, finishAll } = queueing({ workers: 2 });
        const startsAtLastAdd = new Map<string, number>();
        const startsOf = (key: string) => started.filter((one) => one === key).length;
        for (const one of steps) {
          if (one.do === 'add') {
            startsAtLastAdd.set(one.key, startsOf(one.key));
            queue.add(one.key, one.priority);
          } else if (running.has(one.key)) await finish(one.key);
        }
        await finishAll();

        for (const [key, before] of startsAtLastAdd) assert.ok(startsOf(key) > before);
        assert.ok(most() <= 2);
      }),
      { numRuns: 100 },
    );
  });
});

/** A queue whose work ends when the test says so. Running a key beside itself throws. */
function queueing(options: Partial<QueueOptions>) {
  const started: string[] = [];
  const signals: AbortSignal[] = [];
  const running = new Map<string, () => void>();
  let most = 0;
  const queue = new WorkQueue({
    clock: new HeldClock(),
    ...options,
    work(key, signal) {
      assert.equal(running.has(key), false, `${key} runs twice at once`);
      const { promise, resolve } = Promise.withResolvers<void>();
      started.push(key);
      signals.push(signal);
      running.set(key, resolve);
      most = Math.max(most, running.size);
      return promise;
    },
  });
  const finish = async (key: string) => {
    const end = running.get(key);
    assert.ok(end, `${key} does not run`);
    running.delete(key);
    end();
    await turns();
  };
  const finishAll = async () => {
    for (let key; (key = running.keys().next().value) !== undefined;) await finish(key);
  };
  return { queue, started, signals, running, most: () => most, finish, finishAll };
}
