import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { FairQueue, nextInTurn } from '../../builders/fair-queue.ts';

const none = new Map<string, number>();

describe('whose turn it is', () => {
  it('is that of the one who came first, among equals', () => {
    const waiting = [
      { key: 'b', since: 2 },
      { key: 'a', since: 1 },
    ];
    assert.equal(nextInTurn(waiting, none, none)?.key, 'a');
  });

  it('is that of a key with fewer running, however late it came', () => {
    const waiting = [
      { key: 'noisy', since: 1 },
      { key: 'quiet', since: 99 },
    ];
    assert.equal(nextInTurn(waiting, new Map([['noisy', 1]]), none)?.key, 'quiet');
  });

  it('is that of the key that was served longest ago, when they run as many', () => {
    const waiting = [
      { key: 'a', since: 1 },
      { key: 'b', since: 2 },
    ];
    const served = new Map([
      ['a', 7],
      ['b', 3],
    ]);
    assert.equal(nextInTurn(waiting, none, served)?.key, 'b');
  });
});

describe('a fair queue', () => {
  it('lets so many run and no more, and all in the end', async () => {
    const keys = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(keys, fc.integer({ min: 1, max: 4 }), async (asked, limit) => {
        const queue = new FairQueue(limit);
        let [running, most, done] = [0, 0, 0];
        await Promise.all(
          asked.map(async (key) => {
            const leave = await queue.acquire(key);
            running += 1;
            most = Math.max(most, running);
            await new Promise(setImmediate);
            running -= 1;
            done += 1;
            leave();
            leave();
          }),
        );
        assert.ok(most <= limit);
        assert.equal(done, asked.length);
        assert.deepEqual(queue.size, { running: 0, waiting: 0 });
      }),
    );
  });

  it('gives a key that comes late every other turn', async () => {
    const queue = new FairQueue(1);
    const served: string[] = [];
    const ask = async (key: string) => {
      const leave = await queue.acquire(key);
      served.push(key);
      await new Promise(setImmediate);
      leave();
    };
    await Promise.all([...Array(4).fill('noisy'), 'quiet', 'quiet'].map(ask));

    assert.deepEqual(served, ['noisy', 'quiet', 'noisy', 'quiet', 'noisy', 'noisy']);
  });

  it('forgets who gives up, also who has given up before', async () => {
    const queue = new FairQueue(1);
    const leave = await queue.acquire('a');
    const stop = new AbortController();
    const waiting = queue.acquire('b', stop.signal);
    stop.abort(new Error('not any more'));

    await assert.rejects(waiting, /not any more/);
    await assert.rejects(queue.acquire('b', stop.signal), /not any more/);
    assert.deepEqual(queue.size, { running: 1, waiting: 0 });
    leave();
    (await queue.acquire('c'))();
  });

  it('counts what runs already, even beyond the limit', async () => {
    const queue = new FairQueue(1);
    const leave = [queue.occupy('a'), queue.occupy('a')];
    let came = false;
    const waiting = queue.acquire('b').then(() => (came = true));
    leave[0]?.();
    await new Promise(setImmediate);
    assert.equal(came, false);
    leave[1]?.();
    await waiting;
  });

  it('has a limit of one at least', () => {
    for (const limit of [0, -1, 1.5, Number.NaN]) {
      assert.throws(() => new FairQueue(limit), RangeError);
    }
  });
});
