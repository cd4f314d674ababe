import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { commandNames, loadCommand } from '../../../controller/cli/commands.ts';
import { run } from '../../world/process.ts';
import { tempDir } from '../../world/temp.ts';
import { mirrorSpec, startCli } from './cli-world.ts';
import { cairn } from './in-process.ts';

const launcher = path.resolve(import.meta.dirname, '../../../cairn');
const env = { PATH: `${path.dirname(process.execPath)}:${process.env['PATH']}` };

describe('the command line', () => {
  it('lists its commands, and explains each one with its exit statuses', async () => {
    const overview = await cairn([]);
    assert.equal(overview.status, 0);
    for (const name of commandNames) {
      assert.match(overview.out, new RegExp(`^  ${name} +\\S`, 'm'));
      const help = await cairn([name, '--help']);
      assert.equal(help.status, 0);
      assert.match(help.out, new RegExp(`^Usage: cairn ${name}\\b`, 'm'));
      assert.match(help.out, /^Exit status:\n {2}0 +done$/m);
      assert.deepEqual((await cairn(['help', name])).out, help.out);
    }
  });

  it('has a description for every option', async () => {
    for (const name of commandNames) {
      const command = await loadCommand(name);
      for (const option of Object.values(command?.options ?? {})) assert.ok(option.description);
    }
  });

  it('suggests the command that was meant', async () => {
    assert.deepEqual(await cairn(['snapshto']).then(({ status }) => status), 2);
    assert.match((await cairn(['gte'])).err, /unknown command "gte"\. Did you mean 'cairn get'\?/);
    assert.match((await cairn(['--verbose'])).err, /unknown option "--verbose"\. See 'cairn help'/);
  });

  it('explains a misused option with status 2', async () => {
    const { status, err } = await cairn(['get', 'mirrors', '--outptu', 'json']);
    assert.equal(status, 2);
    assert.equal(
      err,
      "cairn: unknown option --outptu; did you mean --output?\nSee 'cairn help get'.",
    );
    assert.match((await cairn(['get', 'all', '--xyz'])).err, /^cairn: unknown option --xyz\nSee/);
    assert.match((await cairn(['get', 'all', '-Z'])).err, /^cairn: unknown option -Z\nSee/);
  });

  it('says which address replicas can be reached at, and that there are none alone', async () => {
    const advertise = (...args: string[]) =>
      cairn(['run', '--data', 'x', ...args, '--advertise', 'cairn-0.apt']);
    const odd = await advertise('--kubernetes', '--elect');
    assert.equal(odd.status, 2);
    assert.match(odd.err, /^cairn: --advertise cairn-0\.apt: expected an IP address, such as /);
    assert.match((await advertise()).err, /^cairn: --advertise is for --elect\n/);
  });

  it('takes an empty value for the slip of a script that it is', async () => {
    const { status, err } = await cairn(['run', '--data', '', '--listen', '127.0.0.1:0']);
    assert.equal(status, 2);
    assert.match(err, /^cairn: --data: expected a value; it is empty\n/);
    const unnamed = await cairn(['get', 'mirror', '']);
    assert.equal(unnamed.status, 2);
    assert.match(unnamed.err, /^cairn: expected a name; one of them is empty\n/);
  });

  it('wants an external URL that clients can use, and repeats no password', async () => {
    for (const url of [
      'apt.example.com',
      'ftp://a',
      'https://',
      'https://me:hunter2@a',
      'http://a?b',
    ]) {
      const { status, err } = await cairn([
        'run',
        '--external-url',
        url,
        '--listen',
        '127.0.0.1:0',
      ]);
      assert.equal(status, 2);
      assert.match(
        err,
        /^cairn: --external-url: expected a URL such as https:\/\/apt.example.com\n/,
      );
    }
  });

  it('helps with its help', async () => {
    const overview = await cairn([]);
    for (const words of [['help', '--help'], ['help', '-h'], ['help', 'help'], ['-h']]) {
      assert.deepEqual(await cairn(words), overview);
    }
  });

  it('prints its version as the launcher does', async () => {
    const { code, stdout } = await run(launcher, ['--version'], { env });
    assert.equal(code, 0);
    assert.equal(stdout.trim(), (await cairn(['version'])).out);
    assert.match(stdout, /^cairn \d+\.\d+\.\d+\n$/);
  });

  it('writes problems to stderr, and survives a reader that goes away', async () => {
    const unknown = await run(launcher, ['frobnicate'], { env });
    assert.equal(unknown.code, 2);
    assert.equal(unknown.stdout, '');
    const cut = await run('bash', ['-c', `set -o pipefail; '${launcher}' help | true`], { env });
    assert.equal(cut.stderr, '');
  });

  it('ends with 130 on Ctrl-C, and says nothing more', async (t) => {
    const server = await startCli(t, { accessLog: true });
    const child = spawn(
      launcher,
      ['wait', 'mirror/ghost', '--timeout=60s', '--server', server.url],
      {
        env: { ...process.env, ...env },
      },
    );
    let output = '';
    child.stderr.on('data', (chunk) => (output += String(chunk)));
    while (!server.logs.some((line) => line.includes('mirrors'))) await sleep(20);
    child.kill('SIGINT');
    const [status] = await once(child, 'close');
    assert.deepEqual([status, output], [130, '']);
  });

  it('prints a completion script that bash accepts', async () => {
    const { out } = await cairn(['completion', 'bash']);
    const checked = await run('bash', ['-n'], { input: out });
    assert.equal(checked.output, '');
    const words = await run('bash', [
      '-c',
      `${out}\nCOMP_WORDS=(cairn pro) COMP_CWORD=1; _cairn; echo "$COMPREPLY"`,
    ]);
    assert.equal(words.stdout, 'promote\n');
  });
});

