import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { annotations } from '../../../crds/object.ts';
import { kubectlFor } from '../../world/kubectl.ts';
import type { Scope } from '../../world/temp.ts';
import { call, mirror, mirrors, root } from './api-client.ts';
import { adminToken, readToken, roleTokens, startServer, type Fixture } from './fixture.ts';

const merge = 'application/merge-patch+json';
const apply = 'application/apply-patch+yaml';
const production = `${root}/namespaces/default/environments/production`;

type Holder = keyof typeof roleTokens | 'admin' | 'reader';
const tokens = { ...roleTokens, admin: adminToken, reader: readToken };

interface Sending {
  readonly body?: unknown;
  readonly type?: string;
}

/** Sends something as the holder of a token. */
function as(server: Fixture, holder: Holder) {
  const headers = { authorization: `Bearer ${tokens[holder]}` };
  return (method: string, path: string, sending: Sending = {}) =>
    call(server, method, path, { ...sending, headers });
}

/** A server that others can reach, with an environment and a mirror. */
async function world(t: Scope): Promise<Fixture> {
  const server = await startServer(t, { externalUrl: 'https://apt.example.com' });
  await server.environment('production', { members: [] });
  await as(server, 'admin')('POST', mirrors, { body: mirror('a') });
  return server;
}

const promotion = { spec: { snapshotRef: { name: 'b' } } };

describe('a role', () => {
  it('may do what it is for, and nothing else', async (t) => {
    const server = await world(t);
    const status = { status: { observedGeneration: 3 } };
    const cases: readonly (readonly [string, string, Sending, readonly Holder[]])[] = [
      ['GET', mirrors, {}, ['reader', 'viewer', 'promoter', 'editor', 'admin']],
      ['PATCH', production, { body: promotion, type: merge }, ['promoter', 'editor', 'admin']],
      [
        'PATCH',
        `${mirrors}/a`,
        { body: { spec: {} }, type: merge },
        ['promoter', 'editor', 'admin'],
      ],
      [
        'PATCH',
        `${mirrors}/a`,
        { body: { spec: { suspend: true } }, type: merge },
        ['editor', 'admin'],
      ],
      ['POST', `${mirrors}?dryRun=All`, { body: mirror('b') }, ['editor', 'admin']],
      ['DELETE', `${mirrors}/a?dryRun=All`, {}, ['editor', 'admin']],
      ['DELETE', `${mirrors}?dryRun=All`, {}, ['editor', 'admin']],
      ['PATCH', `${mirrors}/a/status`, { body: status, type: merge }, ['admin']],
    ];
    for (const [method, path, sending, allowed] of cases) {
      for (const holder of ['reader', 'viewer', 'promoter', 'editor', 'admin'] as const) {
        const { status, body } = await as(server, holder)(method, path, sending);
        const about = `${holder} ${method} ${path} ${JSON.stringify(sending)} ${JSON.stringify(body)}`;
        assert.equal(status === 403, !allowed.includes(holder), about);
        assert.ok(status === 403 || status < 300, about);
        if (status === 403) assert.equal(body.reason, 'Forbidden');
        await as(server, 'admin')('PATCH', `${mirrors}/a`, {
          body: { spec: { suspend: false } },
          type: merge,
        });
      }
    }
  });

  it('is refused in the words of Kubernetes', async (t) => {
    const server = await world(t);
    const { body } = await as(server, 'viewer')('DELETE', `${mirrors}/a`);
    assert.equal(
      body.message,
      'mirrors.cairn.build "a" is forbidden: User "viewer" cannot delete resource "mirrors" in API ' +
        'group "cairn.build" in the namespace "default"',
    );
    const unknown = await call(server, 'DELETE', `${mirrors}/a`, {
      headers: { authorization: 'Bearer nonsense' },
    });
    assert.equal(unknown.status, 401);
    assert.equal((await call(server, 'DELETE', `${mirrors}/a`)).status, 401);
  });
});

