import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Breath } from '../../../controller/loop/breath.ts';

describe('breath', () => {
  it('lets what has arrived in, though work never waits for anything', async () => {
    const breath = new Breath();
    let hasArrived = false;
    setTimeout(() => (hasArrived = true), 20);
    const end = performance.now() + 5000;
    while (!hasArrived && performance.now() < end) await breath.take();
    assert.ok(hasArrived);
  });

  it('has one piece of work a turn while something urgent goes on, whoever asks', async () => {
    const breath = new Breath();
    let turns = 0;
    let isOver = false;
    const count = () => {
      turns += 1;
      if (!isOver) setImmediate(count);
    };
    setImmediate(count);
    await Promise.all(Array.from({ length: 50 }, () => breath.take(true)));
    isOver = true;
    assert.ok(turns >= 49, `${turns} turns`);
  });
});
