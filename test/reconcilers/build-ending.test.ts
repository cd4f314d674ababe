import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Build } from '../../crds/build.ts';
import { reportOf } from '../../reconcilers/build/report.ts';
import { tell } from '../../reconcilers/source/tell.ts';

const end = 'main.c:1:5: error: expected a declaration\nmake: *** [Makefile:2: hello] Error 1';
const logUrl = 'https://cairn.example.org/builds/default/hello-1/log';

function build(status: Partial<Build['status']>): Build {
  return {
    metadata: { name: 'hello-1' },
    spec: { commit: 'a'.repeat(40) },
    status,
  } as Build; // as much of it as is looked at
}

const failed = { result: 'FailedToBuild', message: `exit status 2\n${end}`, logUrl } as const;

describe('a Build that has failed', () => {
  it('says the end of its log in one condition, and in the others where the log is', () => {
    const { condition, failure } = reportOf(failed, build(failed));

    assert.equal(condition?.message, `FailedToBuild: exit status 2\n${end}`);
    assert.equal(failure?.message, `FailedToBuild: exit status 2 (its log: ${logUrl})`);
    const { logUrl: _, ...unserved } = failed;
    const told = reportOf(unserved, build(unserved)).failure?.message;
    assert.equal(told, 'FailedToBuild: exit status 2 (its log: cairn logs hello-1)');
  });

  it('is told of by its Source, with the end of the log below one line', () => {
    const { failure } = tell(build(failed));

    const line = `FailedToBuild: exit status 2 (its log: ${logUrl})`;
    assert.equal(failure?.message, `Build hello-1 of aaaaaaaaaaaa: ${line}\n${end}`);
  });

  it('refers to no log that has nothing to do with it', () => {
    const refused = {
      result: 'FailedToUpload',
      message: 'hello 1.0 is there already',
      logUrl,
    } as const;

    const told = 'FailedToUpload: hello 1.0 is there already';
    assert.equal(reportOf(refused, build(refused)).failure?.message, told);
    assert.equal(tell(build(refused)).failure?.message, `Build hello-1 of aaaaaaaaaaaa: ${told}`);
  });
});
