import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { mirrorSpec, readyStatus, startCli } from './cli-world.ts';

describe('cairn describe', () => {
  it('says what is declared, how it is, what happened and where to get it', async (t) => {
    const server = await startCli(t);
    const key = `-----BEGIN PGP PUBLIC KEY BLOCK-----\n${'A'.repeat(500)}\n-----END PGP PUBLIC KEY BLOCK-----\n`;
    const regarding = { kind: 'Mirror', namespace: 'default', name: 'debian' };
    const { allowUnsigned: _, ...spec } = mirrorSpec;
    await server.declare(
      'Mirror',
      'debian',
      { ...spec, signedBy: { inline: key } },
      readyStatus('False', 'connection refused'),
    );
    const event = {
      regarding,
      type: 'Warning',
      reason: 'UpstreamUnreachable',
      message: 'refused',
    } as const;
    await server.store.record(event);
    await server.store.record(event);
    const { status, out } = await server.cairn('describe mirror/debian');
    assert.equal(status, 0);
    assert.match(out, /^Name: +debian$/m);
    assert.match(out, /^Created: +\S+Z \(\d+s ago\)$/m);
    assert.match(out, /^Spec:\n(.*\n)* {2}url: https:\/\/deb\.example\.org\/debian$/m);
    assert.match(out, /-----BEGIN PGP PUBLIC KEY BLOCK----- … \(\d+ characters\)/);
    assert.match(out, /^ {2}Ready +False +\S+ +UpstreamUnreachable +connection refused$/m);
    assert.match(out, new RegExp(`^ {2}archive +${server.url}/deb\\.example\\.org/debian$`, 'm'));
    assert.match(out, /^ {2}\d+s +2 +Warning +UpstreamUnreachable +refused$/m);
  });

  it('gives the URLs of an environment, one per archive', async (t) => {
    const server = await startCli(t);
    const members = ['deb.example.org/debian', 'deb.example.org/debian'].map((path) => ({ path }));
    const published = { snapshot: 'base-1', members };
    await server.declare(
      'Environment',
      'production',
      { snapshotRef: { name: 'base-1' } },
      { published },
    );
    const { out } = await server.cairn('describe environment production');
    const urls = out.split('\n').filter((line) => line.includes(server.url));
    assert.deepEqual(
      urls.map((line) => line.trim().replace(/ +/g, ' ')),
      [
        `archive ${server.url}/environments/production/deb.example.org/debian`,
        `for clients ${server.url}/environments/production/client.sources`,
      ],
    );
    assert.match(out, /^Events:\n {2}none$/m);
  });

  it('shows the end of a log once, line by line, though several say it', async (t) => {
    const server = await startCli(t);
    const { whole, ...status } = failedBuild;
    await server.declare('Build', 'hello-1', buildSpec, status);
    const event = { type: 'Warning', reason: 'BuildFailed', message: whole } as const;
    const regarding = { kind: 'Build', namespace: 'default', name: 'hello-1' };
    await server.store.record({ ...event, regarding });
    const { out } = await server.cairn('describe build/hello-1');
    for (const line of logEnd) {
      assert.equal(out.split('\n').filter((one) => one === `  ${line}`).length, 1, out);
      assert.equal(out.split(line).length, 2, out);
    }
    assert.match(out, /^Message of Succeeded, BuildFailed:\n {2}FailedToBuild: exit status 2\n/m);
    assert.match(out, /^ {2}Succeeded +False .* FailedToBuild: exit status 2 …$/m);
    const got = await server.cairn('get builds');
    assert.match(got.out, /False +FailedToBuild: exit status 2 \(its log: \S+\) +\S+$/m);
    assert.ok(!got.out.includes('main.c'));
  });

  it('folds messages that are longer than the terminal is wide', async (t) => {
    const server = await startCli(t);
    const message = 'connection refused by a server '.repeat(12).trim();
    await server.declare('Mirror', 'debian', mirrorSpec, readyStatus('False', message));
    const options = { isTTY: true, columns: 100 };
    const { out } = await server.cairn('describe mirror/debian', options);
    const lines = out.slice(out.indexOf('Conditions:'), out.indexOf('URLs:')).split('\n');
    assert.ok(
      lines.every((line) => line.length <= 100),
      out,
    );
    assert.equal(lines.join(' ').replace(/ +/g, ' ').split(message).length, 2, out);
  });
});

/** What make said, lines that are longer than a terminal is wide among them. */
const logEnd = [
  `gcc ${'-I/usr/include/something '.repeat(8)}-c main.c`,
  'main.c:3:12: error: expected a declaration',
  'make: *** [Makefile:2: hello] Error 1',
];

const buildSpec = {
  sourceRef: { name: 'hello' },
  ...{ url: 'https://git.example.org/hello.git', commit: '9'.repeat(40), ref: 'refs/heads/main' },
  ...{ maintainer: 'Ada <ada@example.org>', attempt: 1, counter: 1 },
  repositoryRef: { name: 'team' },
  build: { base: { image: 'debian:trixie' } },
};

const failedBuild = buildStatus();

function buildStatus() {
  const message = ['exit status 2', ...logEnd].join('\n');
  const short = 'FailedToBuild: exit status 2 (its log: http://cairn.example.org/builds/a/b/log)';
  const whole = `FailedToBuild: ${message}`;
  const common = { lastTransitionTime: '2026-08-01T00:00:00Z', observedGeneration: 1 };
  const failed = { reason: 'BuildFailed', message: short, ...common };
  return {
    ...{ observedGeneration: 1, phase: 'Finished', result: 'FailedToBuild', message, whole },
    conditions: [
      { type: 'Ready', status: 'False', ...failed },
      { type: 'Stalled', status: 'True', ...failed },
      { type: 'Succeeded', status: 'False', reason: 'FailedToBuild', message: whole, ...common },
    ],
  };
}
