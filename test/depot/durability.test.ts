import assert from 'node:assert/strict';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { openBlobs } from '../../depot/file-blobs.ts';
import { draftsIn, folder, markersIn } from './depot-folder.ts';

describe('sync', () => {
  it('leaves no marker, which was there from the first blob on', async (test) => {
    const root = await folder(test);
    const blobs = await openBlobs(root);
    assert.deepEqual(markersIn(root), []);

    blobs.put(Buffer.from('one'));
    blobs.put(Buffer.from('two'));
    assert.equal(markersIn(root).length, 1);
    await blobs.sync();

    assert.deepEqual(markersIn(root), []);
  });

  it('writes into the marker in which run of the machine it was made, and when', async (test) => {
    const root = await folder(test);
    const blobs = await openBlobs(root);
    blobs.put(Buffer.from('one'));

    const [marker = ''] = markersIn(root);
    const [bootId, since = ''] = readFileSync(join(root, marker), 'utf8').split('\n');

    assert.equal(bootId, readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim());
    assert.ok(Math.abs(Date.now() - Date.parse(since)) < 60_000);
  });

  it('does not run when nothing is new, and runs once for all that was stored', async (test) => {
    const root = await folder(test);
    const { command, runs } = countingSync(await folder(test));
    const blobs = await openBlobs(root, { syncCommand: command });

    await blobs.sync();
    assert.equal(runs(), 0);
    blobs.put(Buffer.from('one'));
    blobs.put(Buffer.from('two'));
    await Promise.all([blobs.sync(), blobs.sync(), blobs.sync()]);
    await blobs.sync();

    assert.equal(runs(), 1);
  });

  it('keeps the marker of what is stored while it runs', async (test) => {
    const root = await folder(test);
    const blobs = await openBlobs(root);
    blobs.put(Buffer.from('before'));

    const syncing = blobs.sync();
    await Promise.resolve();
    blobs.put(Buffer.from('meanwhile'));
    await syncing;
    assert.equal(markersIn(root).length, 1);
    await blobs.sync();

    assert.deepEqual(markersIn(root), []);
  });

  it('covers a blob that another instance stored and has not synced yet', async (test) => {
    const root = await folder(test);
    const { command, runs } = countingSync(await folder(test));
    const [worker, main] = [await openBlobs(root), await openBlobs(root, { syncCommand: command })];
    const { sha256 } = worker.put(Buffer.from('shared'));

    assert.equal(await main.size(sha256), 6);
    await main.sync();

    assert.equal(runs(), 1);
  });

  it('fails when the disk fails, and tries all of it again the next time', async (test) => {
    const root = await folder(test);
    const tools = await folder(test);
    const command = script(
      tools,
      `test -e ${join(tools, 'healed')} || { echo 'sync: Input/output error' >&2; exit 1; }`,
    );
    const blobs = await openBlobs(root, { syncCommand: command });
    blobs.put(Buffer.from('one'));

    await assert.rejects(blobs.sync(), /Input\/output error/);
    assert.equal(markersIn(root).length, 1);
    writeFileSync(join(tools, 'healed'), '');
    await blobs.sync();

    assert.deepEqual(markersIn(root), []);
  });

  it('takes no text of a failing disk for an answer', async (test) => {
    const root = await folder(test);
    const body = `printf '%s' 'sync: bad\\n0 * sector' >&2; exit 1`;
    const blobs = await openBlobs(root, { syncCommand: script(await folder(test), body) });
    for (const content of ['one', 'two', 'three']) {
      blobs.put(Buffer.from(content));
      await assert.rejects(blobs.sync(), /bad\\n0 \* sector/);
    }
    assert.ok(markersIn(root).length > 0);
  });

  it('goes on when the process that starts sync was killed', async (test) => {
    const root = await folder(test);
    const blobs = await openBlobs(root);
    for (const content of ['one', 'two']) {
      blobs.put(Buffer.from(content));
      await blobs.sync();
      const children = `/proc/${process.pid}/task/${process.pid}/children`;
      const pids = readFileSync(children, 'utf8').trim().split(' ').filter(Boolean);
      assert.ok(pids.length > 0);
      for (const pid of pids) process.kill(Number(pid), 'SIGKILL');
      while (readFileSync(children, 'utf8').trim() !== '') await new Promise(setImmediate);
    }
    assert.deepEqual(markersIn(root), []);
  });

  for (const [what, body] of [
    ['is missing', undefined],
    ['does not know -f', `echo "sync: unrecognized option '-f'" >&2; exit 1`],
  ]) {
    it(`falls back to single files where the sync program ${what}`, async (test) => {
      const root = await folder(test);
      const tools = await folder(test);
      const command = body === undefined ? join(tools, 'missing') : script(tools, body);
      const blobs = await openBlobs(root, { syncCommand: command });
      const { sha256 } = blobs.put(Buffer.from('one'));
      await blobs.remove(blobs.put(Buffer.from('gone again')).sha256);

      await blobs.close();

      assert.deepEqual(markersIn(root), []);
      assert.ok(existsSync(await blobs.path(sha256)));
      assert.deepEqual(draftsIn(root), []);
    });
  }
});

function script(directory: string, body: string): string {
  const file = join(directory, 'sync');
  writeFileSync(file, `#!/bin/sh\n${body}\n`);
  chmodSync(file, 0o755);
  return file;
}

/** A sync that notes each of its runs. */
function countingSync(directory: string): { command: string; runs: () => number } {
  const log = join(directory, 'log');
  const command = script(directory, `echo "$@" >> ${log}; exec sync "$@"`);
  return {
    command,
    runs: () => (existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n').length : 0),
  };
}
