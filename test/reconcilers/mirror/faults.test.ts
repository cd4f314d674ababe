import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { ShrinkHeldError } from '../../../reconcilers/mirror/failures.ts';
import type { Fault } from '../../world/faults.ts';
import { clearsign, testKey } from '../../world/keys.ts';
import { mirrorWorld } from './mirror-world.ts';

/** A world with one good refresh behind it, and news upstream. */
async function withNews(t: TestContext, options: Parameters<typeof mirrorWorld>[1] = {}) {
  const world = await mirrorWorld(t, options);
  world.archive.add({ name: 'hello', version: '1.0', size: 20_000 });
  await world.archive.publish();
  const before = (await world.refresh()).state;
  world.archive.add({ name: 'world', version: '2.0', size: 20_000 });
  await world.archive.publish();
  return { world, before };
}

const wrongFiles: readonly [what: string, fault: Fault][] = [
  ['truncated', { truncateAt: 100 }],
  ['corrupted', { corrupt: true }],
  ['longer than listed', { oversize: 5000 }],
  ['swapped with another one', { swapWith: '/pool/main/h/hello/hello_1.0_amd64.deb' }],
];

for (const [what, fault] of wrongFiles) {
  test(`keeps the last state when a pool file is ${what}, and names the file`, async (t) => {
    const { world, before } = await withNews(t);
    world.upstream.fault(/world_2.0/, fault);

    await assert.rejects(world.refresh(), { reason: 'HashMismatch', message: /world_2\.0/ });

    assert.equal(world.state?.tree, before.tree);
    assert.ok(await world.read('pool/main/h/hello/hello_1.0_amd64.deb'));
  });

  test(`keeps the last state when an index is ${what}, and names the index`, async (t) => {
    const { world, before } = await withNews(t);
    world.upstream.fault(/Packages|by-hash/, fault);

    await assert.rejects(world.refresh(), { reason: 'UpstreamInconsistent', message: /Packages/ });

    assert.equal(world.state?.tree, before.tree);
  });
}

test('recovers by itself from a file that is wrong only once', async (t) => {
  const { world, before } = await withNews(t);
  world.upstream.fault(/world_2.0/, { corrupt: true, times: 1 });

  const { state } = await world.refresh();

  assert.notEqual(state.tree, before.tree);
});

test('falls back to the plain name when by-hash has something else', async (t) => {
  const { world, before } = await withNews(t);
  world.upstream.fault(/by-hash/, { corrupt: true });

  const { state } = await world.refresh();

  assert.notEqual(state.tree, before.tree);
});

test('starts over when upstream publishes in the middle of a refresh', async (t) => {
  const { world } = await withNews(t, { archive: { byHash: false } });
  let published = false;
  world.upstream.fault(
    (path) => {
      if (path.endsWith('/Packages.gz') && !published) {
        published = true;
        world.archive.add({ name: 'late', version: '3.0' });
        void world.archive.publish();
      }
      return path.endsWith('/Packages.gz');
    },
    { delayMs: 150, times: 1 },
  );

  const { state } = await world.refresh();

  assert.equal(state.packages, 3);
  assert.ok(await world.read('pool/main/l/late/late_3.0_amd64.deb'));
});

test('gives up on an upstream that goes silent, and says so', async (t) => {
  const { world, before } = await withNews(t);
  world.upstream.fault(/world_2.0/, { stallAfterBytes: 1000 });

  await assert.rejects(world.refresh({ spec: { limits: { retries: 0, stallTimeout: '300ms' } } }), {
    reason: 'UpstreamUnreachable',
    message: /world_2\.0.*[Tt]imeout/,
  });

  assert.equal(world.state?.tree, before.tree);
});

test('gives up on an upstream that only trickles', async (t) => {
  const { world } = await withNews(t);
  world.upstream.fault(/world_2.0/, { rateBytesPerSecond: 100 });

  await assert.rejects(world.refresh({ spec: { limits: { retries: 0, stallTimeout: '50ms' } } }), {
    reason: 'UpstreamUnreachable',
  });
});

