import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { it, type TestContext } from 'node:test';
import { clearsign, detachSign, exportPublic, exportSecret, revoke, testKey } from './keys.ts';
import { mustRun, run } from './process.ts';
import { tempDir } from './temp.ts';

/** What gpg says about a signed message, with nothing but the given keys. */
async function verify(context: TestContext, keyring: string, message: string, signed?: string) {
  const folder = tempDir(context);
  const [keys, file, data] = ['keys', 'message', 'data'].map((name) => path.join(folder, name));
  writeFileSync(keys ?? '', keyring);
  writeFileSync(file ?? '', message);
  const gpg = ['--homedir', folder, '--batch', '--no-autostart', '--status-fd', '1'];
  await mustRun('gpg', [...gpg, '--import', keys ?? '']);
  if (signed === undefined) return run('gpg', [...gpg, '--verify', file ?? '']);
  writeFileSync(data ?? '', signed);
  return run('gpg', [...gpg, '--verify', file ?? '', data ?? '']);
}

it('signs with the key that it says', async (t) => {
  const key = await testKey('plain');

  const { output } = await verify(t, await exportPublic(key), await clearsign('hello\n', key));

  assert.match(output, new RegExp(`VALIDSIG ${key.fingerprint} `));
});

it('signs with a subkey', async (t) => {
  const key = await testKey('with-subkey', { subkey: true });

  const signature = await detachSign('hello\n', key);
  const { output } = await verify(t, await exportPublic(key), signature, 'hello\n');

  assert.notEqual(key.signer, key.fingerprint);
  assert.match(output, new RegExp(`VALIDSIG ${key.signer} .* ${key.fingerprint}`));
});

it('signs with two keys at once', async (t) => {
  const [one, two] = [await testKey('one'), await testKey('two', { algorithm: 'rsa2048' })];

  const message = await clearsign('hello\n', [one, two]);
  const { output } = await verify(t, await exportPublic(one, two), message);

  assert.equal(output.match(/^\[GNUPG:\] VALIDSIG/gm)?.length, 2);
});

it('makes keys that have expired', async (t) => {
  const [created, expires] = [new Date('2020-01-01'), new Date('2021-01-01')];
  const key = await testKey('expired', { created, expires });

  const message = await clearsign('hello\n', key, { at: new Date('2020-06-01') });
  const { output } = await verify(t, await exportPublic(key), message);

  assert.match(output, /EXPKEYSIG/);
});

it('revokes keys', async (t) => {
  const key = await testKey('revoked');
  const message = await clearsign('hello\n', key);

  await revoke(key);
  const { output } = await verify(t, await exportPublic(key), message);

  assert.match(output, /REVKEYSIG/);
});

it('gives a private key without a passphrase', async () => {
  const armored = await exportSecret(await testKey('plain'));

  assert.match(armored, /^-----BEGIN PGP PRIVATE KEY BLOCK-----/);
});
