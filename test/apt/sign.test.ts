import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { splitCleartext } from '../../apt/cleartext.ts';
import {
  clearsign,
  detachSign,
  generateSigningKey,
  publicKeys,
  readKeyring,
  readSigningKey,
  verifyDetached,
  verifyRelease,
} from '../../apt/openpgp.ts';
import { Gnupg } from './gnupg.ts';
import { run } from './tools.ts';

const gnupg = new Gnupg();
const now = new Date();

const first = await generateSigningKey({ userId: 'Cairn <cairn@example.org>', now });
const second = await generateSigningKey({ userId: 'environment production', now });
const keys = await Promise.all(
  [first, second].map(({ privateArmored }) => readSigningKey(privateArmored)),
);
const keyring = run('gpg', ['--dearmor'], { input: publicKeys(keys) });
const text = 'Origin: Test\nDescription: ☃\n- dashed\nSHA256:\n abc 1 main/x\n';

describe('what Cairn signs', () => {
  it('is an InRelease that gpgv accepts', async () => {
    const inRelease = await clearsign(text, keys, now);

    assert.equal(gnupg.gpgvAccepts(keyring, [inRelease]), true);
    assert.match(inRelease, /^-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\nOrigin: Test\n/);
    assert.ok(!inRelease.includes('\r'));
  });

  it('carries the signatures of all keys in one block, each good by itself', async () => {
    const inRelease = await clearsign(text, keys, now);

    assert.equal(splitCleartext(inRelease).signatures.length, 1);
    for (const key of keys) {
      const own = await readKeyring(key.publicArmored);
      const verified = await verifyRelease(splitCleartext(inRelease), own, { now });
      assert.deepEqual(verified.fingerprints, [key.fingerprint]);
    }
  });

  it('is a Release.gpg that gpgv accepts', async () => {
    const releaseGpg = await detachSign(text, keys, now);

    assert.equal(gnupg.gpgvAccepts(keyring, [releaseGpg, text]), true);
    assert.equal(gnupg.gpgvAccepts(keyring, [releaseGpg, `${text} `]), false);
    const verified = await verifyDetached(text, releaseGpg, await readKeyring(keyring), { now });
    assert.deepEqual(
      verified.fingerprints,
      keys.map(({ fingerprint }) => fingerprint),
    );
  });

  it('comes back as the same text', async () => {
    const line = fc.oneof(
      fc.constantFrom('', '-', '-----', ' x'),
      fc.stringMatching(/^[ -~]*[!-~]$/),
    );
    const anyText = fc.array(line, { minLength: 1 }).map((lines) => `${lines.join('\n')}\n`);

    await fc.assert(
      fc.asyncProperty(anyText, async (random) => {
        assert.equal(splitCleartext(await clearsign(random, keys, now)).text, random);
      }),
      { numRuns: 30 },
    );
  });

  it('is the same for the same input', async () => {
    assert.equal(await clearsign(text, keys, now), await clearsign(text, keys, now));
    assert.equal(await detachSign(text, keys, now), await detachSign(text, keys, now));
  });

  it('says who is missing when there is no key', async () => {
    await assert.rejects(clearsign(text, [], now), { reason: 'SigningFailed' });
  });

  it('cannot be signed before the key was made', async () => {
    const before = new Date(now.getTime() - 86_400_000);

    await assert.rejects(clearsign(text, keys, before), { reason: 'SigningFailed' });
  });
});

describe('a signing key', () => {
  it('is an Ed25519 key of the form that gpg knows, without expiry', () => {
    const listing = gnupg.gpg(['--show-keys', '--with-colons'], first.publicArmored).toString();
    const [, , , algorithm, , created, expires] = /^pub:.*$/m.exec(listing)?.[0].split(':') ?? [];

    assert.equal(algorithm, '22');
    assert.equal(Number(created), Math.floor(now.getTime() / 1000));
    assert.equal(expires, '');
    assert.match(listing, /^uid:.*Cairn <cairn@example.org>/m);
    assert.ok(!/^sub:/m.test(listing));
  });

  it('of gpg signs too, with its subkey where it has one', async () => {
    const primary = gnupg.makeKey('rsa', { algorithm: 'rsa2048' });
    const subkey = gnupg.addSubkey(primary);
    const secret = gnupg.gpg(['--export-secret-keys', '--armor', primary]).toString();

    const inRelease = await clearsign(
      text,
      [await readSigningKey(secret)],
      new Date(Date.now() + 1000),
    );

    const ring = await readKeyring(gnupg.export(primary));
    const verified = await verifyRelease(splitCleartext(inRelease), ring, { now: new Date() });
    assert.deepEqual(verified.fingerprints, [subkey]);
  });

  it('is refused when it is public, protected by a passphrase, or nonsense', async () => {
    gnupg.gpg(['--passphrase', 'secret', '--quick-gen-key', 'protected', 'ed25519', 'sign']);
    const locked = gnupg.gpg(['--passphrase', 'secret', '--export-secret-keys', '-a', 'protected']);

    for (const wrong of [first.publicArmored, locked.toString(), 'hello', '']) {
      await assert.rejects(readSigningKey(wrong), { reason: 'KeyUnusable' });
    }
  });

  it('never shows in an error', async () => {
    const broken = first.privateArmored.replace(/\n.{20}/, '\n!!!!');

    await assert.rejects(readSigningKey(broken), (error: Error) => {
      const secret = first.privateArmored.split('\n').slice(3, -4);
      return secret.every((line) => line.length < 20 || !String(error.stack).includes(line));
    });
  });
});

describe('public keys', () => {
  it('are one armored block of which gpg reads every key, each once', () => {
    const armored = publicKeys([first.publicArmored, ...keys]);
    const path = join(gnupg.home, 'merged.asc');
    writeFileSync(path, armored);

    assert.equal(armored.match(/BEGIN PGP/g)?.length, 1);
    const listing = gnupg.gpg(['--show-keys', '--with-colons', path]).toString();
    assert.equal(listing.match(/^pub:/gm)?.length, 2);
  });
});
