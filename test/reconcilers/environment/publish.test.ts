import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from '../../controller/http/objects.ts';
import { Gnupg } from '../../apt/gnupg.ts';
import { clearsign, detachSign, exportPublic, exportSecret, testKey } from '../../world/keys.ts';
import { releaseText } from '../mirror/debian-release.ts';
import { dateOf, environmentWorld, fieldsOf, type Files } from './environment-world.ts';

const gnupg = new Gnupg();

/** A Release as upstreams publish them, with all that an environment has to change. */
function upstreamRelease(name = 'bookworm'): string {
  const shape = { suite: name, components: ['main'], architectures: ['all', 'amd64'] };
  return releaseText(shape).replace(
    /^(Date: .*)$/m,
    '$1\nValid-Until: Sat, 08 Aug 2026 08:00:00 UTC\n' +
      'Signed-By: 0123456789ABCDEF0123456789ABCDEF01234567\n' +
      'Snapshots: https://snapshot.example.org/@SNAPSHOTID@/\n' +
      'Description: Debian 12 ä\n  with a second line',
  );
}

/** The files of one suite, as most upstreams have it. */
async function suiteFiles(directory = 'dists/bookworm/', text = upstreamRelease()): Promise<Files> {
  const signed = await clearsign(text, await testKey('archive'));
  return { [`${directory}InRelease`]: signed, [`${directory}main/binary-amd64/Packages`]: 'x' };
}

/** Whether gpgv takes both forms of the Release files of a suite, with these keys alone. */
async function verifies(
  { served, keys }: Awaited<ReturnType<typeof environmentWorld>>,
  directory = 'dists/bookworm/',
  { at = 0, keyring }: { at?: number; keyring?: string } = {},
): Promise<boolean> {
  const binary = gnupg.gpg(['--dearmor'], keyring ?? (await keys()));
  const [inRelease = '', release = '', signature = ''] = await Promise.all(
    ['InRelease', 'Release', 'Release.gpg'].map((name) => served(directory + name, at)),
  );
  assert.deepEqual(fieldsOf(inRelease), fieldsOf(release));
  return gnupg.gpgvAccepts(binary, [inRelease]) && gnupg.gpgvAccepts(binary, [signature, release]);
}

async function withSnapshots(t: TestContext, ...names: readonly string[]) {
  const world = await environmentWorld(t);
  const files = await suiteFiles();
  for (const name of names) await world.snapshot(name, files);
  return world;
}

test('issues Release files that differ from upstream’s only in what has to differ', async (t) => {
  const world = await withSnapshots(t, 'base-1');
  await world.promote('base-1', { validFor: '7d' });

  assert.match(await world.ready(), /^True Succeeded: Serves base-1/);
  const upstream = fieldsOf(upstreamRelease());
  const issued = fieldsOf(await world.served('dists/bookworm/Release'));
  const { Date: _d, 'Valid-Until': _v, 'Signed-By': _b, Snapshots: _s, ...kept } = upstream;
  const { Date: date, 'Valid-Until': validUntil, ...rest } = issued;
  assert.deepEqual(rest, kept);
  assert.equal(Date.parse(date ?? ''), Math.floor(world.now() / 1000) * 1000);
  assert.equal(Date.parse(validUntil ?? '') - Date.parse(date ?? ''), 7 * 86_400_000);
  assert.equal(await world.served('dists/bookworm/main/binary-amd64/Packages'), 'x');
  assert.ok(await verifies(world));
});

test('keeps every line of the Release text that it does not change, in its order', async (t) => {
  const world = await withSnapshots(t, 'base-1');
  await world.promote('base-1');

  const changed = /^(Date|Valid-Until|Signed-By|Snapshots):/;
  const lines = (text = '') => text.split('\n').filter((line) => !changed.test(line));
  assert.deepEqual(lines(await world.served('dists/bookworm/Release')), lines(upstreamRelease()));
});

test('an upstream with Release and Release.gpg alone gets an InRelease as well', async (t) => {
  const world = await environmentWorld(t);
  const text = upstreamRelease();
  await world.snapshot('base-1', {
    'dists/bookworm/Release': text,
    'dists/bookworm/Release.gpg': await detachSign(text, await testKey('archive')),
  });
  await world.promote('base-1');

  assert.ok(await world.served('dists/bookworm/InRelease'));
  assert.ok(await verifies(world));
});

