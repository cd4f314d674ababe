import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mirrorWorld } from './mirror-world.ts';

test('mirrors every file that Release lists, byte for byte', async (t) => {
  const world = await mirrorWorld(t, {
    archive: {
      translations: ['en', 'de'],
      contents: true,
      dep11: true,
      commandNotFound: true,
      allIndex: true,
      compressions: ['.gz', '.xz'],
    },
  });
  world.archive.add({ name: 'hello', version: '1.0' });
  world.archive.add({ name: 'plus', version: '1.0+git~1' });
  await world.archive.publish();

  const { state } = await world.refresh();

  const paths = await world.paths();
  for (const path of paths.filter((path) => world.isUpstream(path))) {
    assert.deepEqual(await world.read(path), world.original(path), path);
  }
  for (const wanted of [
    'dists/stable/InRelease',
    'dists/stable/main/binary-amd64/Packages.xz',
    'dists/stable/main/binary-all/Packages.gz',
    'dists/stable/main/i18n/Translation-de.xz',
    'dists/stable/main/Contents-amd64.gz',
    'dists/stable/main/dep11/Components-amd64.yml.gz',
    'dists/stable/main/cnf/Commands-amd64.xz',
  ]) {
    assert.ok(paths.includes(wanted), `${wanted} is not mirrored`);
  }
  assert.equal(state.packages, 2);
  assert.deepEqual(state.missing, []);
});

test('asks upstream one conditional question when nothing has changed', async (t) => {
  const world = await mirrorWorld(t);
  world.archive.add({ name: 'hello', version: '1.0' });
  await world.archive.publish();
  const first = await world.refresh();
  world.upstream.forgetRequests();

  const second = await world.refresh();

  assert.equal(second.changed, false);
  assert.equal(second.state.tree, first.state.tree);
  assert.deepEqual(
    world.upstream.requests.map(({ path, status }) => `${status} ${path}`),
    ['304 /dists/stable/InRelease'],
  );
});

test('fetches only what has changed, indexes by-hash', async (t) => {
  const world = await mirrorWorld(t);
  for (let i = 0; i < 20; i += 1) world.archive.add({ name: `p${i}`, version: '1.0' });
  await world.archive.publish();
  await world.refresh();
  world.upstream.forgetRequests();
  world.archive.add({ name: 'p3', version: '1.1' });
  world.archive.remove('p3', '1.0');
  await world.archive.publish();

  const refreshed = await world.refresh();

  assert.equal(refreshed.changed, true);
  const asked = world.upstream.requests.map(({ path }) => path);
  assert.deepEqual(
    asked.filter((path) => path.startsWith('/pool/')),
    ['/pool/main/p/p3/p3_1.1_amd64.deb'],
  );
  const indexes = asked.filter((path) => path.includes('/main/'));
  assert.ok(
    indexes
      .filter((path) => path.startsWith('/dists/'))
      .every((path) => path.includes('/by-hash/')),
    `asked for ${indexes.join(' ')}`,
  );
});

for (const compression of ['', '.gz', '.xz', '.bz2', '.zst'] as const) {
  test(`reads an archive whose indexes are only stored as Packages${compression}`, async (t) => {
    const world = await mirrorWorld(t, {
      archive: { compressions: [compression], translations: ['en'] },
    });
    world.archive.add({ name: 'hello', version: '1.0' });
    await world.archive.publish();

    const { state } = await world.refresh();

    assert.equal(state.packages, 1);
    assert.ok(await world.read('pool/main/h/hello/hello_1.0_amd64.deb'));
  });
}

test('reads an archive that has Release and Release.gpg, and no InRelease', async (t) => {
  const world = await mirrorWorld(t, { archive: { inRelease: false } });
  world.archive.add({ name: 'hello', version: '1.0' });
  await world.archive.publish();

  await world.refresh();
  const again = await world.refresh();

  assert.equal(again.changed, false);
  const paths = await world.paths();
  assert.ok(paths.includes('dists/stable/Release') && paths.includes('dists/stable/Release.gpg'));
  assert.ok(!paths.includes('dists/stable/InRelease'));
});

test('reads nested suites and components with a prefix, as security archives have them', async (t) => {
  const world = await mirrorWorld(t, {
    archive: {
      suite: 'bookworm/updates',
      componentPrefix: 'updates',
      components: ['main', 'contrib'],
    },
    spec: { components: ['main'] },
  });
  world.archive.add({ name: 'hello', version: '1.0' });
  world.archive.add({ name: 'other', version: '1.0', component: 'contrib' });
  await world.archive.publish();

  const { state } = await world.refresh();

  assert.equal(state.packages, 1);
  assert.deepEqual(state.suites[0]?.components, ['main']);
  assert.ok(await world.read('dists/bookworm/updates/main/binary-amd64/Packages.gz'));
});

