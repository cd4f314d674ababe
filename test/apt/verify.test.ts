import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { readKey } from 'openpgp';
import { splitCleartext } from '../../apt/cleartext.ts';
import {
  armorKeyring,
  readKeyring,
  verifyDetached,
  verifyRelease,
  type Verified,
} from '../../apt/openpgp.ts';
import { Gnupg } from './gnupg.ts';

const gnupg = new Gnupg();
const text = 'Origin: Test\nSuite: stable\n';

const good = gnupg.makeKey('good');
const goodSubkey = gnupg.addSubkey(good);

async function check(
  inRelease: string,
  keyring: string | Uint8Array,
  fingerprints?: string[],
): Promise<Verified> {
  const options = { now: new Date(), ...(fingerprints && { fingerprints }) };
  return verifyRelease(splitCleartext(inRelease), await readKeyring(keyring), options);
}

/** Refused by Cairn with this message, and by gpgv too. */
async function refusedByBoth(inRelease: string, keyring: Buffer, message: RegExp): Promise<void> {
  await assert.rejects(check(inRelease, keyring), { reason: 'SignatureInvalid', message });
  assert.equal(gnupg.gpgvAccepts(keyring, [inRelease]), false);
}

describe('a signed Release', () => {
  it('is good when a key of the keyring signed it', async () => {
    const inRelease = gnupg.clearsign(`${good}!`, text);

    const verified = await check(inRelease, gnupg.export(good));

    assert.deepEqual(verified, { fingerprints: [good], warnings: [] });
    assert.equal(gnupg.gpgvAccepts(gnupg.export(good), [inRelease]), true);
  });

  it('is good when a subkey or an RSA key signed it', async () => {
    const rsa = gnupg.makeKey('rsa', { algorithm: 'rsa2048' });
    const keyring = gnupg.export(good, rsa);

    assert.deepEqual((await check(gnupg.clearsign(goodSubkey, text), keyring)).fingerprints, [
      goodSubkey,
    ]);
    assert.deepEqual((await check(gnupg.clearsign(rsa, text), keyring)).fingerprints, [rsa]);
  });

  it('is refused when its text was changed', async () => {
    const changed = gnupg.clearsign(good, text).replace('stable', 'stabel');

    await refusedByBoth(changed, gnupg.export(good), /does not match the content/);
  });

  it('is refused when no key of the keyring made the signature', async () => {
    const other = gnupg.makeKey('other');
    const inRelease = gnupg.clearsign(other, text);

    await refusedByBoth(
      inRelease,
      gnupg.export(good),
      new RegExp(`no key for ${other} in the keyring`),
    );
  });

  it('is refused when the key has expired since', async () => {
    const time = '20200101T000000';
    const key = gnupg.makeKey('expired', { expires: '2021-01-01', time });
    const inRelease = gnupg.clearsign(key, text, { time });

    await refusedByBoth(
      inRelease,
      gnupg.export(key),
      new RegExp(`key ${key} expired on 2021-01-01`),
    );
  });

  it('is refused when the subkey has expired since', async () => {
    const time = '20200101T000000';
    const key = gnupg.makeKey('with expired subkey', { time });
    const subkey = gnupg.addSubkey(key, { expires: '2021-01-01', time });
    const inRelease = gnupg.clearsign(`${subkey}!`, text, { time });

    await refusedByBoth(
      inRelease,
      gnupg.export(key),
      new RegExp(`subkey ${subkey} expired on 2021-01-01`),
    );
  });

  it('is refused when the key was revoked', async () => {
    const key = gnupg.makeKey('revoked');
    const inRelease = gnupg.clearsign(key, text);
    gnupg.revoke(key);

    await refusedByBoth(inRelease, gnupg.export(key), new RegExp(`key ${key} is revoked`));
  });

  it('is refused when the subkey was revoked', async () => {
    const key = gnupg.makeKey('with revoked subkey');
    const subkey = gnupg.addSubkey(key);
    const inRelease = gnupg.clearsign(`${subkey}!`, text);
    const steps = 'key 1\nrevkey\ny\n0\n\ny\nsave\n';
    gnupg.gpg(['--command-fd', '0', '--edit-key', key], steps);

    await refusedByBoth(inRelease, gnupg.export(key), /Subkey is revoked/);
  });

  it('is refused when the digest is weak', async () => {
    const inRelease = gnupg.clearsign(good, text, { extra: ['--digest-algo', 'SHA1'] });

    await refusedByBoth(inRelease, gnupg.export(good), /SHA-1 digest is too weak/);
  });

  it('is refused when the key is too small or a DSA key', async () => {
    const small = gnupg.makeKey('small', { algorithm: 'rsa1024' });
    const dsa = gnupg.makeKey('dsa', { algorithm: 'dsa1024' });
    const byDsa = gnupg.clearsign(dsa, text, { extra: ['--digest-algo', 'SHA256'] });

    await assert.rejects(check(gnupg.clearsign(small, text), gnupg.export(small)), {
      reason: 'SignatureInvalid',
      message: /has 1024 bits, fewer than 2048/,
    });
    await assert.rejects(check(byDsa, gnupg.export(dsa)), {
      reason: 'SignatureInvalid',
      message: /is a DSA key, which is too weak/,
    });
  });

  it('is refused when the signature has expired or comes from the future', async () => {
    const time = '20200101T000000';
    const key = gnupg.makeKey('since long', { time });
    const expired = gnupg.clearsign(key, text, { time, extra: ['--default-sig-expire', '7d'] });
    const future = gnupg.clearsign(key, text, { time: '20980101T000000' });

    await refusedByBoth(expired, gnupg.export(key), /the signature expired on 2020-01-08/);
    await assert.rejects(check(future, gnupg.export(key)), {
      message: /was made in the future, on 2098-01-01/,
    });
  });

  it('is refused when the subkey never agreed to belong to the key', async () => {
    const inRelease = gnupg.clearsign(`${goodSubkey}!`, text);
    const key = await readKey({ binaryKey: gnupg.export(good) });
    for (const binding of key.subkeys[0]?.bindingSignatures ?? []) {
      binding.unhashedSubpackets = [];
      binding.embeddedSignature = null;
    }

    await refusedByBoth(inRelease, Buffer.from(key.write()), /has no good back-signature/);
  });

  it('counts if one of several signatures is good, and warns about the others', async () => {
    const stranger = gnupg.makeKey('stranger');
    const twice = gnupg.gpg(['--clearsign', '-u', `${good}!`, '-u', stranger], text).toString();
    const blocks = ['BEGIN', 'END'].map((edge) => `-----${edge} PGP SIGNATURE-----`);
    const single = (key: string) => gnupg.clearsign(key, text);
    const signature = single(stranger).slice(single(stranger).indexOf(blocks[0] ?? ''));

    for (const inRelease of [twice, single(`${good}!`) + signature]) {
      const verified = await check(inRelease, gnupg.export(good));
      assert.deepEqual(verified.fingerprints, [good]);
      assert.deepEqual(verified.warnings, [`no key for ${stranger} in the keyring`]);
    }
  });

  it('names every signature when none is good', async () => {
    const [one, two] = [gnupg.makeKey('one'), gnupg.makeKey('two')];
    const inRelease = gnupg.gpg(['--clearsign', '-u', one, '-u', two], text).toString();

    await assert.rejects(check(inRelease, gnupg.export(good)), (error: Error) => {
      assert.match(error.message, new RegExp(one));
      assert.match(error.message, new RegExp(two));
      return true;
    });
  });
});

