import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { registryLogins } from '../../../reconcilers/build/registry-logins.ts';

const auth = (text: string) => ({ auth: Buffer.from(text).toString('base64') });

/** The users of a `.dockerconfigjson` that are tried for an image. */
function usersFor(image: string, auths: object): readonly string[] {
  const secret = { '.dockerconfigjson': JSON.stringify({ auths }) };
  return registryLogins('reg', secret, image).map(({ username }) => username);
}

function refusal(secret: Readonly<Record<string, string>>, image = 'reg.example.com/base') {
  let told = '';
  assert.throws(
    () => registryLogins('reg', secret, image),
    (error: Error & { reason?: string }) => {
      told = error.message;
      return error.reason === 'SecretMissing';
    },
  );
  assert.doesNotMatch(told, /canary/);
  return told;
}

describe('a secret for a registry', () => {
  it('has a name and a password, whichever registry it is', () => {
    const secret = { username: 'me', password: 'pass:word' };
    assert.deepEqual(registryLogins('reg', secret, 'a.example.com/base'), [secret]);
  });

  it('has an entry for each registry, as docker login and kubectl write them', () => {
    const auths = {
      'reg.example.com': { username: 'me', password: 'pass:word', email: 'me@example.com' },
      'https://reg.example.com:5000/v2/': auth('port:pass:word'),
      'https://index.docker.io/v1/': auth('hub:x'),
    };
    const of = (image: string) =>
      registryLogins('reg', { '.dockerconfigjson': JSON.stringify({ auths }) }, image);
    assert.deepEqual(of('reg.example.com/team/base:1'), [
      { username: 'me', password: 'pass:word' },
    ]);
    const [login] = of('reg.example.com:5000/base');
    assert.deepEqual(login, { username: 'port', password: 'pass:word' });
    assert.deepEqual(usersFor('debian', auths), ['hub']);
    assert.deepEqual(usersFor('docker.io/team/base', auths), ['hub']);
  });

  it('has the most specific one tried first, as kubelet does', () => {
    const auths = {
      '*.example.com': auth('any:x'),
      'reg.example.com': auth('host:x'),
      'reg.example.com/team': auth('team:x'),
      'reg.example.com/other': auth('other:x'),
      'reg.example.com:5000': auth('port:x'),
      'r*g.ex*le.com': auth('stars:x'),
      'example.com': auth('short:x'),
    };
    assert.deepEqual(usersFor('reg.example.com/team/base', auths), [
      ...['team', 'host', 'stars', 'any'],
    ]);
    assert.deepEqual(usersFor('a.example.com/base', auths), ['any']);
    assert.deepEqual(usersFor('docker.io/base', { 'docker.io': auth('hub:x') }), ['hub']);
  });

  it('tells what is wrong with it, and nothing of what is in it', () => {
    const config = (text: string) => ({ '.dockerconfigjson': text });
    assert.equal(
      refusal({ username: 'canary' }),
      'the secret reg needs .dockerconfigjson, or username and password',
    );
    for (const text of ['{"canary', '["canary"]', '"canary"']) {
      const told = 'the secret reg has a .dockerconfigjson that is no object of JSON';
      assert.equal(refusal(config(text)), told);
    }
    assert.match(refusal(config('{"canary":1}')), /without auths$/);
    const none = 'has no credentials for reg.example.com, the registry of reg.example.com/base$';
    const auths = { 'other.example.com': auth('canary:canary'), 'com.example.reg': {} };
    assert.match(refusal(config(JSON.stringify({ auths }))), new RegExp(none));
    for (const entry of [{}, { auth: 'canary' }, { username: 'canary' }, 'canary', null]) {
      const text = JSON.stringify({ auths: { 'reg.example.com': entry } });
      assert.match(refusal(config(text)), /has neither auth nor username and password for reg/);
    }
  });
});
