import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { followed } from '../../../reconcilers/fetch/responses.ts';
import type { Credentials } from '../../../reconcilers/fetch/upstream.ts';
import { failureOf, serve, signal, textOf, upstreamAt } from './fetch-world.ts';

/** An archive that redirects everything below /away/ to another server, and what both were told. */
async function twoServers(t: TestContext) {
  const told: [server: string, authorization: string | undefined][] = [];
  const elsewhere = await serve(t, ({ headers }, response) => {
    told.push(['elsewhere', headers.authorization]);
    response.end('from elsewhere');
  });
  const archive = await serve(t, ({ headers, url = '' }, response) => {
    told.push(['archive', headers.authorization]);
    const [, path] = /^\/away\/(.*)/.exec(url) ?? [];
    if (path === undefined) response.end('from the archive');
    else if (path === 'back') response.writeHead(302, { location: '/here' }).end();
    else response.writeHead(302, { location: `${elsewhere}/${path}` }).end('moved');
  });
  return { archive, elsewhere, told };
}

const cases: readonly [string, Credentials, string][] = [
  [
    'user name and password',
    { username: 'me', password: 'pass:wörd' },
    'Basic bWU6cGFzczp3w7ZyZA==',
  ],
  ['a bearer token', { bearerToken: 'token-1' }, 'Bearer token-1'],
];

for (const [what, credentials, header] of cases) {
  test(`sends ${what} to the archive, and to nobody that it redirects to`, async (t) => {
    const { archive, told } = await twoServers(t);
    const upstream = upstreamAt(t, archive, { credentials });

    assert.equal(await textOf(upstream, 'here'), 'from the archive');
    assert.equal(await textOf(upstream, 'away/file'), 'from elsewhere');
    assert.equal(await textOf(upstream, 'away/back'), 'from the archive');

    assert.deepEqual(told, [
      ['archive', header],
      ['archive', header],
      ['elsewhere', undefined],
      ['archive', header],
      ['archive', header],
    ]);
  });
}

test('sends nothing when there are no credentials, or only those of the proxy', async (t) => {
  const { archive, told } = await twoServers(t);

  await textOf(upstreamAt(t, archive), 'here');
  await textOf(upstreamAt(t, archive, { credentials: { proxyUsername: 'me' } }), 'here');

  assert.deepEqual(told, [
    ['archive', undefined],
    ['archive', undefined],
  ]);
});

const secrets = /hidden|aGlkZGVu/;

for (const status of [401, 403, 404, 500]) {
  test(`never tells a secret when it is answered with ${status}`, async (t) => {
    const url = await serve(t, (_, response) => response.writeHead(status).end());
    const credentials = { username: 'hidden', password: 'hidden' };
    const upstream = upstreamAt(t, url, { credentials });
    const page = upstream.page('file', { maxBytes: 10, signal });

    if (status === 404) assert.equal((await page).status, 'missing');
    else assert.doesNotMatch(String(await failureOf(page)), secrets);
  });
}

test('never tells a bearer token that no header can hold', async (t) => {
  const { archive } = await twoServers(t);
  const upstream = upstreamAt(t, archive, { credentials: { bearerToken: 'hidden\nhidden' } });

  assert.doesNotMatch(String(await failureOf(textOf(upstream, 'here'))), secrets);
});

for (const [what, status] of [
  ['refuses', 403],
  ['fails', 500],
  ['redirects on and on', 302],
  ['redirects to another scheme', 301],
] as const) {
  test(`never tells the signature in an address that somebody ${what}`, async (t) => {
    const location = status === 301 ? 'ftp://x/?signature=hidden' : '/file?signature=hidden';
    const url = await serve(t, (request, response) => {
      const isFirst = !request.url?.includes('?');
      response.writeHead(isFirst ? 302 : status, { location }).end();
    });

    const failure = await failureOf(textOf(upstreamAt(t, url), 'file'));

    assert.match(failure.message, /file/);
    assert.doesNotMatch(failure.message, secrets);
  });
}

test('credentials in a redirect are not taken', () => {
  const next = followed(new URL('http://a/x'), 302, { location: 'http://me:pw@b/y' });

  assert.equal(next?.href, 'http://b/y');
});

test('https does not redirect to http, nor anything to another scheme', () => {
  const secure = new URL('https://deb.example.org/debian/file');
  const refused = { reason: 'UpstreamRefused', message: /refused/ };

  assert.throws(() => followed(secure, 301, { location: 'http://deb.example.org/file' }), refused);
  assert.throws(() => followed(secure, 302, { location: 'file:///etc/passwd' }), refused);
  assert.equal(
    followed(secure, 308, { location: '/other' })?.href,
    'https://deb.example.org/other',
  );
  const plain = new URL('http://deb.example.org/file');
  assert.equal(followed(plain, 301, { location: 'https://b/c' })?.href, 'https://b/c');
  assert.throws(() => followed(plain, 301, { location: 'ftp://b/c' }), refused);
});

test('what is no redirect leads nowhere', () => {
  const url = new URL('http://a/x');

  assert.equal(followed(url, 200, { location: '/y' }), undefined);
  assert.equal(followed(url, 302, {}), undefined);
  assert.equal(followed(url, 302, { location: 'http://[' }), undefined);
});
