import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { describe, it } from 'node:test';
import { lockDataDirectory } from '../../../controller/store/lock.ts';
import { tempDir, type Scope } from '../../world/temp.ts';

describe('the lock of a data directory', () => {
  it('makes the directory, and is free again when it is released', (t) => {
    const directory = path.join(tempDir(t), 'data', 'cairn');

    const first = lockDataDirectory(directory);
    first.release();
    first.release();
    const second = lockDataDirectory(directory);

    assert.equal(existsSync(path.join(directory, 'owner.json')), true);
    second.release();
    assert.equal(existsSync(path.join(directory, 'owner.json')), false);
  });

  it('names the process that has it', async (t) => {
    const directory = tempDir(t);
    const holder = await lockElsewhere(t, directory);

    assert.equal(holder.said, 'locked');
    assert.throws(
      () => lockDataDirectory(directory),
      new RegExp(
        `^Error: another Cairn \\(pid ${holder.process.pid}, started 20\\S+Z, at 127.0.0.1:8080\\) ` +
          `is using ${directory}; stop it, or give this one another --data$`,
      ),
    );
  });

  it('keeps other processes, and a second caller in this one, out', async (t) => {
    const directory = tempDir(t);
    const lock = lockDataDirectory(directory);
    t.after(() => lock.release());

    const other = await lockElsewhere(t, directory);

    assert.match(other.said, new RegExp(`another Cairn \\(pid ${process.pid},`));
    assert.throws(() => lockDataDirectory(directory), /another Cairn/);
  });

  it('is free at once when its process is killed', async (t) => {
    const directory = tempDir(t);
    for (let round = 0; round < 3; round += 1) {
      const holder = await lockElsewhere(t, directory);
      assert.equal(holder.said, 'locked');
      holder.process.kill('SIGKILL');
      await once(holder.process, 'exit');
    }

    lockDataDirectory(directory).release();
  });
});

async function lockElsewhere(t: Scope, directory: string) {
  const script = path.join(import.meta.dirname, 'locking-process.ts');
  const child: ChildProcess = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', script, directory],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  t.after(() => void child.kill('SIGKILL'));
  assert.ok(child.stdout);
  const lines = createInterface(child.stdout);
  const [said] = (await once(lines, 'line')) as [string];
  return { process: child, said };
}
