import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Build, BuildResult } from '../../../crds/build.ts';
import { isTriedAgain } from '../../../reconcilers/source/retry.ts';

const minute = 60_000;
const made = Date.parse('2026-11-01T00:00:00Z');

function build(result: BuildResult, attempt = 1): Build {
  return {
    metadata: { creationTimestamp: new Date(made).toISOString() },
    spec: { attempt },
    status: { result, finishedAt: new Date(made + minute).toISOString() },
  } as Build; // as much of it as is looked at
}

/** So many minutes after it was over. */
const after = (minutes: number, archivesChangedAt = 0) => ({
  now: new Date(made + minute + minutes * minute),
  archivesChangedAt,
  isLetGo: false,
});

describe('a Build that waits for a dependency', () => {
  it('is tried again later and later, and not for ever', () => {
    for (const result of ['DependencyWait', 'ChrootProblem'] as const) {
      assert.equal(isTriedAgain(build(result), after(4)), false);
      assert.equal(isTriedAgain(build(result), after(5)), true);
      assert.equal(isTriedAgain(build(result, 3), after(19)), false);
      assert.equal(isTriedAgain(build(result, 3), after(20)), true);
      assert.equal(isTriedAgain(build(result, 19), after(6 * 60)), true);
      assert.equal(isTriedAgain(build(result, 20), after(1e6, made + 1)), false);
    }
  });

  it('is tried again as soon as an archive has changed since it was made, in whole seconds', () => {
    assert.equal(isTriedAgain(build('DependencyWait', 9), after(0, made + 1)), true);
    assert.equal(isTriedAgain(build('DependencyWait', 9), after(0, made - 1000)), false);
  });

  it('is told from one that would end the same way', () => {
    for (const result of ['FailedToBuild', 'FailedToUpload', 'Cancelled', 'Superseded'] as const) {
      assert.equal(isTriedAgain(build(result), after(1e6, made + minute)), false, result);
    }
  });
});
