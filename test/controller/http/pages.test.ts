import assert from 'node:assert/strict';
import { it } from 'node:test';
import { member, startServer } from './fixture.ts';

it('leads people from the first page to a file', async (t) => {
  const server = await startServer(t);
  const tree = await server.tree({
    'dists/bookworm/InRelease': 'x',
    'pool/a/a_1+b_all.deb': 'deb',
  });
  await server.mirror('debian', { tree });
  const frozen = [member('deb.example.org/debian', tree)];
  await server.snapshot('first', { members: frozen });
  await server.environment('prod', { members: frozen.map((one) => ({ ...one, overlay: tree })) });
  const walk: readonly (readonly [string, RegExp])[] = [
    ['/', /href="\.\/environments\/prod\/"/],
    ['/', /href="\.\/deb\.example\.org\/"/],
    ['/', /curl -fsS http:\/\/127\.0\.0\.1:\d+\/environments\/prod\/client\.sources/],
    ['/deb.example.org/', /href="\.\/debian\/"/],
    ['/deb.example.org/debian/', /href="\.\/pool\/".*/],
    [
      '/deb.example.org/debian/pool/a/',
      /href="\.\/a_1%2Bb_all\.deb">a_1\+b_all\.deb<\/a><\/td><td class="size">3</,
    ],
    ['/snapshots/', /href="\.\/first\/".*2026-08-01T12:00:00/],
    ['/snapshots/first/', /mirror set all/],
    ['/snapshots/first/deb.example.org/debian/dists/bookworm/', /InRelease/],
    ['/environments/', /prod/],
    ['/environments/prod/', /Snapshot<\/th><td>a</],
    ['/environments/prod/', /href="key\.asc"/],
    ['/mirrors/', /debian/],
    ['/mirrors/debian/', /client\.sources/],
  ];
  for (const [path, expected] of walk) {
    const response = await server.get(path);
    assert.equal(response.status, 200, path);
    assert.equal(response.headers.get('content-type'), 'text/html; charset=utf-8');
    assert.match(response.headers.get('content-security-policy') ?? '', /default-src 'none'/);
    assert.match((await response.text()).replace(/>\s+</g, '><'), expected, path);
  }
});

it('redirects a directory to its slash, and knows no others', async (t) => {
  const server = await startServer(t);
  await server.mirror('m', {
    tree: await server.tree({ 'a+b/c': 'c' }),
    url: 'http://x.example:81/d',
  });
  for (const path of [
    '/x.example:81',
    '/x.example:81/d',
    '/x.example:81/d/a%2bb',
    '/mirrors/m',
    '/snapshots',
  ]) {
    const response = await server.get(path);
    assert.equal(response.status, 301, path);
    const location = response.headers.get('location') ?? '';
    assert.match(location, /^\/[^/].*[^/]\/$/);
    assert.equal((await server.get(location)).status, 200, location);
  }
  for (const path of [
    '/x.example:81/d/none',
    '/x.example:81/d/none/',
    '/x.example:81/d/a+b/c/',
    '/no.example/',
  ]) {
    assert.equal((await server.get(path)).status, 404, path);
  }
});

it('escapes whatever comes from outside', async (t) => {
  const server = await startServer(t);
  const name = '<script>alert(1)<';
  const tree = await server.tree({ [`${name}/"&'.deb`]: 'x' });
  const environment = await server.environment('prod', { members: [] });
  const ready = { type: 'Ready', status: 'False', reason: 'X', message: '<b>broken</b>' };
  const lastTransitionTime = '2026-08-01T00:00:00Z';
  await server.setStatus(environment, { conditions: [{ ...ready, lastTransitionTime }] });
  await server.mirror('m', { tree, url: 'http://x.example' });
  for (const path of [
    '/x.example/',
    `/x.example/${encodeURIComponent(name)}/`,
    '/environments/prod/',
  ]) {
    const text = await (await server.get(path)).text();
    assert.doesNotMatch(text, /<script>|<b>|"&'/, path);
    assert.match(text, /&lt;/);
  }
});

it('shows the first part of an enormous directory', async (t) => {
  const server = await startServer(t);
  const shared = server.blobs.put(Buffer.from('x'));
  const { writeTree } = await import('../../../depot/tree-writer.ts');
  const entries = Array.from({ length: 12_000 }, (_, n) => ({
    path: `f${String(n).padStart(5, '0')}`,
    ...shared,
  }));
  const { digest } = await writeTree(server.blobs, entries);
  await server.mirror('flat', { tree: digest, url: 'http://x.example' });
  const text = await (await server.get('/x.example/')).text();
  assert.match(text, /f09999/);
  assert.doesNotMatch(text, /f10000/);
  assert.match(text, /2000 more are not shown/);
});