describe('a promoter', () => {
  it('promotes, asks for work and approves, however it writes', async (t) => {
    const server = await world(t);
    const promoter = as(server, 'promoter');
    const notes = {
      [annotations.reconcile]: 'now',
      [annotations.shrinkApproved]: 'sha256',
      [annotations.pruneApproved]: 'sha256',
    };
    const step = [{ op: 'replace', path: '/spec/snapshotRef/name', value: 'c' }];
    const patched = await promoter('PATCH', production, {
      body: { ...promotion, metadata: { annotations: notes } },
      type: merge,
    });
    assert.equal(patched.status, 200, JSON.stringify(patched.body));
    const json = await promoter('PATCH', production, {
      body: step,
      type: 'application/json-patch+json',
    });
    assert.equal(json.body.spec.snapshotRef.name, 'c');
    const put = { ...json.body, spec: { ...json.body.spec, snapshotRef: { name: 'd' } } };
    assert.equal((await promoter('PUT', production, { body: put })).status, 200);
    const applied = await promoter('PATCH', `${production}?fieldManager=p&force=true`, {
      body: { spec: { snapshotRef: { name: 'e' } } },
      type: apply,
    });
    assert.equal(applied.body.spec?.snapshotRef.name, 'e', JSON.stringify(applied.body));
    const note = { metadata: { annotations: { [annotations.reconcile]: 'now' } } };
    const asked = await promoter('PATCH', `${mirrors}/a`, { body: note, type: merge });
    assert.equal(asked.status, 200);
  });

  it('changes nothing else, and is told what', async (t) => {
    const server = await world(t);
    const promoter = as(server, 'promoter');
    const before = (await promoter('GET', production)).body;
    const patches: readonly (readonly [object, string])[] = [
      [{ spec: { suspend: true, snapshotRef: { name: 'b' } } }, '.spec.suspend'],
      [{ spec: { signing: { epoch: 2 } } }, '.spec.signing.epoch'],
      [{ metadata: { labels: { x: 'y' } } }, '.metadata.labels.x'],
      [{ metadata: { annotations: { [annotations.prune]: 'Never' } } }, annotations.prune],
      [{ metadata: { finalizers: ['x.org/y'] } }, '.metadata.finalizers'],
    ];
    for (const [body, place] of patches) {
      const refused = await promoter('PATCH', production, { body, type: merge });
      assert.equal(refused.status, 403, JSON.stringify(body));
      assert.ok(refused.body.message.includes(place), refused.body.message);
      const path = `${production}?fieldManager=p&force=true`;
      const applied = await promoter('PATCH', path, { body, type: apply });
      assert.equal(applied.status, 403, JSON.stringify(applied.body));
    }
    const elsewhere = await promoter('PATCH', `${mirrors}/a`, {
      body: { spec: { suites: ['t'] } },
      type: merge,
    });
    assert.equal(elsewhere.status, 403);
    const made = await promoter('PATCH', `${mirrors}/new?fieldManager=p`, {
      body: mirror('new'),
      type: apply,
    });
    assert.equal(made.status, 404);
    const owners = { metadata: { managedFields: [{}] } };
    await promoter('PATCH', production, { body: owners, type: merge });
    assert.deepEqual((await promoter('GET', production)).body, before);
  });
});

describe('kubectl auth', () => {
  it('says who one is, and what one may do', async (t) => {
    const server = await startServer(t);
    const kubectl = kubectlFor(t, server);
    const who = await kubectl('auth', 'whoami', '-o', 'jsonpath={.status.userInfo.username}');
    assert.equal(who.stdout, 'system:local', who.output);
    const can = async (...words: readonly string[]) =>
      (await kubectl('auth', 'can-i', ...words)).stdout.trim();
    assert.equal(await can('delete', 'environments'), 'yes');
    assert.equal(await can('list', 'events'), 'yes');
    assert.equal(await can('patch', 'environments', '--subresource=status'), 'no');
    assert.equal(await can('get', 'pods'), 'no');
    assert.equal(await can('*', '*'), 'no');
  });

  it('is refused where a token is needed and there is none', async (t) => {
    const server = await world(t);
    const kubectl = kubectlFor(t, server);
    const refused = await kubectl('delete', 'mirror', 'a');
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /You must be logged in to the server|writing needs a token/);
  });
});
