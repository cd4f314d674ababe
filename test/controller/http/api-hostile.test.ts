/** Bodies that make no sense: refused, never a failure of the server, and nothing else is changed. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { call, mirror, mirrors } from './api-client.ts';
import { startServer, type Fixture } from './fixture.ts';

const a = `${mirrors}/a`;
const keys = [
  'metadata',
  'spec',
  'status',
  'name',
  'labels',
  'annotations',
  'finalizers',
  'suites',
];
const odd = [
  'ownerReferences',
  'managedFields',
  'uid',
  'resourceVersion',
  'kind',
  '__proto__',
  '',
  'x',
];

/** Values that look a little like objects of ours. */
const anything = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom<unknown>(null, true, 0, -1, '', 'a', 's', '1', 'http://x.example'),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom(...keys, ...odd), tie('value'), { maxKeys: 4 }),
  ),
})).value;

const requests: readonly (readonly [string, string, string])[] = [
  ['PATCH', `${a}?fieldManager=f&force=true`, 'application/apply-patch+yaml'],
  ['PATCH', `${a}?fieldManager=f&fieldValidation=Warn`, 'application/apply-patch+yaml'],
  ['PATCH', a, 'application/merge-patch+json'],
  ['PATCH', `${a}?fieldValidation=Ignore`, 'application/merge-patch+json'],
  ['PATCH', a, 'application/json-patch+json'],
  ['PUT', a, 'application/json'],
  ['POST', `${mirrors}?dryRun=All`, 'application/json'],
  ['POST', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', 'application/json'],
  ['POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', 'application/json'],
  ['DELETE', `${mirrors}/none`, 'application/json'],
];

async function started(t: Parameters<typeof startServer>[0]): Promise<Fixture> {
  const server = await startServer(t);
  await call(server, 'POST', mirrors, { body: mirror('a', {}, { labels: { tier: 'base' } }) });
  return server;
}

describe('the API', () => {
  it('survives any JSON', async (t) => {
    const server = await started(t);
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...requests),
        anything,
        async ([method, path, type], body) => {
          const answer = await call(server, method, path, { body: JSON.stringify(body), type });
          assert.ok(answer.status < 500, `${method} ${path} ${JSON.stringify(answer.body)}`);
          const { status, body: read } = await call(server, 'GET', a);
          assert.deepEqual([status, read.kind, read.metadata.name], [200, 'Mirror', 'a']);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('survives protobuf that is none', async (t) => {
    const server = await started(t);
    const review = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
    const type = 'application/vnd.kubernetes.protobuf';
    for (const text of [
      '',
      'k8s',
      'k8s\0',
      'k8s\0\x12\x7f',
      'k8s\0\x12\x02\x12\x7f',
      'k8s\0\xff\xff\xff',
    ]) {
      assert.equal((await call(server, 'POST', review, { body: text, type })).status, 400, text);
    }
  });

  it('keeps managedFields that make no sense out', async (t) => {
    const server = await started(t);
    const good = { manager: 'm', operation: 'Update', apiVersion: 'cairn.build/v1alpha1' };
    const fieldsV1 = {
      'f:metadata': { 'f:labels': { 'f:tier': {} } },
      'k:nonsense': {},
      'i:1': {},
    };
    const managedFields = [
      { ...good, fieldsType: 'FieldsV1', time: '2026-08-01T00:00:00Z', fieldsV1 },
      { ...good, manager: 7, fieldsType: 'FieldsV1', fieldsV1 },
      { ...good, operation: 'Guess', fieldsType: 'FieldsV1', fieldsV1 },
      { ...good, apiVersion: 'other/v1', fieldsType: 'FieldsV1', fieldsV1 },
      null,
    ];
    const type = 'application/merge-patch+json';
    const patched = await call(server, 'PATCH', a, { body: { metadata: { managedFields } }, type });
    const kept = patched.body.metadata.managedFields;
    assert.deepEqual(
      kept.map(({ manager, fieldsV1: fields }: { manager: string; fieldsV1: object }) => [
        manager,
        fields,
      ]),
      [['m', { 'f:metadata': { 'f:labels': { 'f:tier': {} } } }]],
    );
    const body = { metadata: { labels: { tier: 'top' } } };
    const path = `${a}?fieldManager=other`;
    const refused = await call(server, 'PATCH', path, {
      body,
      type: 'application/apply-patch+yaml',
    });
    assert.deepEqual(
      [refused.status, refused.body.details.causes[0].field],
      [409, '.metadata.labels.tier'],
    );
  });
});
