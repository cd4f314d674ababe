/** The same requests to a real API server with our CRDs, and to ours: who owns what, what is refused. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { before, describe, it } from 'node:test';
import { needsKubernetes } from '../../world/kubernetes-programs.ts';
import { startKubernetes, type Kubernetes } from '../../world/kubernetes.ts';
import { suiteScope } from '../../world/temp.ts';
import { root } from './api-client.ts';
import { adminToken, startServer, type Fixture } from './fixture.ts';

const crds = path.resolve(import.meta.dirname, '../../../crds');
const types = {
  apply: 'application/apply-patch+yaml',
  merge: 'application/merge-patch+json',
  json: 'application/json-patch+json',
  object: 'application/json',
};
const e = `${root}/namespaces/default/environments/p`;
const m = `${root}/namespaces/default/mirrorsets/m`;

function environment(spec: object | undefined, metadata: object = {}) {
  const all = { apiVersion: 'cairn.build/v1alpha1', kind: 'Environment' };
  return { ...all, metadata: { name: 'p', ...metadata }, ...(spec && { spec }) };
}

const mirrorSet = (...mirrors: readonly string[]) => ({
  apiVersion: 'cairn.build/v1alpha1',
  kind: 'MirrorSet',
  metadata: { name: 'm' },
  spec: { mirrors: mirrors.map((name) => ({ name })) },
});

const ready = (status: string) => ({
  type: 'Ready',
  status,
  reason: 'A',
  message: '',
  lastTransitionTime: '2026-01-01T00:00:00Z',
});
const to = (name: string) => ({ snapshotRef: { name } });
const labelled = (labels: object) => ({ labels });

type Step = readonly [method: string, path: string, body?: unknown, type?: keyof typeof types];

/** One after the other. */
const steps: readonly Step[] = [
  ['PATCH', `${e}?fieldManager=one`, environment(to('a'), labelled({ x: '1', y: '2' })), 'apply'],
  ['PATCH', `${e}?fieldManager=one`, environment(to('a'), labelled({ x: '1', y: '2' })), 'apply'],
  ['PATCH', `${e}?fieldManager=two`, environment({ suspend: true }, labelled({ y: '2' })), 'apply'],
  ['PATCH', `${e}?fieldManager=two`, environment(to('b')), 'apply'],
  ['PATCH', `${e}?fieldManager=two&force=true`, environment(to('b')), 'apply'],
  ['PATCH', `${e}?fieldManager=one`, environment(to('a'), labelled({ x: '2' })), 'apply'],
  [
    'PATCH',
    `${e}?fieldManager=one&force=true`,
    environment({ ...to('a'), validFor: '3d' }),
    'apply',
  ],
  [
    'PATCH',
    `${e}?fieldManager=ed`,
    { spec: { validFor: '4d', signing: { overlap: '1d' } } },
    'merge',
  ],
  ['PATCH', `${e}?fieldManager=ed`, { metadata: { annotations: { k: 'v' } } }, 'merge'],
  ['PATCH', `${e}?fieldManager=one`, environment({ ...to('a'), validFor: '3d' }), 'apply'],
  ['PATCH', `${e}?fieldManager=one`, environment(to('a')), 'apply'],
  [
    'PATCH',
    `${e}?fieldManager=ed`,
    [{ op: 'add', path: '/metadata/finalizers', value: ['x.org/a', 'x.org/b'] }],
    'json',
  ],
  [
    'PATCH',
    `${e}?fieldManager=one`,
    environment(to('a'), { finalizers: ['x.org/c', 'x.org/a'] }),
    'apply',
  ],
  ['PATCH', `${e}?fieldManager=one`, environment(to('a'), { finalizers: ['x.org/c'] }), 'apply'],
  ['PATCH', `${e}?fieldManager=one`, environment(to('a')), 'apply'],
  [
    'PATCH',
    `${e}/status?fieldManager=s`,
    { status: { observedGeneration: 3, conditions: [ready('True')] } },
    'merge',
  ],
  [
    'PATCH',
    `${e}/status?fieldManager=s`,
    {
      status: { previous: 'z', conditions: [ready('False'), { ...ready('True'), type: 'Other' }] },
    },
    'merge',
  ],
  ['PATCH', `${e}/status?fieldManager=s`, { status: { previous: null, conditions: [] } }, 'merge'],
  ['PATCH', `${e}?fieldManager=one`, environment({ ...to('a'), suspend: true }), 'apply'],
  ['PATCH', `${e}?fieldManager=two&dryRun=All`, environment({ suspend: false }), 'apply'],
  [
    'PATCH',
    `${e}?fieldManager=two&dryRun=All&force=true`,
    environment({ suspend: false }),
    'apply',
  ],
  ['GET', e],
  ['PATCH', e, [{ op: 'test', path: '/spec/suspend', value: false }], 'json'],
  ['PATCH', e, [{ op: 'remove', path: '/spec/nothing' }], 'json'],
  ['PATCH', e, { op: 'remove' }, 'json'],
  ['PATCH', e, 'nonsense', 'merge'],
  ['PATCH', `${e}?fieldManager=one`, environment(to('a'), { managedFields: [] }), 'apply'],
  ['PATCH', `${e}?fieldManager=one`, environment(to('a'), { resourceVersion: '1' }), 'apply'],
  ['PATCH', e, environment(to('a')), 'apply'],
  ['PATCH', `${e}?fieldManager=one`, environment(to('a'), { name: 'q' }), 'apply'],
  ['PATCH', `${e}?dryRun=Some`, {}, 'merge'],
  ['PATCH', `${e}?fieldValidation=Some`, {}, 'merge'],
  ['GET', `${root}/environments?fieldSelector=spec.x%3D1`],
  ['GET', `${root}/environments?labelSelector=a%20in%20b`],
  ['GET', `${root}/environments?resourceVersionMatch=Exact`],
  ['GET', `${root}/environments?resourceVersion=99999999`],
  ['GET', `${root}/environments?continue=x`],
  ['GET', `${root}/environments?watch=1&sendInitialEvents=true`],
  ['GET', `${e}-none`],
  ['PATCH', `${e}-none`, {}, 'merge'],
  ['DELETE', `${e}-none`],
  ['POST', `${root}/namespaces/default/environments`, environment(to('a'))],
  ['POST', `${root}/namespaces/default/environments`, environment(to('a'), { name: '' })],
  ['PATCH', `${m}?fieldManager=c`, mirrorSet('x'), 'apply'],
  ['PATCH', `${m}?fieldManager=d`, { metadata: { managedFields: [{}] } }, 'merge'],
  ['PATCH', `${m}?fieldManager=d`, { metadata: { labels: { q: '1' } } }, 'merge'],
  ['PATCH', `${m}?fieldManager=f`, mirrorSet('y'), 'apply'],
  ['PATCH', `${m}?fieldManager=f&force=true`, mirrorSet('y'), 'apply'],
  ['DELETE', m, { preconditions: { uid: 'x' } }],
  ['DELETE', m, { preconditions: { resourceVersion: '1' } }],
  ['DELETE', `${m}?propagationPolicy=Nonsense`],
  ['DELETE', `${m}?dryRun=All`],
  ['GET', m],
  [
    'PATCH',
    `${m}?fieldManager=f`,
    [{ op: 'add', path: '/metadata/finalizers', value: ['x.org/a'] }],
    'json',
  ],
  ['DELETE', m],
  ['PATCH', m, [{ op: 'add', path: '/metadata/finalizers/-', value: 'x.org/b' }], 'json'],
  ['PATCH', m, { metadata: { finalizers: null } }, 'merge'],
  ['GET', m],
];