test('refuses to follow redirects for ever', async (t) => {
  const { world } = await withNews(t);
  world.upstream.fault(/world_2.0/, { redirectLoop: true });

  await assert.rejects(world.refresh(), { reason: 'UpstreamRefused', message: /loop/ });
});

test('follows a redirect', async (t) => {
  const { world } = await withNews(t);
  world.upstream.fault('/pool/main/w/world/world_2.0_amd64.deb', {
    redirectTo: '/pool/main/w/world/world_2.0_amd64.deb?mirror=2',
    times: 1,
  });

  assert.equal((await world.refresh()).state.packages, 2);
});

test('waits and tries again when the server is busy', async (t) => {
  const { world } = await withNews(t);
  world.upstream.fault(/InRelease/, { status: 429, headers: { 'retry-after': '0' }, times: 1 });
  world.upstream.fault(/world_2.0/, { status: 503, times: 1 });

  assert.equal((await world.refresh()).state.packages, 2);
});

test('says that credentials may be missing when it is turned away', async (t) => {
  const { world } = await withNews(t);
  world.upstream.fault(/InRelease/, { requireBasicAuth: { user: 'u', password: 'p' } });

  await assert.rejects(world.refresh(), { reason: 'UpstreamRefused', message: /401.*secretRef/ });

  const credentials = { username: 'u', password: 'p' };
  assert.equal((await world.refresh({ request: { credentials } })).state.packages, 2);
});

test('a file that upstream lists and lost fails the refresh, or is recorded, as declared', async (t) => {
  const { world, before } = await withNews(t);
  world.upstream.fault(/world_2.0/, { status: 404 });

  await assert.rejects(world.refresh(), { reason: 'FileMissing', message: /world_2\.0/ });
  assert.equal(world.state?.tree, before.tree);

  const { state } = await world.refresh({ spec: { missingFiles: { pool: 'Record' } } });
  assert.deepEqual(state.missing, ['pool/main/w/world/world_2.0_amd64.deb']);
  assert.equal(state.packages, 1);
});

test('an index that upstream lists and lost is recorded, or fails the refresh, as declared', async (t) => {
  const { world } = await withNews(t, { archive: { translations: ['en'] } });
  world.upstream.fault(/Translation-en/, { status: 404 });
  world.upstream.fault(/i18n\/by-hash/, { status: 404 });

  await assert.rejects(world.refresh({ spec: { missingFiles: { indexes: 'Fail' } } }), {
    reason: 'FileMissing',
    message: /Translation-en/,
  });

  const { state } = await world.refresh();
  assert.deepEqual(state.missing, ['dists/stable/main/i18n/Translation-en.gz']);
});

test('an index that keeps having other bytes is recorded and not served, unless it names packages', async (t) => {
  const { world } = await withNews(t, { archive: { translations: ['en'] } });
  world.upstream.fault(/i18n/, { corrupt: true });

  await assert.rejects(world.refresh({ spec: { missingFiles: { indexes: 'Fail' } } }), {
    reason: 'UpstreamInconsistent',
    message: /Translation-en/,
  });

  const { state } = await world.refresh();
  assert.deepEqual(state.missing, ['dists/stable/main/i18n/Translation-en.gz']);
  assert.equal(await world.read('dists/stable/main/i18n/Translation-en.gz'), undefined);
});

for (const [what, path] of [
  ['absolute', '/etc/passwd'],
  ['climbing', '../../../etc/passwd'],
  ['climbing inside', 'pool/../../../etc/passwd'],
] as const) {
  test(`refuses an index with an ${what} path`, async (t) => {
    const { world, before } = await withNews(t);
    await republish(world, (index) => index.replace(/^Filename: .*world.*$/m, `Filename: ${path}`));

    await assert.rejects(world.refresh(), { reason: 'PathUnsafe', message: /Packages/ });

    assert.equal(world.state?.tree, before.tree);
  });
}

for (const [tool, extension] of [
  ['xz', '.xz'],
  ['gzip', '.gz'],
] as const) {
  test(`refuses an index that unpacks to far more than it may (${tool})`, async (t) => {
    const { world } = await withNews(t);
    const bomb = execFileSync('sh', ['-c', `yes '' | head -c 200000000 | ${tool} -c`], {
      maxBuffer: 1e9,
    });
    await republish(world, (index) => index, { extension, bytes: bomb });

    await assert.rejects(world.refresh(), { reason: 'TooLarge', message: /Packages/ });
  });
}

