/** Git hosts tell of pushes: who is believed, and what comes of it. */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { describe, it } from 'node:test';
import { annotations, apiVersion } from '../../../crds/object.ts';
import { SourceKind } from '../../../crds/source.ts';
import type { Scope } from '../../world/temp.ts';
import { startServer } from './fixture.ts';
import { raw } from './raw.ts';

/** GitHub's own example: https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries */
const githubToken = "It's a Secret to Everybody";
const githubExample = 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17';
/** The example of https://www.standardwebhooks.com */
const standardToken = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const standardHeaders = {
  'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
  'webhook-timestamp': '1614265330',
  'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
};
const standardBody = '{"test": 2432232314}';

const hex = (body: string, token = githubToken) =>
  createHmac('sha256', token).update(body).digest('hex');
const push = (ref: string) => JSON.stringify({ ref, repository: { name: 'x' } });

async function world(t: Scope, ref: object = { branch: 'main' }) {
  const secrets: Record<string, Record<string, string>> = {
    hook: { token: githubToken, gitlab: standardToken, short: 'guess me', empty: '' },
  };
  let time = Date.parse('2026-08-01T00:00:00Z');
  const server = await startServer(t, {
    secrets: async ({ name }) => secrets[name],
    now: () => new Date((time += 1)),
  });
  const source = (name: string, webhook?: object) =>
    server.store.create({
      apiVersion,
      kind: SourceKind.kind,
      metadata: { name, namespace: 'default' },
      spec: {
        ...{ url: 'https://git.example.org/x.git', ref, repositoryRef: { name: 'tools' } },
        build: { base: { image: 'debian' } },
        ...(webhook && { webhook }),
      },
    });
  await source('hello', { secretRef: { name: 'hook' } });
  const key = { kind: SourceKind.kind, namespace: 'default', name: 'hello' };
  const pushed = async () =>
    (await server.store.get(key))?.metadata.annotations?.[annotations.pushed];
  const call = async (
    headers: Record<string, string>,
    body = push('refs/heads/main'),
    of = 'hello',
  ) => {
    const answer = await fetch(`${server.url}/hooks/default/${of}`, {
      ...{ method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body },
    });
    return { status: answer.status, text: await answer.text() };
  };
  return { server, secrets, source, pushed, call };
}