interface Told {
  readonly status: number;
  readonly body: unknown;
}

describe('this API beside that of Kubernetes', needsKubernetes, () => {
  const scope = suiteScope();
  let theirs: Kubernetes;
  let ours: Fixture;

  before(async () => {
    [theirs, ours] = await Promise.all([startKubernetes(scope), startServer(scope)]);
    const applied = await theirs.kubectl(['apply', '--server-side', '-f', crds]);
    assert.equal(applied.code, 0, applied.output);
    const established = ['--for=condition=Established', 'crd', '--all', '--timeout=120s'];
    await theirs.kubectl(['wait', ...established]);
  });

  it('does and refuses the same', async () => {
    for (const [method, where, body, type = 'object'] of steps) {
      const contentType = types[type];
      const expected = await theirs.request(method, where, body, { contentType });
      const sent = typeof body === 'string' ? body : JSON.stringify(body);
      const authorization = `Bearer ${adminToken}`;
      const response = await fetch(`${ours.url}${where}`, {
        method,
        headers: { authorization, 'content-type': contentType },
        ...(sent !== undefined && { body: sent }),
      });
      const told = { status: response.status, body: await response.json() };
      assert.deepEqual(essence(told), essence(expected), `${method} ${where} ${sent ?? ''}`);
    }
  });
});

type Json = ReturnType<typeof JSON.parse>;

/** What must be the same: not identities and times, nor the words of a refusal. */
function essence({ status, body }: Told): Json {
  const { kind, reason, details, spec, status: state, metadata = {} } = body as Json;
  if (kind === 'Status') {
    const causes = (details?.causes ?? []).map(({ field }: Json) => field ?? '');
    return { status, kind, reason, causes: [...new Set(causes)] };
  }
  const { generation, labels, annotations, finalizers, managedFields, deletionTimestamp } =
    metadata;
  const owners = (managedFields ?? []).map(({ time: _, ...entry }: Json) => entry);
  const isGoing = deletionTimestamp !== undefined;
  const told = { generation, labels, annotations, finalizers, owners: owners.sort(byManager) };
  return JSON.parse(JSON.stringify({ status, kind, spec, state, isGoing, ...told }));
}

function byManager(one: Json, other: Json): number {
  return one.manager < other.manager ? -1 : 1;
}
