import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { endOfLog } from '../../../reconcilers/build/log.ts';
import { tempDir, type Scope } from '../../world/temp.ts';

function endOf(t: Scope, text: string): Promise<string> {
  const file = join(tempDir(t), 'log');
  writeFileSync(file, text);
  return endOfLog(file);
}

const numbered = (count: number, what: string) =>
  Array.from({ length: count }, (_, at) => `${what} ${at}`);

describe('the end of the log of a Build', () => {
  it('is its last lines, without what terminals act on', async (t) => {
    const end = await endOf(t, [...numbered(100, 'line'), '\u001b[31mred\u0007', ''].join('\r\n'));

    assert.deepEqual(end.split('\n'), [...numbered(100, 'line').slice(-29), '[31mred']);
    assert.equal(await endOf(t, ''), '');
  });

  it('has the reason why a project can not be configured, not the files that debhelper shows', async (t) => {
    for (const [shown, command] of [
      ['CMakeCache.txt', 'cd obj-x86_64-linux-gnu && cmake'],
      ['config.log', './configure'],
    ]) {
      const end = await endOf(
        t,
        [
          ...numbered(100, '-- looking for'),
          'error: Could NOT find Lua51',
          `\tcd obj && tail -v -n \\+0 ${shown}`,
          `==> ${shown} <==`,
          ...numbered(9000, 'configure: error: is not it'),
          `dh_auto_configure: error: ${command}${' -DOPTION=x'.repeat(100)} returned exit code 1`,
          'make: *** [debian/rules:5: binary] Error 2',
        ].join('\n'),
      );
      const lines = end.split('\n');

      assert.equal(lines.at(-3), 'error: Could NOT find Lua51');
      assert.match(lines.at(-2) ?? '', /^dh_auto_configure: error: /);
      assert.doesNotMatch(end, /is not it/);
    }
  });

  it('is what a build has shown itself, when that was not the end of it', async (t) => {
    const shown = ['\ttail -v -n +0 notes', '==> notes <==', 'a note', 'the end'];

    assert.equal(await endOf(t, shown.join('\n')), shown.join('\n'));
  });
});
