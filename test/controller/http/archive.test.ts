import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it, type TestContext } from 'node:test';
import { described, member, startServer, suite, type Fixture } from './fixture.ts';

const small = 'Package: hello\n'.repeat(100);
const large = Buffer.alloc(3 * 1024 * 1024 + 17, 'abcdefg');
const inRelease = 'signed text';
const published = 'Sat, 01 Aug 2026 10:00:00 GMT';
const base = '/deb.example.org/debian';
const deb = `${base}/pool/main/h/hello/hello_1.0+git~rc1_amd64.deb`;

async function withMirror(t: TestContext): Promise<Fixture> {
  const server = await startServer(t);
  const tree = await server.tree({
    'dists/bookworm/InRelease': inRelease,
    'dists/bookworm/main/binary-amd64/Packages': small,
    'dists/bookworm/main/binary-amd64/Packages.xz': large,
    'pool/main/h/hello/hello_1.0+git~rc1_amd64.deb': 'a package',
    'pool/empty': '',
  });
  await server.mirror('debian', { tree });
  return server;
}

describe('serving files', () => {
  it('serves the bytes of a mirror under the path of its upstream', async (t) => {
    const server = await withMirror(t);
    for (const [path, content] of [
      ['dists/bookworm/InRelease', Buffer.from(inRelease)],
      ['dists/bookworm/main/binary-amd64/Packages.xz', large],
      ['pool/empty', Buffer.alloc(0)],
    ] as const) {
      for (const round of ['first', 'again']) {
        const response = await server.get(`${base}/${path}`);
        assert.equal(response.status, 200, `${path} ${round}`);
        assert.equal(response.headers.get('content-length'), String(content.length));
        assert.ok(Buffer.from(await response.arrayBuffer()).equals(content), `${path} ${round}`);
      }
    }
  });

  it('sends strong validators and never a content encoding', async (t) => {
    const server = await withMirror(t);
    const { headers } = await server.get(`${base}/dists/bookworm/InRelease`, {
      'accept-encoding': 'gzip',
    });
    assert.equal(headers.get('etag'), `"${described(inRelease).sha256}"`);
    assert.equal(headers.get('last-modified'), published);
    assert.equal(headers.get('accept-ranges'), 'bytes');
    assert.equal(headers.get('cache-control'), 'no-cache');
    assert.equal(headers.get('content-encoding'), null);
    assert.equal(headers.get('x-content-type-options'), 'nosniff');
  });

  it('answers HEAD with the headers of GET and no body', async (t) => {
    const server = await withMirror(t);
    for (const file of ['InRelease', 'main/binary-amd64/Packages.xz']) {
      const path = `${base}/dists/bookworm/${file}`;
      const head = await server.get(path, {}, 'HEAD');
      const get = await server.get(path);
      assert.equal(head.status, 200);
      assert.equal(await head.text(), '');
      await get.arrayBuffer();
      for (const name of ['content-length', 'etag', 'last-modified', 'content-type']) {
        assert.equal(head.headers.get(name), get.headers.get(name), name);
      }
    }
  });

  it('decodes the escapes that apt sends', async (t) => {
    const server = await withMirror(t);
    for (const path of [
      deb,
      deb.replace('+', '%2b').replace('~', '%7e'),
      deb.replace('h/h', '/./h//h'),
    ]) {
      const response = await server.get(path);
      assert.equal(response.status, 200, path);
      assert.equal(await response.text(), 'a package');
      assert.equal(response.headers.get('content-type'), 'application/vnd.debian.binary-package');
    }
  });

  it('tells caches how long each kind of file stays as it is', async (t) => {
    const server = await startServer(t);
    const hash = createHash('md5').update(small).digest('hex');
    const byHash = `dists/bookworm/main/binary-amd64/by-hash/MD5Sum/${hash}`;
    const tree = await server.tree({
      'dists/bookworm/InRelease': inRelease,
      [byHash]: small,
      'pool/h/hello_1_all.deb': 'deb',
    });
    const paths = ['dists/bookworm/InRelease', byHash, 'pool/h/hello_1_all.deb'];
    await server.mirror('open', { tree, url: 'http://open.example' });
    await server.mirror('closed', { tree, url: 'http://closed.example', public: false });
    const { metadata } = await server.snapshot('frozen', { members: [member('x.example', tree)] });
    const day = 'max-age=86400';
    const ever = 'max-age=31536000, immutable';
    const expected = {
      '/open.example': ['no-cache', `public, ${ever}`, `public, ${day}`],
      '/closed.example': ['private, no-cache', `private, ${ever}`, `private, ${day}`],
      '/snapshots/frozen/x.example': ['no-cache', `public, ${ever}`, `public, ${ever}`],
      [`/snapshots/${metadata.uid}/x.example`]: Array(3).fill(`public, ${ever}`),
    };
    for (const [prefix, policies] of Object.entries(expected)) {
      for (const [index, path] of paths.entries()) {
        const authorization = 'Bearer read-token-of-the-test';
        const { headers, status } = await server.get(`${prefix}/${path}`, { authorization });
        assert.equal(status, 200);
        assert.equal(headers.get('cache-control'), policies[index], `${prefix}/${path}`);
      }
    }
  });

  it('serves flat repositories as apt asks for them, and keeps their packages in caches', async (t) => {
    const server = await startServer(t);
    const tree = await server.tree({ InRelease: inRelease, Packages: small, 'a_1_all.deb': 'deb' });
    await server.mirror('flat', { tree, url: 'http://flat.example/r/', suites: [suite('./')] });
    const release = await server.get('/flat.example/r/./InRelease');
    assert.equal(await release.text(), inRelease);
    assert.equal(release.headers.get('last-modified'), published);
    assert.equal(release.headers.get('cache-control'), 'no-cache');
    const pool = await server.get('/flat.example/r/./a_1_all.deb');
    assert.equal(pool.headers.get('cache-control'), 'public, max-age=86400');
  });

  it('refuses to change anything', async (t) => {
    const server = await withMirror(t);
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
      const response = await server.get(`${base}/dists/bookworm/InRelease`, {}, method);
      assert.equal(response.status, 405, method);
      assert.equal(response.headers.get('allow'), 'GET, HEAD');
    }
  });

  it('says what is wrong when a listed file is not in the depot', async (t) => {
    const server = await startServer(t);
    const tree = await server.treeWithout('pool/gone.deb', { 'pool/gone.deb': 'x', 'pool/a': 'a' });
    await server.mirror('debian', { tree });
    const response = await server.get(`${base}/pool/gone.deb`);
    assert.equal(response.status, 500);
    assert.match(server.logs.join(''), /pool\/gone\.deb/);
  });
});

