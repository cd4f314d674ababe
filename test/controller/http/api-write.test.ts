import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { call, mirror, mirrors } from './api-client.ts';
import { adminToken, startServer, type Fixture } from './fixture.ts';

const merge = 'application/merge-patch+json';
const json = 'application/json-patch+json';
const a = `${mirrors}/a`;

async function started(t: Parameters<typeof startServer>[0]): Promise<Fixture> {
  const server = await startServer(t);
  const body = mirror('a', { suites: ['s', 't'] }, { labels: { 'x/y': '1' } });
  await call(server, 'POST', mirrors, { body });
  return server;
}

describe('a JSON patch', () => {
  it('does what RFC 6902 says', async (t) => {
    const server = await started(t);
    const body = [
      { op: 'test', path: '/spec/suites/1', value: 't' },
      { op: 'add', path: '/spec/suites/1', value: 'between' },
      { op: 'add', path: '/spec/suites/-', value: 'last' },
      { op: 'remove', path: '/spec/suites/0' },
      { op: 'replace', path: '/spec/interval', value: '2h' },
      { op: 'add', path: '/spec/interval', value: '2h' },
      { op: 'copy', from: '/metadata/labels/x~1y', path: '/metadata/labels/copied' },
      { op: 'move', from: '/metadata/labels/x~1y', path: '/metadata/labels/moved' },
    ].filter(({ op }) => op !== 'replace');
    const { status, body: after } = await call(server, 'PATCH', a, { body, type: json });
    assert.equal(status, 200, JSON.stringify(after));
    assert.deepEqual(after.spec.suites, ['between', 't', 'last']);
    assert.equal(after.spec.interval, '2h');
    assert.deepEqual(after.metadata.labels, { copied: '1', moved: '1' });
  });

  it('is refused as a whole when a part of it does not fit', async (t) => {
    const server = await started(t);
    const before = (await call(server, 'GET', a)).body;
    const many = Array.from({ length: 1001 }, () => ({ op: 'test', path: '', value: 1 }));
    const long = 'x'.repeat(300_000);
    const copies = Array.from({ length: 12 }, (_, at) => ({
      op: 'copy',
      from: '/metadata/annotations',
      path: `/metadata/copy${at}`,
    }));
    const cases: readonly (readonly [unknown, number, RegExp])[] = [
      [[{ op: 'test', path: '/spec/suites/0', value: 'other' }], 422, /\/spec\/suites\/0/],
      [[{ op: 'remove', path: '/spec/none' }], 422, /\/spec\/none/],
      [[{ op: 'replace', path: '/spec/none', value: 1 }], 422, /\/spec\/none/],
      [[{ op: 'add', path: '/spec/suites/9', value: 'x' }], 422, /suites\/9/],
      [[{ op: 'add', path: '/spec/suites/01', value: 'x' }], 422, /suites\/01/],
      [[{ op: 'move', from: '/spec', path: '/spec/inside' }], 422, /inside/],
      [[{ op: 'remove', path: '' }], 422, /object/],
      [[{ op: 'add', path: 'spec', value: 1 }], 400, /path/],
      [[{ op: 'add', path: '/spec/x' }], 400, /value/],
      [[{ op: 'jump', path: '/spec' }], 400, /op/],
      [[{ op: 'add', path: '/spec/suspend', value: 'x' }], 422, /spec\.suspend/],
      [{ op: 'add' }, 400, /list/],
      [many, 413, /1000/],
      [[{ op: 'add', path: '/metadata/annotations', value: { long } }, ...copies], 413, /copies/],
    ];
    for (const [body, status, message] of cases) {
      const answer = await call(server, 'PATCH', a, { body, type: json });
      const about = JSON.stringify(body).slice(0, 200);
      assert.equal(answer.status, status, `${about} ${answer.body.message}`);
      assert.match(answer.body.message, message, about);
    }
    assert.deepEqual((await call(server, 'GET', a)).body, before);
  });

  it('can not reach prototypes', async (t) => {
    const server = await started(t);
    for (const path of ['/__proto__/polluted', '/constructor/prototype/polluted']) {
      const body = [{ op: 'add', path, value: 1 }];
      assert.equal((await call(server, 'PATCH', a, { body, type: json })).status, 422);
    }
    assert.equal(({} as Record<string, unknown>)['polluted'], undefined);
  });
});