test('signs every suite of every member, flat ones too', async (t) => {
  const world = await environmentWorld(t);
  const text = upstreamRelease('bookworm-security');
  await world.snapshotOf('base-1', {
    'deb.example.org/debian': {
      files: { ...(await suiteFiles()), ...(await suiteFiles('dists/bookworm-updates/')) },
      given: { suites: [suite('bookworm'), suite('bookworm-updates')] },
    },
    'security.example.org/debian-security': {
      files: await suiteFiles('dists/bookworm-security/', text),
      given: { suites: [suite('bookworm-security')] },
    },
    'flat.example.org/repo': {
      files: { InRelease: await clearsign(text, await testKey('archive')), Packages: 'x' },
      given: { suites: [suite('./', { path: '' })] },
    },
  });
  await world.promote('base-1');

  assert.ok(await verifies(world, 'dists/bookworm/'));
  assert.ok(await verifies(world, 'dists/bookworm-updates/'));
  assert.ok(await verifies(world, 'dists/bookworm-security/', { at: 1 }));
  assert.ok(await verifies(world, '', { at: 2 }));
  const security = await world.served('dists/bookworm-security/InRelease', 1);
  assert.equal(fieldsOf(security)['Codename'], 'bookworm-security');
});

test('Valid-Until is left out where validFor is 0s, and renewed in time where it is not', async (t) => {
  const world = await withSnapshots(t, 'base-1');
  await world.promote('base-1', { validFor: '0s' });
  assert.equal(fieldsOf(await world.served('dists/bookworm/Release'))['Valid-Until'], undefined);
  assert.equal((await world.environment()).status.published?.validUntil, undefined);

  await world.pass(2000);
  await world.promote('base-1', { validFor: '10h' });
  const first = await world.served('dists/bookworm/Release');
  await world.pass(4 * 3_600_000);
  assert.equal(await world.served('dists/bookworm/Release'), first);
  const renewed = await world.pass(2 * 3_600_000);

  const second = fieldsOf(await world.served('dists/bookworm/Release'));
  assert.ok(dateOf(await world.served('dists/bookworm/Release')) > dateOf(first));
  assert.ok(Date.parse(second['Valid-Until'] ?? '') > world.now() + 5 * 3_600_000);
  assert.equal(renewed.status.published?.snapshot, 'base-1');
  assert.equal(renewed.status.history, undefined, 'a renewal is no promotion');
  assert.ok(await verifies(world));
});

test('the last Release files are renewed even after their snapshot is gone', async (t) => {
  const world = await withSnapshots(t, 'base-1');
  await world.promote('base-1', { validFor: '10h' });
  const first = await world.served('dists/bookworm/Release');
  await world.snapshotGone('base-1');
  await world.pass(6 * 3_600_000);

  assert.ok(dateOf(await world.served('dists/bookworm/Release')) > dateOf(first));
  assert.match(await world.ready(), /^False DependencyNotReady.*still serving base-1/);
  assert.ok(await verifies(world));
});

test('its private key is for its owner alone, and shows nowhere', async (t) => {
  const world = await withSnapshots(t, 'base-1');
  await world.promote('base-1');

  const folder = join(world.keyFolder, 'default', 'production');
  const names = readdirSync(folder);
  assert.deepEqual(names, ['epoch-1.asc']);
  const file = join(folder, 'epoch-1.asc');
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.equal(statSync(folder).mode & 0o777, 0o700);
  assert.equal(statSync(join(folder, '..')).mode & 0o777, 0o700);
  const [, body = ''] = readFileSync(file, 'utf8').split('\n\n');
  const told = await everythingTold(world);
  assert.ok(told.includes('base-1'));
  for (const line of body.split('\n').filter((text) => text.length > 20)) {
    assert.ok(!told.includes(line), 'a line of the private key');
  }
  assert.doesNotMatch(told, /PRIVATE KEY/);
});

async function everythingTold({
  environment,
  store,
  logs,
}: Awaited<ReturnType<typeof environmentWorld>>): Promise<string> {
  const key = { kind: 'Environment', namespace: 'default', name: 'production' };
  return JSON.stringify([await environment(), await store.events(key)]) + logs.join('');
}

test('an environment that is made again signs with the key that its clients know', async (t) => {
  const world = await withSnapshots(t, 'base-1');
  const first = await world.promote('base-1');
  await world.store.delete({ kind: 'Environment', namespace: 'default', name: 'production' });
  world.setClock(10_000);

  const second = await world.promote('base-1');

  assert.equal(second.status.keys?.[0]?.fingerprint, first.status.keys?.[0]?.fingerprint);
});

