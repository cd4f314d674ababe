import assert from 'node:assert/strict';
import { existsSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { makeDataDirectory } from '../../controller/data-directory.ts';
import { tempDir } from '../world/temp.ts';

describe('the data directory', () => {
  it('is made with all above it, and is good when it is there', (t) => {
    const directory = path.join(tempDir(t), 'some where', 'dätä');

    makeDataDirectory(directory);
    makeDataDirectory(directory);

    assert.ok(existsSync(directory));
  });

  it('may be a link to a directory', (t) => {
    const folder = tempDir(t);
    symlinkSync(tempDir(t), path.join(folder, 'link'));

    makeDataDirectory(path.join(folder, 'link', 'data'));

    assert.ok(existsSync(path.join(folder, 'link', 'data')));
  });

  it('is refused with what is in the way', (t) => {
    const folder = tempDir(t);
    const at = (...names: readonly string[]) => path.join(folder, ...names);
    writeFileSync(at('file'), '');
    symlinkSync(at('nowhere'), at('dangling'));
    symlinkSync(at('loop'), at('loop'));
    const cases: readonly (readonly [directory: string, why: string])[] = [
      [at('file'), 'a part of that path is not a directory'],
      [at('file', 'data'), 'a part of that path is not a directory'],
      [at('dangling'), 'a part of that path leads nowhere'],
      [at('dangling', 'data'), 'a part of that path leads nowhere'],
      [at('loop', 'data'), 'a part of that path is a link to itself'],
      ['/proc/cairn/data', 'a part of that path leads nowhere'],
    ];

    for (const [directory, why] of cases) {
      const message = `can't use the data directory ${directory}: ${why}; name another with --data`;
      assert.throws(() => makeDataDirectory(directory), { message });
    }
  });
});
