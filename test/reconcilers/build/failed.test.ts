import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CairnError, type Reason } from '../../../crds/reasons.ts';
import { failedAgain, type Failed } from '../../../reconcilers/build/failed.ts';

/** Seconds until the next try, for each of so many failures in a row. */
function pauses(reason: Reason, count: number): readonly number[] {
  let failed: Failed | undefined;
  return Array.from({ length: count }, () => {
    const before = Date.now();
    failed = failedAgain(failed, new CairnError(reason, 'not now'));
    return Math.round((failed.againAt - before) / 1000);
  });
}

describe('a Build that can not go on', () => {
  it('is tried less and less often', () => {
    assert.deepEqual(pauses('BuilderUnavailable', 8), [1, 2, 4, 8, 16, 32, 60, 60]);
    assert.deepEqual(pauses('DependencyNotReady', 6), [1, 2, 4, 8, 10, 10]);
  });
});