describe('conditions and ranges', () => {
  const etag = `"${described(large).sha256}"`;
  const path = `${base}/dists/bookworm/main/binary-amd64/Packages.xz`;
  const size = large.length;
  const cases: readonly [string, Record<string, string>, number, string?][] = [
    ['a date before the file', { 'if-modified-since': 'Sat, 01 Aug 2026 09:59:59 GMT' }, 200],
    ['the date of the file', { 'if-modified-since': published }, 304],
    ['a date after the file', { 'if-modified-since': 'Sat, 01 Aug 2026 10:00:01 GMT' }, 304],
    ['a date that is none', { 'if-modified-since': 'yesterday' }, 200],
    ['its tag', { 'if-none-match': etag }, 304],
    ['its tag among others', { 'if-none-match': `"x", W/${etag}` }, 304],
    ['any tag', { 'if-none-match': '*' }, 304],
    [
      'another tag, whatever the date',
      { 'if-none-match': '"x"', 'if-modified-since': published },
      200,
    ],
    ['a tag that must match', { 'if-match': etag }, 200],
    ['a tag that does not', { 'if-match': '"x"' }, 412],
    ['the first bytes', { range: 'bytes=0-9' }, 206, `bytes 0-9/${size}`],
    ['from the middle on', { range: 'bytes=1000000-' }, 206, `bytes 1000000-${size - 1}/${size}`],
    ['the last bytes', { range: 'bytes=-5' }, 206, `bytes ${size - 5}-${size - 1}/${size}`],
    ['more than there is', { range: `bytes=5-${size * 2}` }, 206, `bytes 5-${size - 1}/${size}`],
    [
      'a longer tail than there is',
      { range: `bytes=-${size * 2}` },
      206,
      `bytes 0-${size - 1}/${size}`,
    ],
    ['past the end', { range: `bytes=${size}-` }, 416, `bytes */${size}`],
    ['an empty tail', { range: 'bytes=-0' }, 416, `bytes */${size}`],
    ['several ranges', { range: 'bytes=0-1,4-5' }, 200],
    ['a range backwards', { range: 'bytes=5-1' }, 200],
    ['another unit', { range: 'lines=1-2' }, 200],
    [
      'a range of this version by tag',
      { range: 'bytes=1-2', 'if-range': etag },
      206,
      `bytes 1-2/${size}`,
    ],
    ['a range of another version', { range: 'bytes=1-2', 'if-range': '"x"' }, 200],
    ['a range by a weak tag', { range: 'bytes=1-2', 'if-range': `W/${etag}` }, 200],
    ['a range by date', { range: 'bytes=1-2', 'if-range': published }, 206, `bytes 1-2/${size}`],
    [
      'a range by another date',
      { range: 'bytes=1-2', 'if-range': 'Sat, 01 Aug 2026 10:00:01 GMT' },
      200,
    ],
    ['a range of what is known already', { range: 'bytes=1-2', 'if-none-match': etag }, 304],
  ];

  it('follows RFC 9110 for a large file', async (t) => {
    const server = await withMirror(t);
    for (const [name, headers, status, contentRange = null] of cases) {
      const response = await server.get(path, headers);
      const body = Buffer.from(await response.arrayBuffer());
      assert.equal(response.status, status, name);
      assert.equal(response.headers.get('content-range'), contentRange, name);
      if (status === 200) assert.ok(body.equals(large), name);
      if (status === 206) {
        const [, start, end] = /(\d+)-(\d+)/.exec(contentRange ?? '') ?? [];
        assert.ok(body.equals(large.subarray(Number(start), Number(end) + 1)), name);
      }
      if (status === 304 || status === 416) assert.equal(body.length, 0, name);
      if (status === 304) assert.equal(response.headers.get('etag'), etag);
    }
  });

  it('follows it for a small file that is in memory, too', async (t) => {
    const server = await withMirror(t);
    const file = `${base}/dists/bookworm/main/binary-amd64/Packages`;
    await (await server.get(file)).text();
    const part = await server.get(file, { range: 'bytes=9-13' });
    assert.equal(part.status, 206);
    assert.equal(await part.text(), 'hello');
    assert.equal((await server.get(file, { 'if-modified-since': published })).status, 304);
    assert.equal((await server.get(file, { range: 'bytes=9-13' }, 'HEAD')).status, 200);
  });
});