describe('signedBy.fingerprints', () => {
  const byPrimary = gnupg.clearsign(`${good}!`, text);
  const bySubkey = gnupg.clearsign(`${goodSubkey}!`, text);
  const keyring = gnupg.export(good);

  for (const [title, inRelease, listed] of [
    ['the primary key itself', byPrimary, good],
    ['a subkey of it', bySubkey, good],
    ['exactly the primary key', byPrimary, `${good}!`],
    ['the subkey by name', bySubkey, goodSubkey],
    ['exactly the subkey, in lower case', bySubkey, `${goodSubkey.toLowerCase()}!`],
  ] as const) {
    it(`accepts ${title}`, async () => {
      assert.equal((await check(inRelease, keyring, [listed])).fingerprints.length, 1);
    });
  }

  for (const [title, inRelease, listed] of [
    ['a subkey when exactly the primary key is listed', bySubkey, `${good}!`],
    ['the primary key when only its subkey is listed', byPrimary, goodSubkey],
    ['any other key', byPrimary, 'A'.repeat(40)],
  ] as const) {
    it(`refuses ${title}`, async () => {
      await assert.rejects(check(inRelease, keyring, [listed]), {
        message: /signed by (sub)?key [0-9A-F]{40}, which is not in signedBy.fingerprints/,
      });
    });
  }
});