describe('finding the server', () => {
  it('says how to start one when there is none', async () => {
    const { status, err } = await cairn(['get', 'mirrors', '--server', 'http://127.0.0.1:9']);
    assert.equal(status, 1);
    assert.equal(
      err,
      "cairn: can't reach Cairn at http://127.0.0.1:9: connection refused. " +
        "Start one with 'cairn run', or name another with --server or CAIRN_SERVER.",
    );
  });

  it('takes --server before CAIRN_SERVER, and a host without a scheme', async (t) => {
    const server = await startCli(t);
    await server.declare('Mirror', 'debian', mirrorSpec);
    const elsewhere = { env: { CAIRN_SERVER: 'http://127.0.0.1:9' } };
    const found = await cairn(
      ['get', 'mirrors', '-o', 'name', '--server', `127.0.0.1:${server.port}`],
      elsewhere,
    );
    assert.equal(found.out, 'mirror/debian');
  });

  it('tells another server from Cairn', async (t) => {
    const other = createServer((_req, res) => res.writeHead(404).end('<html>'));
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    t.after(() => void other.close());
    const { port } = other.address() as AddressInfo;
    const { status, err } = await cairn(['get', 'mirror/debian', '--server', `127.0.0.1:${port}`]);
    assert.equal(status, 1);
    assert.match(err, /does not answer like Cairn \(HTTP 404\)/);
  });

  it('tells another server that speaks JSON from Cairn', async (t) => {
    const other = createServer((_req, res) => res.end('{"items":[null]}'));
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    t.after(() => void other.close());
    const { port } = other.address() as AddressInfo;
    const server = ['--server', `127.0.0.1:${port}`];
    for (const [words, kind] of [
      [['get', 'mirror/debian'], 'Mirror'],
      [['get', 'mirrors'], 'MirrorList'],
      [['wait', 'mirror/debian'], 'MirrorList'],
    ] as const) {
      const { status, err } = await cairn([...words, ...server]);
      assert.equal(status, 1);
      assert.match(err, new RegExp(`does not answer like Cairn: its answer is not a ${kind}$`));
    }
  });

  it('refuses a password in the URL without repeating it', async () => {
    const { status, err } = await cairn(['get', 'all', '--server', 'http://me:hunter2@127.0.0.1']);
    assert.equal(status, 2);
    assert.doesNotMatch(err, /hunter2/);
  });

  it('sends the token of CAIRN_TOKEN or of a file, and never shows it', async (t) => {
    const server = await startCli(t, { externalUrl: 'https://apt.example.org' });
    await server.declare('Mirror', 'debian', mirrorSpec);
    const args = ['annotate', 'mirror/debian', 'team=web'];
    const wrong = await server.cairn(args, { env: { CAIRN_TOKEN: 'not-the-token' } });
    assert.equal(wrong.status, 1);
    assert.match(wrong.err, /set CAIRN_TOKEN or use --token-file/);
    assert.doesNotMatch(wrong.err, /not-the-token/);
    const file = path.join(tempDir(t), 'token');
    writeFileSync(file, 'admin-token-of-the-test\n');
    const good = await server.cairn([...args, '--token-file', file], { env: { CAIRN_TOKEN: '' } });
    assert.equal(good.out, 'mirror/debian annotated');
  });
});
