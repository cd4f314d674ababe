import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { call, mirror, mirrors, root } from './api-client.ts';
import { startServer } from './fixture.ts';

const merge = 'application/merge-patch+json';
const apply = 'application/apply-patch+yaml';

describe('the API', () => {
  it('creates, reads, changes and deletes an object', async (t) => {
    const server = await startServer(t);
    const created = await call(server, 'POST', mirrors, { body: mirror('a') });
    assert.equal(created.status, 201);
    assert.equal(created.body.metadata.namespace, 'default');
    assert.equal(created.body.spec.checkValidUntil, true, 'defaults are filled in');
    const read = await call(server, 'GET', `${mirrors}/a`);
    assert.deepEqual(read.body, created.body);

    const replaced = await call(server, 'PUT', `${mirrors}/a`, {
      body: { ...read.body, spec: { ...read.body.spec, suites: ['t'] } },
    });
    assert.equal(replaced.status, 200);
    assert.deepEqual(replaced.body.spec.suites, ['t']);
    assert.equal(replaced.body.metadata.generation, 2);

    const patch = { metadata: { labels: { tier: 'base' } }, spec: { suspend: true } };
    const patched = await call(server, 'PATCH', `${mirrors}/a`, { body: patch, type: merge });
    assert.deepEqual([patched.status, patched.body.spec.suspend], [200, true]);
    assert.deepEqual(patched.body.spec.suites, ['t']);
    const unset = { metadata: { labels: { tier: null } } };
    const unlabelled = await call(server, 'PATCH', `${mirrors}/a`, { body: unset, type: merge });
    assert.equal(unlabelled.body.metadata.labels, undefined);

    const deleted = await call(server, 'DELETE', `${mirrors}/a`);
    assert.deepEqual([deleted.status, deleted.body.status], [200, 'Success']);
    const gone = await call(server, 'GET', `${mirrors}/a`);
    assert.deepEqual([gone.status, gone.body.kind, gone.body.reason], [404, 'Status', 'NotFound']);
    assert.match(gone.body.message, /mirrors\.cairn\.build "a" not found/);
  });

  it('keeps an object with finalizers until they are taken off', async (t) => {
    const server = await startServer(t);
    await call(server, 'POST', mirrors, { body: mirror('a') });
    const finalizers = (list: readonly string[]) =>
      call(server, 'PATCH', `${mirrors}/a`, {
        body: { metadata: { finalizers: list } },
        type: merge,
      });
    await finalizers(['cairn.build/finalizer']);
    const deleting = await call(server, 'DELETE', `${mirrors}/a`);
    assert.ok(deleting.body.metadata.deletionTimestamp);
    await finalizers([]);
    assert.equal((await call(server, 'GET', `${mirrors}/a`)).status, 404);
  });

  it('reads YAML as kubectl does', async (t) => {
    const server = await startServer(t);
    const spec = 'url: http://x.example, suites: [s], allowUnsigned: yes, maxShrinkPercent: 010';
    const body = `apiVersion: cairn.build/v1alpha1\nkind: Mirror\nmetadata: {name: a}\nspec: {${spec}}\n`;
    const created = await call(server, 'POST', mirrors, { body, type: 'application/yaml' });
    assert.deepEqual([created.status, created.body.spec.maxShrinkPercent], [201, 8]);
  });

  it('applies YAML on behalf of a manager', async (t) => {
    const server = await startServer(t);
    const manifest = (label: string) => `
apiVersion: cairn.build/v1alpha1
kind: Mirror
metadata:
  name: a
  labels: {${label}: "1"}
spec: {url: "http://x.example", suites: [s], allowUnsigned: true}
`;
    const send = (label: string) =>
      call(server, 'PATCH', `${mirrors}/a?fieldManager=me&force=true`, {
        body: manifest(label),
        type: apply,
      });
    assert.equal((await send('one')).status, 201);
    const again = await send('two');
    assert.deepEqual([again.status, again.body.metadata.labels], [200, { two: '1' }]);
    const nobody = await call(server, 'PATCH', `${mirrors}/a`, {
      body: manifest('x'),
      type: apply,
    });
    assert.equal(nobody.status, 422);
    assert.match(nobody.body.message, /^fieldManager: /);
  });

  it('lists by namespace, label and name', async (t) => {
    const server = await startServer(t);
    const labels = { tier: 'base' };
    await call(server, 'POST', mirrors, { body: mirror('a', {}, { labels }) });
    await call(server, 'POST', mirrors, { body: mirror('b') });
    const team = `${root}/namespaces/team/mirrors`;
    await call(server, 'POST', team, { body: mirror('a', {}, { labels }) });
    const names = async (path: string) => {
      const { body } = await call(server, 'GET', path);
      assert.equal(body.kind, 'MirrorList');
      assert.match(body.metadata.resourceVersion, /^\d+$/);
      return body.items.map(
        ({ metadata }: { metadata: { namespace: string; name: string } }) =>
          `${metadata.namespace}/${metadata.name}`,
      );
    };
    assert.deepEqual(await names(`${root}/mirrors`), ['default/a', 'default/b', 'team/a']);
    assert.deepEqual(await names(mirrors), ['default/a', 'default/b']);
    assert.deepEqual(await names(`${root}/mirrors?labelSelector=tier%3Dbase`), [
      'default/a',
      'team/a',
    ]);
    assert.deepEqual(await names(`${mirrors}?fieldSelector=metadata.name%3Db`), ['default/b']);
    const refused = await call(
      server,
      'GET',
      `${mirrors}?labelSelector=${encodeURIComponent('a in b')}`,
    );
    assert.equal(refused.status, 400);
  });

  it('tells every mistake at once, with the field', async (t) => {
    const server = await startServer(t);
    const body = mirror('a', { url: 'ftp://x', suites: [], colour: 'red' });
    const answer = await call(server, 'POST', mirrors, { body });
    assert.deepEqual([answer.status, answer.body.reason], [422, 'Invalid']);
    const fields = answer.body.details.causes.map(({ field }: { field: string }) => field).sort();
    assert.deepEqual(fields, ['spec.colour', 'spec.suites', 'spec.url']);
    assert.equal(answer.body.details.name, 'a');
  });

  it('refuses conflicts, duplicates and bodies that contradict their URL', async (t) => {
    const server = await startServer(t);
    const { body } = await call(server, 'POST', mirrors, { body: mirror('a') });
    const stale = { ...body, metadata: { ...body.metadata, resourceVersion: '0' } };
    const cases: readonly (readonly [string, string, object, number, string])[] = [
      ['POST', mirrors, { body: mirror('a') }, 409, 'AlreadyExists'],
      [
        'PUT',
        `${mirrors}/a`,
        { body: { ...stale, spec: { ...body.spec, suspend: true } } },
        409,
        'Conflict',
      ],
      ['PUT', `${mirrors}/b`, { body }, 404, 'NotFound'],
      ['PUT', `${mirrors}/a`, { body: mirror('b') }, 400, 'BadRequest'],
      ['POST', mirrors, { body: { ...mirror('c'), kind: 'Snapshot' } }, 400, 'BadRequest'],
      ['POST', mirrors, { body: mirror('c', {}, { namespace: 'team' }) }, 400, 'BadRequest'],
      ['POST', mirrors, { body: mirror('UPPER') }, 422, 'Invalid'],
      [
        'PATCH',
        `${mirrors}/a`,
        { body: { metadata: { resourceVersion: '0' }, spec: { suspend: true } }, type: merge },
        409,
        'Conflict',
      ],
      [
        'PATCH',
        `${mirrors}/a`,
        { body: {}, type: 'application/strategic-merge-patch+json' },
        415,
        'UnsupportedMediaType',
      ],
      ['DELETE', `${mirrors}/a`, { body: { preconditions: { uid: 'other' } } }, 409, 'Conflict'],
      [
        'DELETE',
        `${mirrors}/a`,
        { body: { preconditions: { resourceVersion: '0' } } },
        409,
        'Conflict',
      ],
      ['DELETE', `${mirrors}/b`, {}, 404, 'NotFound'],
      ['PUT', mirrors, { body }, 405, 'MethodNotAllowed'],
      ['POST', mirrors, { body: '{"kind":' }, 400, 'BadRequest'],
      ['POST', mirrors, { body: 'a: &a [1]\nb: *a', type: 'application/yaml' }, 400, 'BadRequest'],
      ['POST', `${mirrors}?dryRun=Some`, { body: mirror('c') }, 422, 'Invalid'],
      [
        'POST',
        mirrors,
        { body: mirror('c', { x: 'y'.repeat(1_600_000) }) },
        413,
        'RequestEntityTooLarge',
      ],
      ['GET', `${root}/namespaces/default/unicorns`, {}, 404, 'NotFound'],
      ['GET', `${root}/namespaces/default/unicorns/%zz`, {}, 400, 'BadRequest'],
      ['GET', '/apis/apps/v1/deployments', {}, 404, 'NotFound'],
      ['GET', '/api/unknown', {}, 404, 'NotFound'],
    ];
    for (const [method, path, request, status, reason] of cases) {
      const answer = await call(server, method, path, request);
      const about = `${method} ${path} ${JSON.stringify(answer.body)}`;
      assert.equal(answer.body.kind, 'Status', about);
      assert.deepEqual(
        [answer.status, answer.body.code, answer.body.reason],
        [status, status, reason],
        about,
      );
    }
    assert.deepEqual((await call(server, 'GET', `${mirrors}/a`)).body, body);
  });

  it('merges patches that come at the same time', async (t) => {
    const server = await startServer(t);
    await call(server, 'POST', mirrors, { body: mirror('a') });
    const names = ['a', 'b', 'c', 'd', 'e', 'f'];
    const answers = await Promise.all(
      names.map((name) =>
        call(server, 'PATCH', `${mirrors}/a`, {
          body: { metadata: { labels: { [name]: 'x' } } },
          type: merge,
        }),
      ),
    );
    assert.ok(answers.every(({ status }) => status === 200));
    const { body } = await call(server, 'GET', `${mirrors}/a`);
    assert.deepEqual(Object.keys(body.metadata.labels).sort(), names);
  });

  it('is not fooled by the names of JavaScript', async (t) => {
    const server = await startServer(t);
    await call(server, 'POST', mirrors, { body: mirror('a') });
    const body =
      '{"metadata":{"labels":{"__proto__":"x"},"annotations":{"constructor":"y"}},"__proto__":{"polluted":1}}';
    await call(server, 'PATCH', `${mirrors}/a`, { body, type: merge });
    assert.equal(({} as Record<string, unknown>)['polluted'], undefined);
    assert.equal((await call(server, 'GET', `${root}/namespaces/default/constructor`)).status, 404);
  });

  it('tells what happened to an object', async (t) => {
    const server = await startServer(t);
    const regarding = { kind: 'Mirror', namespace: 'default', name: 'a' };
    await server.store.record({ regarding, type: 'Warning', reason: 'Refused', message: 'no' });
    const { body } = await call(
      server,
      'GET',
      '/api/v1/namespaces/default/events?fieldSelector=involvedObject.name%3Da',
    );
    assert.equal(body.items.length, 1);
    assert.equal(body.items[0].message, 'no');
  });
});