describe('the text that a signature covers', () => {
  it('is what gpg thinks it is, whatever stands in it', async () => {
    const keyring = await readKeyring(gnupg.export(good));
    const line = fc.oneof(
      fc.constantFrom(
        '',
        '-',
        '- -',
        '--- x',
        ' ',
        '\t',
        'a \t',
        '. ',
        '-----BEGIN PGP SIGNATURE',
        'é☃  ',
      ),
      fc.string({ maxLength: 20 }).map((random) => random.replace(/[\r\n\p{C}]/gu, '?')),
    );
    const anyText = fc
      .array(line, { minLength: 1, maxLength: 8 })
      .map((lines) => `${lines.join('\n')}\n`);

    await fc.assert(
      fc.asyncProperty(anyText, async (random) => {
        const cleartext = splitCleartext(gnupg.clearsign(`${good}!`, random));
        assert.deepEqual(
          (await verifyRelease(cleartext, keyring, { now: new Date() })).warnings,
          [],
        );
      }),
      { numRuns: 15 },
    );
  });
});

describe('Release with Release.gpg', () => {
  const sign = (...extra: string[]) => gnupg.gpg(['-u', good, '-b', ...extra], text);

  it('is good with binary and text signatures', async () => {
    const keyring = await readKeyring(gnupg.export(good));

    for (const signature of [sign('--armor'), sign('--armor', '--textmode')]) {
      const verified = await verifyDetached(text, signature, keyring, { now: new Date() });
      assert.equal(verified.fingerprints.length, 1);
    }
  });

  it('is refused when Release was changed', async () => {
    const keyring = await readKeyring(gnupg.export(good));

    await assert.rejects(
      verifyDetached(`${text} `, sign('--armor'), keyring, { now: new Date() }),
      {
        reason: 'SignatureInvalid',
      },
    );
  });

  it('is refused when Release.gpg is binary or has other text in it, as apt does', async () => {
    const keyring = await readKeyring(gnupg.export(good));

    for (const wrong of [sign(), `hello\n${sign('--armor')}`, `${sign('--armor')}hello\n`]) {
      await assert.rejects(verifyDetached(text, wrong, keyring, { now: new Date() }), {
        reason: 'ReleaseInvalid',
      });
    }
  });
});

describe('a keyring', () => {
  it('may be binary, armored, or several armored blocks with text around them', async () => {
    const armored = (key: string) => gnupg.gpg(['--export', '--armor', key]).toString();
    const another = gnupg.makeKey('another');
    const mixed = `First:\r\n${armored(good)}\nSecond:\n${armored(another)}`;

    for (const form of [gnupg.export(good, another), mixed, Buffer.from(mixed)]) {
      const { keys } = await readKeyring(form);
      const found = keys.map((key) => key.getFingerprint().toUpperCase());
      assert.deepEqual(new Set(found), new Set([good, another]));
    }
  });

  it('becomes armored text that gpg reads', async () => {
    const armored = await armorKeyring(gnupg.export(good));

    assert.match(armored, /^-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n/);
    assert.ok(!armored.includes('\r'));
    assert.match(gnupg.gpg(['--show-keys', '--with-colons'], armored).toString(), new RegExp(good));
    assert.equal(await armorKeyring(armored), armored);
  });

  it('passes over a key of an unknown version beside good ones', async () => {
    const unknown = Buffer.from([0x99, 0, 6, 9, 0, 0, 0, 0, 22]);

    const { keys } = await readKeyring(Buffer.concat([unknown, gnupg.export(good)]));

    assert.equal(keys.length, 1);
  });

  it('of Debian can be read', async () => {
    const folder = '/usr/share/keyrings';
    for (const name of readdirSync(folder).filter((file) => /^debian-archive.*gpg$/.test(file))) {
      const { keys } = await readKeyring(readFileSync(`${folder}/${name}`));
      assert.ok(keys.length > 0, name);
    }
  });

  for (const [title, form] of [
    ['that is empty', ''],
    ['that is no key at all', '<html>'],
    ['of cut-off bytes', gnupg.export(good).subarray(0, 60)],
    ['that is a signature', gnupg.gpg(['-u', good, '-b'], text)],
    ['that is a keybox', Buffer.from('\0\0\0\x20\x01\x01\0\0KBXf', 'latin1')],
    ['with a private key', gnupg.gpg(['--export-secret-keys', '--armor', good]).toString()],
    ['with a binary private key', gnupg.gpg(['--export-secret-keys', good])],
  ] as const) {
    it(`${title} is refused`, async () => {
      await assert.rejects(readKeyring(form), { reason: 'KeyUnusable' });
    });
  }
});