describe('a body', () => {
  it('that is nested for ever is refused', async (t) => {
    const server = await started(t);
    const body = `{"spec":{"x":${'['.repeat(100_000)}${']'.repeat(100_000)}}}`;
    const answer = await call(server, 'PATCH', a, { body, type: merge });
    assert.deepEqual([answer.status, /nested deeper/.test(answer.body.message)], [400, true]);
  });

  it('may leave its name to the server', async (t) => {
    const server = await started(t);
    const { name: _, ...metadata } = mirror('x').metadata;
    const body = { ...mirror('x'), metadata: { ...metadata, generateName: 'made-' } };
    const names = await Promise.all(
      [1, 2, 3].map(async () => (await call(server, 'POST', mirrors, { body })).body.metadata.name),
    );
    for (const name of names) assert.match(name, /^made-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
    assert.equal(new Set(names).size, 3);
  });

  it('brings finalizers and owners, and takes them away', async (t) => {
    const server = await started(t);
    const owner = (await call(server, 'GET', a)).body;
    const { apiVersion, kind, metadata } = owner;
    const ownerReferences = [{ apiVersion, kind, name: 'a', uid: metadata.uid }];
    const finalizers = ['example.com/hold'];
    const made = await call(server, 'POST', mirrors, {
      body: mirror('b', {}, { finalizers, ownerReferences }),
    });
    assert.deepEqual(made.body.metadata.finalizers, finalizers);
    assert.deepEqual(made.body.metadata.ownerReferences, ownerReferences);
    const { finalizers: _, ...rest } = made.body.metadata;
    const put = { ...made.body, metadata: rest };
    const replaced = await call(server, 'PUT', `${mirrors}/b`, { body: put });
    assert.equal(replaced.body.metadata.finalizers, undefined);
    await call(server, 'DELETE', a);
    assert.equal((await call(server, 'GET', `${mirrors}/b`)).status, 404, 'it went with its owner');

    const bad = { finalizers: ['ok/x', 'not a name'], ownerReferences: [{ kind: 'Mirror' }] };
    const refused = await call(server, 'POST', mirrors, { body: mirror('c', {}, bad) });
    const fields = refused.body.details.causes.map(({ field }: { field: string }) => field);
    assert.deepEqual(fields, ['metadata.finalizers[1]', 'metadata.ownerReferences[0]']);
  });
});

describe('fieldValidation', () => {
  it('refuses, warns or is silent', async (t) => {
    const server = await started(t);
    const body = mirror('b', { colour: 'red', limits: { x: 1 } });
    const post = (mode: string) =>
      call(server, 'POST', `${mirrors}?dryRun=All&fieldValidation=${mode}`, { body });
    assert.equal((await post('Strict')).status, 422);
    const warned = await post('Warn');
    assert.equal(warned.status, 201);
    assert.equal(
      warned.headers.get('warning'),
      '299 - "unknown field \\"spec.colour\\"", 299 - "unknown field \\"spec.limits.x\\""',
    );
    assert.deepEqual([warned.body.spec.colour, warned.body.spec.limits.x], [undefined, undefined]);
    const silent = await post('Ignore');
    assert.deepEqual([silent.status, silent.headers.get('warning')], [201, null]);
    const unknown = await post('Maybe');
    assert.equal(unknown.body.details.causes[0].field, 'fieldValidation');
  });
});

describe('a deletion', () => {
  it('of a collection is of what is selected', async (t) => {
    const server = await started(t);
    await call(server, 'POST', mirrors, { body: mirror('b', {}, { labels: { tier: 'base' } }) });
    const path = `${mirrors}?labelSelector=tier`;
    const rehearsed = await call(server, 'DELETE', `${path}&dryRun=All`);
    assert.equal(rehearsed.body.items.length, 1);
    assert.equal((await call(server, 'GET', mirrors)).body.items.length, 2);
    assert.equal((await call(server, 'DELETE', path)).status, 200);
    assert.equal((await call(server, 'GET', mirrors)).body.items[0].metadata.name, 'a');
    await call(server, 'DELETE', mirrors);
    assert.equal((await call(server, 'GET', mirrors)).body.items.length, 0);
  });

  it('that orphans leaves what the object owned, without an owner', async (t) => {
    const server = await started(t);
    const { apiVersion, kind, metadata } = (await call(server, 'GET', a)).body;
    const ownerReferences = [{ apiVersion, kind, name: 'a', uid: metadata.uid }];
    await call(server, 'POST', mirrors, { body: mirror('b', {}, { ownerReferences }) });

    const body = { propagationPolicy: 'Orphan' };
    assert.equal((await call(server, 'DELETE', a, { body })).status, 200);

    assert.equal((await call(server, 'GET', a)).status, 404);
    const left = await call(server, 'GET', `${mirrors}/b`);
    assert.deepEqual([left.status, left.body.metadata.ownerReferences], [200, undefined]);
  });

  it('names the option that is not understood', async (t) => {
    const server = await started(t);
    const cases: readonly (readonly [object, string])[] = [
      [{ propagationPolicy: 'Sometimes' }, 'propagationPolicy'],
      [{ dryRun: ['Some'] }, 'dryRun'],
    ];
    for (const [body, field] of cases) {
      const answer = await call(server, 'DELETE', a, { body });
      assert.deepEqual([answer.status, answer.body.details.causes[0].field], [422, field]);
    }
    const body = { propagationPolicy: 'Foreground', gracePeriodSeconds: 30 };
    assert.equal((await call(server, 'DELETE', a, { body })).status, 200);
  });
});

describe('a status, for its admin', () => {
  const headers = { authorization: `Bearer ${adminToken}` };
  const status = `${a}/status`;
  const apply = 'application/apply-patch+yaml';
  const condition = (type: string, more: object = {}) => ({
    ...{ type, status: 'True', reason: 'Good', message: 'm' },
    lastTransitionTime: '2026-08-01T00:00:00Z',
    ...more,
  });
  const part = (conditions: readonly object[], more: object = {}) => ({
    apiVersion: 'cairn.build/v1alpha1',
    kind: 'Mirror',
    metadata: { name: 'a' },
    status: { conditions, ...more },
  });

  it('is held to the schema, however it is written', async (t) => {
    const server = await started(t);
    const bad = { observedGeneration: 'x', colour: 'red', conditions: [{ type: 'Ready' }] };
    const json = 'application/merge-patch+json';
    const { body: stored } = await call(server, 'GET', a);
    const ways = [
      await call(server, 'PATCH', status, { body: { status: bad }, type: json, headers }),
      await call(server, 'PUT', status, { body: { ...stored, status: bad }, headers }),
      await call(server, 'PATCH', `${status}?fieldManager=m`, {
        body: part([{ type: 'Ready' }], { observedGeneration: 'x', colour: 'red' }),
        type: apply,
        headers,
      }),
    ];
    for (const { status: code, body } of ways) {
      const fields = body.details.causes.map(({ field }: { field: string }) => field);
      assert.equal(code, 422, body.message);
      assert.ok(fields.includes('status.observedGeneration'), fields.join());
      assert.ok(fields.includes('status.colour'), fields.join());
    }
    const { body } = await call(server, 'GET', a);
    assert.deepEqual(body.status, stored.status);

    const path = `${status}?fieldValidation=Warn`;
    const some = { status: { observedGeneration: 3, colour: 'red' } };
    const warned = await call(server, 'PATCH', path, { body: some, type: json, headers });
    assert.equal(warned.headers.get('warning'), '299 - "unknown field \\"status.colour\\""');
    assert.deepEqual(warned.body.status, { ...stored.status, observedGeneration: 3 });
  });

  it('is applied by several managers, each with its part', async (t) => {
    const server = await started(t);
    const send = (manager: string, body: object, query = '') =>
      call(server, 'PATCH', `${status}?fieldManager=${manager}${query}`, {
        ...{ body, type: apply, headers },
      });

    const first = await send('one', part([condition('Ready')]));
    const second = await send('two', part([condition('Other')]));
    const refused = await send(
      'two',
      part([condition('Other'), condition('Ready', { reason: 'X' })]),
    );
    const rehearsed = await send('one', part([]), '&dryRun=All');
    const third = await send('one', part([], { observedGeneration: 2 }));

    assert.equal(first.status, 200, JSON.stringify(first.body));
    const types = (answer: typeof first) =>
      (answer.body.status.conditions ?? []).map(({ type }: { type: string }) => type);
    assert.deepEqual(types(second), ['Ready', 'Other']);
    assert.equal(refused.status, 409);
    const [cause] = refused.body.details.causes;
    assert.deepEqual(
      [cause.message, cause.field],
      ['conflict with "one" with subresource "status"', '.status.conditions[type="Ready"].reason'],
    );
    assert.deepEqual([types(rehearsed), types(third)], [['Other'], ['Other']]);
    assert.equal(third.body.status.observedGeneration, 2);
    assert.equal(third.body.spec.url, 'http://x.example', 'the rest stays');
    const { body } = await call(server, 'GET', a);
    const entries = body.metadata.managedFields as { manager: string; subresource?: string }[];
    const own = entries.filter(({ subresource }) => subresource === 'status');
    assert.deepEqual(own.map(({ manager }) => manager).sort(), ['one', 'two']);
    const nobody = await call(server, 'PATCH', status, { body: part([]), type: apply, headers });
    assert.deepEqual([nobody.status, nobody.body.details.causes[0].field], [422, 'fieldManager']);
    const none = await call(server, 'PATCH', `${mirrors}/none/status?fieldManager=m`, {
      ...{ body: { ...part([]), metadata: { name: 'none' } }, type: apply, headers },
    });
    assert.equal(none.status, 404);
  });
});
