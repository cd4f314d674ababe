import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as immediate } from 'node:timers/promises';
import { sideBySide } from '../../../controller/sources/side-by-side.ts';

describe('work side by side', () => {
  it('is begun in order, and never more of it at a time than wanted', async () => {
    const begun: number[] = [];
    let [running, most] = [0, 0];
    await sideBySide([1, 2, 3, 4, 5], 2, async (item) => {
      begun.push(item);
      running += 1;
      most = Math.max(most, running);
      await immediate();
      running -= 1;
    });

    assert.deepEqual(begun, [1, 2, 3, 4, 5]);
    assert.equal(most, 2);
  });

  it('stops at a failure, which is thrown when what runs has ended', async () => {
    const ended: number[] = [];
    const working = sideBySide([1, 2, 3, 4], 2, async (item) => {
      if (item === 1) throw new Error('one');
      await immediate();
      ended.push(item);
    });

    await assert.rejects(working, /one/);
    assert.deepEqual(ended, [2]);
  });
});