for (const subkey of [false, true]) {
  test(`signs with a key of one’s own${subkey ? ', by its subkey' : ''}`, async (t) => {
    const world = await withSnapshots(t, 'base-1');
    const own = await testKey('own', { subkey, created: new Date('2026-01-01T00:00:00Z') });
    world.secrets['signing'] = { key: await exportSecret(own) };
    const signing = { keyRef: { name: 'signing', key: 'key' } };
    const { status } = await world.promote('base-1', { signing });

    assert.equal(status.keys?.[0]?.fingerprint, own.fingerprint);
    assert.deepEqual(readdirSync(world.keyFolder), []);
    assert.ok(await verifies(world, 'dists/bookworm/', { keyring: await exportPublic(own) }));
  });
}

test('a key of one’s own that was changed signs within a minute', async (t) => {
  const world = await withSnapshots(t, 'base-1');
  const [own, newer] = [await testKey('own'), await testKey('newer')];
  world.secrets['signing'] = { key: await exportSecret(own) };
  await world.promote('base-1', { signing: { keyRef: { name: 'signing', key: 'key' } } });
  world.secrets['signing'] = { key: await exportSecret(newer) };

  const { status } = await world.pass(61_000);

  assert.equal(status.keys?.[0]?.fingerprint, newer.fingerprint);
  assert.ok(await verifies(world, 'dists/bookworm/', { keyring: await exportPublic(newer) }));
});

const broken: readonly [what: string, secret: () => Promise<string | undefined>, RegExp][] = [
  ['is not there', async () => undefined, /SecretMissing: .*release-key/],
  ['is no key', async () => 'hello', /KeyUnusable: .*release-key.*not an armored/],
  [
    'is a public key',
    async () => exportPublic(await testKey('own')),
    /KeyUnusable: .*release-key.*private key/,
  ],
  [
    'is cut off',
    async () => (await exportSecret(await testKey('own'))).slice(0, 300),
    /KeyUnusable: .*release-key/,
  ],
  [
    'has expired',
    async () => {
      const [created, expires] = [new Date('2025-01-01'), new Date('2025-02-01')];
      return exportSecret(await testKey('expired', { created, expires }));
    },
    /SigningFailed: .*expired/,
  ],
];

for (const [what, secret, reason] of broken) {
  test(`a signing key that ${what} is told, and the last good content stays`, async (t) => {
    const world = await withSnapshots(t, 'base-1', 'base-2');
    const before = (await world.promote('base-1')).status.published;
    const value = await secret();
    if (value !== undefined) world.secrets['release-key'] = { key: value };

    const signing = { keyRef: { name: 'release-key', key: 'key' } };
    const { status } = await world.promote('base-2', { signing });

    assert.match(await world.ready(), reason);
    assert.deepEqual(status.published, before);
    if (value && value.length > 100) assert.ok(!(await everythingTold(world)).includes(value));
    assert.ok(await world.served('dists/bookworm/InRelease'));
    await world.pass(60_000);
    const mended = await world.promote('base-2');
    assert.equal(mended.status.published?.snapshot, 'base-2');
    assert.ok(await verifies(world));
  });
}

test('a key file that was damaged is told, and no other key takes its place', async (t) => {
  const world = await withSnapshots(t, 'base-1', 'base-2');
  const before = (await world.promote('base-1')).status.published;
  const file = join(world.keyFolder, 'default/production/epoch-1.asc');
  writeFileSync(file, '');
  await world.pass(5000);

  const { status } = await world.promote('base-2');

  assert.match(await world.ready(), /KeyUnusable: .*production.*epoch 1/);
  assert.deepEqual(status.published, before);
  assert.equal(readFileSync(file, 'utf8'), '');
});

test('both keys sign while a rotation overlaps, and then the new one alone', async (t) => {
  const world = await withSnapshots(t, 'base-1');
  await world.promote('base-1');
  const old = await world.keys();
  await world.pass(2000);
  const rotated = await world.promote('base-1', { signing: { epoch: 2, overlap: '1d' } });
  assert.deepEqual(
    rotated.status.keys?.map(({ epoch }) => epoch),
    [2, 1],
  );
  assert.ok(await verifies(world));
  assert.ok(await verifies(world, 'dists/bookworm/', { keyring: old }));

  const after = await world.pass(86_400_000 + 2000);

  assert.deepEqual(
    after.status.keys?.map(({ epoch }) => epoch),
    [2],
  );
  assert.ok(await verifies(world));
  assert.ok(!(await verifies(world, 'dists/bookworm/', { keyring: old })));
});
