import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openSqliteStore } from '../../../controller/store/sqlite.ts';
import { kinds } from '../../../crds/index.ts';
import type { Repository } from '../../../crds/repository.ts';
import { validateManifest } from '../../../crds/validate.ts';
import { dependenciesOf } from '../../../reconcilers/archives/dependencies.ts';
import type { Scope } from '../../world/temp.ts';

const external = (host: string) => ({ url: `https://${host}`, suites: ['a'], key: 'k' });
const named = (...names: readonly string[]) => names.map((name) => ({ kind: 'Repository', name }));

async function world(t: Scope) {
  const validate = (input: unknown) => {
    const { manifest, problems } = validateManifest(input);
    return { manifest: manifest ?? ({} as never), problems };
  };
  const store = openSqliteStore(':memory:', { kinds, validate });
  t.after(() => store.close());
  const apiVersion = 'cairn.build/v1alpha1';
  return {
    store,
    add: async (name: string, spec: object) =>
      (await store.create({
        apiVersion,
        kind: 'Repository',
        metadata: { name },
        spec,
      })) as Repository,
  };
}

test('repositories that depend on each other are each named once, the nearest first', async (t) => {
  const { store, add } = await world(t);
  const one = await add('one', {
    dependencies: [...named('two', 'one', 'gone'), { kind: 'Mirror', name: 'debian' }],
    externalDependencies: [external('a.example')],
  });
  await add('two', {
    dependencies: [...named('one', 'three'), { kind: 'Mirror', name: 'debian' }],
    externalDependencies: [external('a.example'), external('b.example')],
  });
  await add('three', { dependencies: [...named('two'), { kind: 'Snapshot', name: 's' }] });

  const found = await dependenciesOf(one, store);

  const titles = found.map((one) =>
    'ref' in one
      ? `${one.via}: ${one.ref.kind} ${one.ref.name}`
      : `${one.via}: ${one.external.url}`,
  );
  assert.deepEqual(titles, [
    'one: Repository two',
    'one: Repository gone',
    'one: Mirror debian',
    'one: https://a.example',
    'two: Repository three',
    'two: https://b.example',
    'three: Snapshot s',
  ]);
});

test('too many of them are refused', async (t) => {
  const { store, add } = await world(t);
  const names = Array.from({ length: 60 }, (_, at) => `r${at}`);
  for (const name of names.slice(0, 10)) {
    const mirrors = names.map((other) => ({ kind: 'Mirror', name: `${name}-${other}` }));
    await add(name, { dependencies: mirrors });
  }
  const all = await add('all', { dependencies: named(...names) });
  await assert.rejects(dependenciesOf(all, store), /depends on more than 256 archives/);
});