describe('a webhook', () => {
  const body = push('refs/heads/main');
  const signed: Readonly<Record<string, Record<string, string>>> = {
    GitHub: { 'x-github-event': 'push', 'x-hub-signature-256': `sha256=${hex(body)}` },
    Gitea: { 'x-gitea-event': 'push', 'x-gitea-signature': hex(body) },
    Forgejo: { 'x-forgejo-event': 'push', 'x-forgejo-signature': hex(body) },
    GitLab: { 'x-gitlab-event': 'Push Hook', 'x-gitlab-token': githubToken },
    Bitbucket: { 'x-event-key': 'repo:push', 'x-hub-signature': `sha256=${hex(body)}` },
    anybody: { 'x-signature': `sha256=${hex(body).toUpperCase()}` },
  };
  for (const [host, headers] of Object.entries(signed)) {
    it(`of ${host} wakes the Source`, async (t) => {
      const { call, pushed } = await world(t);

      assert.equal((await call(headers, body)).status, 202);
      assert.match((await pushed()) ?? '', /^2026-08-01T/);
    });
  }

  it('takes the examples that GitHub and Standard Webhooks give', async (t) => {
    const { call, source, pushed } = await world(t);
    await source('signed', { secretRef: { name: 'hook', key: 'gitlab' } });

    assert.equal(
      (await call({ 'x-hub-signature-256': githubExample }, 'Hello, World!')).status,
      202,
    );
    assert.ok(await pushed());
    assert.equal((await call(standardHeaders, standardBody, 'signed')).status, 202);
    const older = { ...standardHeaders, 'webhook-timestamp': '1614265329' };
    assert.equal((await call(older, standardBody, 'signed')).status, 403);
    const rotated = `v1,${'A'.repeat(43)}= ${standardHeaders['webhook-signature']}`;
    const both = { ...standardHeaders, 'webhook-signature': rotated };
    assert.equal((await call(both, standardBody, 'signed')).status, 202);
  });

  it('tells nothing to who does not know the token', async (t) => {
    const { call, source, server, pushed } = await world(t);
    await source('open');
    await source('short', { secretRef: { name: 'hook', key: 'short' } });
    await source('empty', { secretRef: { name: 'hook', key: 'empty' } });
    await source('lost', { secretRef: { name: 'nowhere' } });
    const right = `sha256=${hex(body)}`;
    const wrong: Record<string, string>[] = [
      {},
      { 'x-hub-signature-256': `sha256=${hex(body, 'another token of the test')}` },
      { 'x-hub-signature-256': `sha256=${hex(`${body} `)}` },
      { 'x-hub-signature-256': right.slice(0, -1) },
      { 'x-hub-signature-256': `${right}, ${right}` },
      { 'x-hub-signature-256': right.replace('sha256', 'sha1') },
      { 'x-gitlab-token': '' },
      { 'x-gitlab-token': githubToken.slice(0, -1) },
      { 'x-gitea-signature': createHmac('sha256', '').update(body).digest('hex') },
      { ...standardHeaders },
    ];
    const answers = new Set<string>();
    const told = async (headers: Record<string, string>, of?: string) => {
      const { status, text } = await call(headers, body, of);
      answers.add(`${status} ${text}`);
    };
    for (const headers of wrong) await told(headers);
    await told({ 'x-hub-signature-256': right }, 'nobody');
    await told({ 'x-hub-signature-256': right }, 'open');
    await told({ 'x-gitlab-token': 'guess me' }, 'short');
    await told({ 'x-hub-signature-256': `sha256=${hex(body, '')}` }, 'empty');
    await told({ 'x-hub-signature-256': `sha256=${hex(body, 'undefined')}` }, 'lost');

    assert.equal(answers.size, 1, [...answers].join('\n'));
    assert.match([...answers].join(), /^403 /);
    assert.equal(await pushed(), undefined);
    assert.ok(!server.logs.join('').includes(githubToken));
    assert.match(
      await server.metrics.metrics(),
      /cairn_webhook_requests_total\{result="refused"\} 15\n/,
    );
  });

  it('counts with the token of before and the next one, while it is changed', async (t) => {
    const { call, secrets } = await world(t);
    secrets['hook'] = { token: `the next token of the test\n${githubToken}` };

    assert.equal((await call({ 'x-gitlab-token': githubToken })).status, 202);
    assert.equal((await call({ 'x-gitlab-token': 'the next token of the test' })).status, 202);
    secrets['hook'] = { token: 'the next token of the test' };
    assert.equal((await call({ 'x-gitlab-token': githubToken })).status, 403);
  });

  it('is answered, and wakes nobody, when it is about something else', async (t) => {
    const { call, pushed } = await world(t);
    const token = { 'x-gitlab-token': githubToken };

    const ping = await call({ ...token, 'x-github-event': 'ping' }, '{"zen":"Keep it simple."}');
    assert.deepEqual(ping, { status: 200, text: 'pong\n' });
    const others: readonly [Record<string, string>, string][] = [
      [{ 'x-github-event': 'issues' }, body],
      [{ 'x-gitlab-event': 'Merge Request Hook' }, body],
      [{ 'x-github-event': 'push' }, push('refs/heads/other')],
      [{ 'x-github-event': 'push' }, push('refs/tags/main')],
      [
        { 'content-type': 'application/x-www-form-urlencoded' },
        `payload=${encodeURIComponent(push('refs/heads/other'))}`,
      ],
    ];
    for (const [headers, text] of others) {
      const { status } = await call({ ...token, ...headers }, text);
      assert.equal(status, 202);
      assert.equal(await pushed(), undefined, JSON.stringify(headers));
    }
    const unclear: readonly [Record<string, string>, string][] = [
      [{ 'x-github-event': 'create' }, '{"ref":"v1.0","ref_type":"tag"}'],
      [{}, 'no JSON'],
      [{}, '[1, 2'],
      [{}, '[]'.repeat(200_000)],
      [{}, '['.repeat(100_000)],
    ];
    for (const [headers, text] of unclear) {
      const before = await pushed();
      assert.equal((await call({ ...token, ...headers }, text)).status, 202);
      assert.notEqual(await pushed(), before, text.slice(0, 40));
    }
  });

  it('of a tag is about the Source whose pattern it fits', async (t) => {
    const { call, pushed } = await world(t, { semver: 'v1.*' });
    const token = { 'x-gitlab-token': githubToken };

    for (const ref of ['refs/heads/v1.0', 'refs/tags/v2.0']) await call(token, push(ref));
    assert.equal(await pushed(), undefined);
    await call(token, push('refs/tags/v1.2'));
    assert.ok(await pushed());
  });

  it('of which there are many is written down once a second', async (t) => {
    const { call, server } = await world(t);
    const writes: string[] = [];
    const watching = new AbortController();
    t.after(() => watching.abort());
    const follow = (async () => {
      for await (const event of server.store.watch(SourceKind.kind, { signal: watching.signal })) {
        if (event.type === 'modified') writes.push(event.object.metadata.resourceVersion);
      }
    })();
    const answers = await Promise.all(
      Array.from({ length: 300 }, () => call({ 'x-gitlab-token': githubToken })),
    );

    assert.ok(answers.every(({ status }) => status === 202));
    watching.abort();
    await follow;
    assert.ok(writes.length >= 1 && writes.length <= 3, String(writes.length));
  });

  it('has a body of bounded size, and is posted', async (t) => {
    const { server } = await world(t);
    const path = '/hooks/default/hello';
    const large = await raw(
      server.port,
      `POST ${path} HTTP/1.1\r\nHost: x\r\nX-Gitlab-Token: ${githubToken}\r\nTransfer-Encoding: chunked\r\n\r\n` +
        `${`100000\r\n${'x'.repeat(0x100000)}\r\n`.repeat(27)}0\r\n\r\n`,
    );
    assert.match(large, /^HTTP\/1\.1 413 /);
    const got = await server.get(path);
    assert.deepEqual([got.status, got.headers.get('allow')], [405, 'POST']);
    assert.equal((await server.get('/hooks/default')).status, 404);
    assert.equal((await server.get('/readyz')).status, 200);
  });
});
