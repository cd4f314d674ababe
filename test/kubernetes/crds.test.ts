/** What a real API server and kubectl make of the CustomResourceDefinitions in crds/. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { loadAll } from 'js-yaml';
import { kinds } from '../../crds/index.ts';
import type { Column } from '../../crds/kind.ts';
import { apiVersion, type KubeObject, type Manifest } from '../../crds/object.ts';
import { repositoryFiles, root } from '../repository.ts';
import { until } from '../controller/store/store.contract.ts';
import { needsKubernetes } from '../world/kubernetes-programs.ts';
import type { Kubernetes } from '../world/kubernetes.ts';
import { suiteScope } from '../world/temp.ts';
import { goodSpecs, kindOf } from './specs.ts';
import { assertSame, ours, theirs } from './verdicts.ts';
import { crdFiles, pathOf, startWithCrds, succeeded } from './with-crds.ts';

interface Conditions {
  readonly status: { readonly conditions: readonly Record<'type' | 'status', string>[] };
}

const examples = repositoryFiles().filter((file) => /^examples\/.*\.ya?ml$/.test(file));
const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';

describe('the CustomResourceDefinitions', needsKubernetes, () => {
  const scope = suiteScope();
  let kubernetes: Kubernetes;

  before(async () => {
    kubernetes = await startWithCrds(scope);
  });

  const kubectl = async (...args: string[]) => succeeded(await kubernetes.kubectl(args));

  it('are taken without a complaint, and again without a change', async () => {
    const list = JSON.parse(await kubectl('get', 'crds', '-o', 'json')) as { items: Conditions[] };
    const again = await kubectl('apply', ...crdFiles.flatMap((file) => ['-f', file]));

    const told = list.items.map(({ status: { conditions } }) =>
      conditions.map(({ type, status }) => `${type} ${status}`).sort(),
    );
    assert.deepEqual(told, Array(kinds.length).fill(['Established True', 'NamesAccepted True']));
    assert.doesNotMatch(again, /configured|created/);
  });

  it('have their short names and a category', async () => {
    const text = await kubectl('api-resources', '--categories=cairn', '--no-headers');

    const rows = text.trimEnd().split('\n');
    const wanted = kinds.map(({ plural, shortNames, kind }) =>
      [plural, shortNames.join(), apiVersion, 'true', kind].join(' '),
    );
    assert.deepEqual(rows.map((row) => row.replaceAll(/ +/g, ' ')).sort(), wanted.sort());
  });

  it('explain their fields', async () => {
    for (const { plural } of kinds) {
      // a server publishes the schema of a CRD some time after it serves its objects
      const isPublished = async () => (await kubernetes.kubectl(['explain', plural])).code === 0;
      await until(isPublished);
      await kubectl('explain', plural, '--recursive');
    }

    assert.match(await kubectl('explain', 'mirror.spec.suites'), /directories below `dists\/`/);
  });

  it('have columns, and more of them with -o wide', async () => {
    for (const { kind, plural, columns } of kinds) {
      await make(kind, 'shown');
      const heads = async (...options: string[]) =>
        (await kubectl('get', plural, ...options)).split('\n')[0]?.trimEnd().split(/ {2,}/);
      const names = (some: readonly Column[]) => some.map(({ name }) => name.toUpperCase());

      assert.deepEqual(await heads(), ['NAME', ...names(columns.filter(({ wide }) => !wide))]);
      assert.deepEqual(await heads('-o', 'wide'), ['NAME', ...names(columns)]);
    }
    assert.match(await kubectl('get', 'cairn'), /^snapshot.cairn.build\/shown +debian/m);
  });

  it('take every example, and fill in the defaults that Cairn fills in', async () => {
    for (const file of examples) {
      await kubectl('apply', '--validate=strict', '-f', join(root, file));

      for (const manifest of loadAll(readFileSync(join(root, file), 'utf8')) as Manifest[]) {
        const { kind, metadata } = manifest;
        const stored = await kubernetes.request('GET', pathOf(kindOf(kind), metadata.name));
        delete (stored.body as KubeObject).metadata.annotations?.[lastApplied];
        assertSame(theirs(stored), ours(manifest));
      }
    }
  });

  it('refuse unknown fields, missing ones and wrong types by their names', async () => {
    const told = async (change: object) => {
      const spec = { ...goodSpecs['Mirror'], ...change };
      const input = JSON.stringify({ apiVersion, kind: 'Mirror', metadata: { name: 'bad' }, spec });
      const { code, stderr } = await kubernetes.kubectl(['apply', '-f', '-'], { input });
      assert.equal(code, 1);
      return stderr;
    };

    assert.match(await told({ suitess: ['sid'] }), /unknown field "spec.suitess"/);
    assert.match(await told({ limits: { retry: 3 } }), /unknown field "spec.limits.retry"/);
    assert.match(await told({ limits: { retries: '3' } }), /spec.limits.retries: .*type integer/);
    assert.match(await told({ suites: [12] }), /spec.suites\[0\]: .*type string/);
    assert.match(await told({ suites: undefined }), /spec.suites: Required value/);
    assert.match(await told({ url: 'ftp://a' }), /spec.url: .*should match/);
  });

  async function make(kind: string, name: string): Promise<void> {
    const manifest = { apiVersion, kind, metadata: { name }, spec: goodSpecs[kind] };
    const { status, body } = await kubernetes.request('POST', pathOf(kindOf(kind)), manifest);
    assert.equal(status, 201, JSON.stringify(body));
  }
});