test('holds a refresh in which most packages vanish, until it is approved', async (t) => {
  const world = await mirrorWorld(t);
  for (let i = 0; i < 40; i += 1) world.archive.add({ name: `p${i}`, version: '1.0' });
  await world.archive.publish();
  const before = (await world.refresh()).state;
  for (let i = 0; i < 30; i += 1) world.archive.remove(`p${i}`);
  await world.archive.publish();

  const held = await world.refresh().catch((error: unknown) => error);

  assert.ok(held instanceof ShrinkHeldError);
  const { shrink } = held;
  assert.deepEqual([shrink.vanishing, shrink.of], [30, 40]);
  assert.equal(world.state?.tree, before.tree);
  const { state } = await world.refresh({ request: { shrinkApproved: shrink.digest } });
  assert.equal(state.packages, 10);
  assert.equal(state.tree, shrink.digest);
});

test('refuses a Release that is older than the one held', async (t) => {
  const { world, before } = await withNews(t);
  await world.archive.publish({ date: new Date(Date.now() - 30 * 86_400_000) });

  await assert.rejects(world.refresh(), { reason: 'ReleaseWentBack', message: /older/ });

  assert.equal(world.state?.tree, before.tree);
});

test('refuses an expired Release, also when it is the one held, unless told not to check', async (t) => {
  const world = await mirrorWorld(t);
  await world.archive.publish({ validUntil: new Date(Date.now() + 3_600_000) });
  await world.refresh();
  const later = new Date(Date.now() + 7_200_000);

  await assert.rejects(world.refresh({ now: later }), { reason: 'ReleaseExpired' });

  const { changed } = await world.refresh({ now: later, spec: { checkValidUntil: false } });
  assert.equal(changed, false);
});

test('refuses a Release from the future', async (t) => {
  const { world } = await withNews(t);
  await world.archive.publish({ date: new Date(Date.now() + 86_400_000) });

  await assert.rejects(world.refresh(), { reason: 'ReleaseInvalid', message: /future/ });
});

test('refuses a Release signed by somebody else, and names the key', async (t) => {
  const { world, before } = await withNews(t);
  const stranger = await testKey('stranger');
  await world.archive.publish({ signWith: stranger });

  await assert.rejects(world.refresh(), {
    reason: 'SignatureInvalid',
    message: new RegExp(stranger.fingerprint.slice(-16)),
  });

  assert.equal(world.state?.tree, before.tree);
});

test('refuses an unsigned archive unless the manifest accepts it', async (t) => {
  const world = await mirrorWorld(t);
  await world.archive.publish({ signWith: [] });

  await assert.rejects(world.refresh(), { reason: 'SignatureInvalid', message: /allowUnsigned/ });

  const unsigned = { spec: { allowUnsigned: true }, request: { keyring: undefined } };
  assert.equal((await world.refresh(unsigned)).changed, true);
});

/** Publishes an index that says something else than the archive would, signed all the same. */
async function republish(
  { archive }: Awaited<ReturnType<typeof mirrorWorld>>,
  change: (index: string) => string,
  other?: { extension: string; bytes: Buffer },
): Promise<void> {
  const directory = join(archive.root, 'dists/stable');
  const plain = execFileSync('cat', [join(directory, 'main/binary-amd64/Packages')]);
  const bytes = other?.bytes ?? Buffer.from(change(plain.toString()));
  const path = `main/binary-amd64/Packages${other?.extension ?? ''}`;
  writeFileSync(join(directory, path), bytes);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const release = `Origin: Cairn Tests
Label: Cairn Tests
Suite: stable
Codename: stable
Date: ${new Date().toUTCString().replace('GMT', 'UTC')}
Architectures: amd64
Components: main
SHA256:
 ${sha256} ${bytes.length} ${path}
`;
  const signed = await clearsign(release, await testKey('archive'));
  writeFileSync(join(directory, 'InRelease'), signed);
}
