/** What kubectl reads: discovery, explanations, tables, watches. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { kubectlFor } from '../../world/kubectl.ts';
import { eventually } from '../../e2e/product.ts';
import { call, mirror, mirrors } from './api-client.ts';
import { startServer } from './fixture.ts';

const accept = (as: string) => ({ headers: { accept: as } });
const aggregated = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
const table = 'application/json;as=Table;v=v1;g=meta.k8s.io';

describe('kubectl', () => {
  it('finds the kinds, their short names and their category', async (t) => {
    const server = await startServer(t);
    const kubectl = kubectlFor(t, server);
    const listed = await kubectl('api-resources', '--api-group=cairn.build', '-o', 'wide');
    assert.equal(listed.code, 0, listed.output);
    assert.match(
      listed.stdout,
      /^environments +cenv +cairn\.build\/v1alpha1 +true +Environment +create,delete,\S+ +cairn$/m,
    );
    const versions = await kubectl('api-versions');
    assert.match(versions.stdout, /^cairn\.build\/v1alpha1$/m);
    const version = await kubectl('version', '-o', 'json');
    assert.match(version.stdout, /"gitVersion": "v\d+\.\d+\.\d+"/);
  });

  it('explains fields', async (t) => {
    const server = await startServer(t);
    const kubectl = kubectlFor(t, server);
    const kind = await kubectl('explain', 'environment');
    assert.equal(kind.code, 0, kind.output);
    assert.match(kind.stdout, /^GROUP: +cairn\.build\nKIND: +Environment\nVERSION: +v1alpha1$/m);
    const field = await kubectl('explain', 'cenv.spec.snapshotRef.name');
    assert.match(field.stdout, /FIELD: name <string>/, field.output);
    const metadata = await kubectl('explain', 'mirror.metadata.finalizers');
    assert.match(metadata.stdout, /FIELD: finalizers <\[\]string>/, metadata.output);
    const unknown = await kubectl('explain', 'mirror.spec.colour');
    assert.match(unknown.stderr, /field "colour" does not exist/);
  });

  it('shows the columns of a kind, with ages', async (t) => {
    const made = new Date('2026-08-01T12:00:00Z');
    const server = await startServer(t, { now: () => made });
    const kubectl = kubectlFor(t, server);
    await server.snapshot('a', { members: [], takenAt: made.toISOString() });
    const shown = await kubectl('get', 'snapshots');
    assert.match(shown.stdout, /^NAME +MIRRORSET +PACKAGES +READY +STATUS +AGE$/m, shown.output);
    assert.match(shown.stdout, /^a +all +True +taken +\d+\w+$/m);
    const wide = await kubectl('get', 'cairn', '-A', '-o', 'wide');
    assert.match(
      wide.stdout,
      /^NAMESPACE +NAME +MIRRORSET +PACKAGES +ID +TAKEN +READY/m,
      wide.output,
    );
    const none = await kubectl('get', 'mirrors');
    assert.equal(none.stderr, 'No resources found in default namespace.\n');
    const name = await kubectl('get', 'snap/a', '-o', 'jsonpath={.spec.mirrorSetRef.name}');
    assert.equal(name.stdout, 'all');
    const missing = await kubectl('get', 'snapshot', 'b');
    assert.equal(
      missing.stderr,
      'Error from server (NotFound): snapshots.cairn.build "b" not found\n',
    );
  });

  it('watches a table grow', async (t) => {
    const server = await startServer(t);
    const kubectl = kubectlFor(t, server);
    await call(server, 'POST', mirrors, { body: mirror('first') });
    const watching = kubectl.start('get', 'mirrors', '-w');
    let shown = '';
    watching.stdout.setEncoding('utf8').on('data', (text: string) => (shown += text));
    await eventually(() => /^first /m.test(shown), 'the first row');
    await call(server, 'POST', mirrors, { body: mirror('second') });
    await eventually(() => /^second /m.test(shown), 'the second row');
    assert.equal(shown.match(/^NAME /gm)?.length, 1);
  });
});

describe('discovery', () => {
  it('answers in the form that is asked for', async (t) => {
    const server = await startServer(t);
    const plain = await call(server, 'GET', '/apis/cairn.build');
    assert.deepEqual(plain.body.preferredVersion, {
      groupVersion: 'cairn.build/v1alpha1',
      version: 'v1alpha1',
    });
    const list = await call(server, 'GET', '/apis/cairn.build/v1alpha1');
    const names = list.body.resources.map(({ name }: { name: string }) => name);
    assert.ok(names.includes('mirrors') && names.includes('mirrors/status'), String(names));
    const all = await call(server, 'GET', '/apis', accept(`${aggregated},application/json`));
    assert.equal(all.headers.get('content-type'), aggregated);
    assert.equal(all.body.items[0].metadata.name, 'cairn.build');
    const older = await call(server, 'GET', '/apis', accept('application/json'));
    assert.equal(older.body.kind, 'APIGroupList');
    const core = await call(server, 'GET', '/api/v1');
    assert.equal(core.body.groupVersion, 'v1');
  });

  it('has no protobuf: clients of that alone are told so', async (t) => {
    const server = await startServer(t);
    const protobuf = accept('application/vnd.kubernetes.protobuf');
    for (const path of ['/apis', '/api/v1', mirrors, '/openapi/v3']) {
      const { status, body } = await call(server, 'GET', path, protobuf);
      assert.deepEqual([status, body.reason], [406, 'NotAcceptable'], path);
    }
    assert.equal((await call(server, 'GET', '/openapi/v2')).status, 404);
    const mixed = accept('application/vnd.kubernetes.protobuf,application/json');
    assert.equal((await call(server, 'GET', mirrors, mixed)).status, 200);
  });

  it('names the digest of its OpenAPI document', async (t) => {
    const server = await startServer(t);
    const { body } = await call(server, 'GET', '/openapi/v3');
    const url = body.paths['apis/cairn.build/v1alpha1'].serverRelativeURL;
    const document = await call(server, 'GET', url);
    assert.match(document.headers.get('cache-control') ?? '', /immutable/);
    const schema = document.body.components.schemas['build.cairn.v1alpha1.Mirror'];
    assert.deepEqual(schema['x-kubernetes-group-version-kind'], [
      { group: 'cairn.build', version: 'v1alpha1', kind: 'Mirror' },
    ]);
    assert.ok(schema.properties.spec.properties.suites);
  });
});

describe('tables', () => {
  it('carry as much of their objects as is asked for', async (t) => {
    const server = await startServer(t);
    await call(server, 'POST', mirrors, { body: mirror('a') });
    const rowOf = async (include: string) => {
      const path = `${mirrors}?includeObject=${include}`;
      return (await call(server, 'GET', path, accept(table))).body.rows[0];
    };
    assert.equal((await rowOf('None')).object, null);
    assert.equal((await rowOf('Metadata')).object.kind, 'PartialObjectMetadata');
    assert.equal((await rowOf('Object')).object.spec.url, 'http://x.example');
    const bad = await call(server, 'GET', `${mirrors}?includeObject=Some`, accept(table));
    assert.equal(bad.status, 400);
    const one = await call(server, 'GET', `${mirrors}/a`, accept(table));
    assert.equal(one.body.rows[0].cells[0], 'a');
    const partial = accept('application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io');
    const { body } = await call(server, 'GET', mirrors, partial);
    assert.deepEqual([body.kind, body.items[0].spec], ['PartialObjectMetadataList', undefined]);
  });
});
