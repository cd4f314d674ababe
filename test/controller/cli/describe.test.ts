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
});