for (const suite of ['./', 'jammy/']) {
  test(`reads a flat repository in ${suite}`, async (t) => {
    const world = await mirrorWorld(t, { archive: { suite, flat: true } });
    world.archive.add({ name: 'hello', version: '1.0' });
    await world.archive.publish();

    const { state } = await world.refresh();

    assert.equal(state.packages, 1);
    const debs = (await world.paths()).filter((path) => path.endsWith('.deb'));
    assert.equal(debs.length, 1);
    assert.deepEqual(await world.read(debs[0] ?? ''), world.original(debs[0] ?? ''));
  });
}

test('takes sources and installer packages when asked to', async (t) => {
  const world = await mirrorWorld(t);
  world.archive.addSource({ name: 'hello', version: '1.0' });
  world.archive.add({ name: 'hello', version: '1.0' });
  world.archive.add({ name: 'hello-udeb', version: '1.0', udeb: true });
  await world.archive.publish();

  const without = (await world.refresh()).state.packages;
  const { state } = await world.refresh({ spec: { include: { sources: true, installer: true } } });

  assert.equal(without, 1);
  const paths = await world.paths();
  assert.ok(paths.some((path) => path.endsWith('.dsc')));
  assert.ok(paths.some((path) => path.endsWith('.udeb')));
  assert.ok(paths.includes('dists/stable/main/source/Sources.gz'));
  assert.ok(state.packages > 2);
});

test('takes the boot images of the installer, which only its own list names', async (t) => {
  const world = await mirrorWorld(t, {
    archive: { installerImages: true },
    spec: { include: { installer: true } },
  });
  await world.archive.publish();
  const image =
    'dists/stable/main/installer-amd64/current/images/netboot/debian-installer/initrd.gz';

  await world.refresh();

  assert.deepEqual(await world.read(image), world.original(image));
});

test('a lazy mirror holds the indexes and no pool file', async (t) => {
  const world = await mirrorWorld(t, { spec: { download: 'Lazy' } });
  world.archive.add({ name: 'hello', version: '1.0' });
  await world.archive.publish();

  const { state } = await world.refresh();

  assert.equal(state.packages, 1);
  assert.ok(!world.upstream.requests.some(({ path }) => path.startsWith('/pool/')));
});

test('a lazy mirror that becomes eager fetches all that is missing', async (t) => {
  const world = await mirrorWorld(t);
  world.archive.add({ name: 'hello', version: '1.0' });
  await world.archive.publish();
  await world.refresh({ spec: { download: 'Lazy' } });

  await world.refresh({ spec: { download: 'Eager' } });

  assert.ok(await world.read('pool/main/h/hello/hello_1.0_amd64.deb'));
});

test('refuses a component or an architecture that Release does not list, and says what it lists', async (t) => {
  const world = await mirrorWorld(t);
  await world.archive.publish();

  await assert.rejects(world.refresh({ spec: { components: ['mian'] } }), {
    reason: 'NotInRelease',
    message: /no component mian.*main/,
  });
  await assert.rejects(world.refresh({ spec: { architectures: ['riscv64'] } }), {
    reason: 'NotInRelease',
    message: /no architecture riscv64.*amd64/,
  });
});

test('goes on with an interrupted download where it broke off', async (t) => {
  const world = await mirrorWorld(t);
  world.archive.add({ name: 'big', version: '1.0', size: 3_000_000 });
  await world.archive.publish();
  world.upstream.fault(/\.deb$/, { resetAfterBytes: 2_000_000, times: 1 });

  await world.refresh();

  const ranges = world.upstream.requests.filter(({ path }) => path.endsWith('.deb'));
  assert.deepEqual(
    ranges.map(({ status }) => status),
    [200, 206],
  );
  assert.ok(await world.read('pool/main/b/big/big_1.0_amd64.deb'));
});

test('a stopped refresh keeps what it has fetched for the next one', async (t) => {
  const world = await mirrorWorld(t);
  for (let i = 0; i < 30; i += 1) world.archive.add({ name: `p${i}`, version: '1.0' });
  await world.archive.publish();
  world.upstream.fault(/p29_1.0/, { delayMs: 3000 });
  const stop = new AbortController();
  const stopped = world.refresh({ signal: stop.signal });
  const debs = () => world.upstream.requests.filter(({ path }) => path.endsWith('.deb')).length;
  while (debs() < 29) await new Promise((resolve) => setTimeout(resolve, 5));
  stop.abort(new Error('stopped'));
  await assert.rejects(stopped, /stopped/);
  world.upstream.clearFaults();
  world.upstream.forgetRequests();

  await world.refresh();

  assert.ok(debs() < 10, `${debs()} files were fetched again`);
});
