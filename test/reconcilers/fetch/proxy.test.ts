import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { failureOf, serve, textOf, upstreamAt } from './fetch-world.ts';
import { forwardProxy } from './forward-proxy.ts';

const hello = (t: TestContext) => serve(t, (_, response) => response.end('hello'));

test('asks the proxy that the spec names, without a tunnel for http', async (t) => {
  const [url, proxy] = [await hello(t), await forwardProxy(t)];
  const upstream = upstreamAt(t, url, { proxy: proxy.url });

  assert.equal(await textOf(upstream, 'file'), 'hello');
  assert.deepEqual(proxy.asked, [`GET ${url}/file`]);
});

test('gives the proxy its password, and the archive another one', async (t) => {
  const seen: unknown[] = [];
  const url = await serve(t, ({ headers }, response) => {
    seen.push(headers.authorization, headers['proxy-authorization']);
    response.end('hello');
  });
  const proxy = await forwardProxy(t, { password: 'proxy-secret' });
  const credentials = {
    bearerToken: 'archive-secret',
    proxyUsername: 'me',
    proxyPassword: 'proxy-secret',
  };
  const upstream = upstreamAt(t, url, { proxy: proxy.url, credentials });

  assert.equal(await textOf(upstream, 'file'), 'hello');
  assert.deepEqual(seen, ['Bearer archive-secret', undefined]);
});

test('says what is missing when the proxy wants a password', async (t) => {
  const url = await hello(t);
  const proxy = await forwardProxy(t, { password: 'proxy-secret' });
  const credentials = { proxyUsername: 'me', proxyPassword: 'wrong-secret' };
  const upstream = upstreamAt(t, url, { proxy: proxy.url, credentials, retries: 3 });

  const failure = await failureOf(textOf(upstream, 'file'));

  assert.match(failure.message, /407.*proxyUsername/);
  assert.doesNotMatch(failure.message, /secret\b(?!Ref)/);
  assert.equal('reason' in failure && failure.reason, 'UpstreamRefused');
  assert.equal(proxy.asked.length, 1, 'a refusal is not tried again');
});

test('a proxy that goes silent is given up after the stall timeout', async (t) => {
  const url = await hello(t);
  const proxy = await forwardProxy(t, { stalls: true });
  const upstream = upstreamAt(t, url, { proxy: proxy.url, stallMs: 300 });

  assert.match((await failureOf(textOf(upstream, 'file'))).message, /Headers Timeout/);
});

test('a proxy that is not there is named', async (t) => {
  const url = await hello(t);
  const upstream = upstreamAt(t, url, { proxy: 'http://127.0.0.1:1' });

  assert.match((await failureOf(textOf(upstream, 'file'))).message, /127\.0\.0\.1:1\b/);
});

/** Sets variables of the environment for one test. */
function environment(t: TestContext, variables: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(variables)) {
    const before = process.env[name];
    t.after(() => {
      if (before === undefined) delete process.env[name];
      else process.env[name] = before;
    });
    process.env[name] = value;
  }
}

test('else the environment says which proxy to ask, and for which hosts none', async (t) => {
  const [url, proxy] = [await hello(t), await forwardProxy(t, { password: 'p@ss' })];
  const address = proxy.url.replace('http://', 'http://me:p%40ss@');
  environment(t, { http_proxy: address, no_proxy: 'localhost,.example.org' });

  assert.equal(await textOf(upstreamAt(t, url), 'file'), 'hello');
  assert.deepEqual(proxy.asked, [`GET ${url}/file`]);

  const direct = upstreamAt(t, url.replace('127.0.0.1', 'localhost'));
  assert.equal(await textOf(direct, 'file'), 'hello');
  assert.equal(proxy.asked.length, 1);
});

test('the proxy of the spec wins over the environment', async (t) => {
  const [url, proxy] = [await hello(t), await forwardProxy(t)];
  environment(t, { http_proxy: 'http://127.0.0.1:1' });

  assert.equal(await textOf(upstreamAt(t, url, { proxy: proxy.url }), 'file'), 'hello');
});
