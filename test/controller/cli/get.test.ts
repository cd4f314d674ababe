import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { mirrorSpec, readyStatus, startCli } from './cli-world.ts';

const taken = readyStatus('True', 'holds bookworm');

describe('cairn get', () => {
  it('prints a table of the printer columns', async (t) => {
    const server = await startCli(t);
    await server.declare('Mirror', 'debian', mirrorSpec, taken);
    await server.declare('Mirror', 'zabbix', {
      ...mirrorSpec,
      url: 'https://repo.example.com/zabbix',
    });
    const { status, out } = await server.cairn('get mirrors');
    assert.equal(status, 0);
    assert.match(
      out,
      new RegExp(
        '^NAME     URL +PACKAGES   READY   STATUS +AGE\n' +
          'debian   https://deb\\.example\\.org/debian +True    holds bookworm   \\d+s\n' +
          'zabbix   https://repo\\.example\\.com/zabbix +\\d+s$',
      ),
    );
    assert.match(
      (await server.cairn('get mir -o wide')).out,
      /^NAME .* TREE +SUSPENDED +REFRESHING /,
    );
  });

  it('takes every way to name a kind and an object', async (t) => {
    const server = await startCli(t);
    await server.declare('Mirror', 'debian', mirrorSpec);
    await server.declare('MirrorSet', 'base', { mirrors: [{ name: 'debian' }] });
    for (const words of ['mirror debian', 'mirrors/debian', 'Mirror debian', 'mir/debian']) {
      assert.equal((await server.cairn(`get ${words} -o name`)).out, 'mirror/debian');
    }
    assert.equal(
      (await server.cairn('get mirror/debian mset/base -o name')).out,
      'mirror/debian\nmirrorset/base',
    );
    assert.equal(
      (await server.cairn('get mirrors,mset -o name')).out,
      'mirror/debian\nmirrorset/base',
    );
    const all = await server.cairn('get all');
    assert.match(all.out, /^NAME .*\nmirror\/debian .*\n\nNAME .*\nmirrorset\/base /);
  });

  it('prints objects for programs', async (t) => {
    const server = await startCli(t);
    await server.declare('Mirror', 'debian', mirrorSpec);
    const one = JSON.parse((await server.cairn('get mirror/debian -o json')).out);
    assert.equal(one.spec.url, mirrorSpec.url);
    const list = JSON.parse((await server.cairn('get mirrors -o json')).out);
    assert.deepEqual([list.kind, list.items.length], ['List', 1]);
    assert.match(
      (await server.cairn('get mirror/debian -o yaml')).out,
      /^ {2}url: https:\/\/deb\.example/m,
    );
    assert.equal(
      (await server.cairn(['get', 'mirror/debian', '-o', 'jsonpath={.spec.suites[0]}'])).out,
      'bookworm',
    );
  });

  it('says which objects are missing, and still shows the others', async (t) => {
    const server = await startCli(t);
    await server.declare('Mirror', 'debian', mirrorSpec);
    const { status, out, err } = await server.cairn('get mirror debian ubuntu -o name');
    assert.equal(status, 1);
    assert.equal(out, 'mirror/debian');
    assert.equal(err, 'cairn: mirror/ubuntu not found');
  });

  it('selects by label and namespace', async (t) => {
    const server = await startCli(t);
    await server.declare('Mirror', 'debian', mirrorSpec);
    const input = JSON.stringify({
      apiVersion: 'cairn.build/v1alpha1',
      kind: 'Mirror',
      metadata: { name: 'other', namespace: 'lab', labels: { team: 'web' } },
      spec: mirrorSpec,
    });
    assert.equal((await server.cairn('apply -f -', { input })).status, 0);
    assert.equal((await server.cairn('get mirrors -o name')).out, 'mirror/debian');
    assert.equal((await server.cairn('get mirrors -n lab -o name')).out, 'mirror/other');
    assert.match((await server.cairn('get mirrors -A')).out, /\nlab +other /);
    assert.equal((await server.cairn('get mirrors -A -l team=web -o name')).out, 'mirror/other');
  });

  it('says so when there is nothing, with status 0', async (t) => {
    const server = await startCli(t);
    const { status, out, err } = await server.cairn('get snapshots');
    assert.deepEqual([status, out, err], [0, '', 'No objects found in namespace default']);
  });

  it('refuses what it does not know, with a suggestion', async (t) => {
    const server = await startCli(t);
    const { status, err } = await server.cairn('get mirors');
    assert.equal(status, 2);
    assert.match(err, /there is no kind "mirors"; did you mean mirrors\?/);
    assert.match((await server.cairn('get mirrors -o csv')).err, /unknown output format "csv"/);
  });

  it('keeps control characters of others away from the terminal', async (t) => {
    const server = await startCli(t);
    await server.declare(
      'Mirror',
      'debian',
      mirrorSpec,
      readyStatus('False', 'bad\u001b[31m\nnews'),
    );
    const { out } = await server.cairn('get mirrors', { isTTY: true, columns: 80 });
    assert.match(out, /bad \[31m …/);
    for (const line of out.split('\n')) assert.ok(line.length <= 80, line);
  });

  it('goes on with --watch until it is stopped', async (t) => {
    const server = await startCli(t);
    const debian = await server.declare('Mirror', 'debian', mirrorSpec);
    const stop = new AbortController();
    const lines: string[] = [];
    const onLine = (text: string) => {
      lines.push(...text.split('\n'));
      if (lines.length === 2) void server.setStatus(debian, taken);
      if (lines.length === 3)
        void server.store.delete({ kind: 'Mirror', namespace: 'default', name: 'debian' });
      if (lines.length === 4) stop.abort();
    };
    const { status } = await server.cairn('get mirrors -w', { signal: stop.signal, onLine });
    assert.equal(status, 0);
    assert.match(lines[0] ?? '', /^NAME /);
    assert.match(lines[2] ?? '', /^debian .* True +holds bookworm /);
    assert.equal(lines.length, 4);
  });
});
