/** What a repository tells of the archives that its packages depend on, and what apt makes of it. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Repository } from '../../crds/repository.ts';
import { parseDeb822Sources } from '../../apt/sources-list.ts';
import { createAptRoot } from '../world/apt.ts';
import { controlFields, makeDeb, type PackageSpec } from '../world/deb.ts';
import { tempDir } from '../world/temp.ts';
import {
  environment,
  eventually,
  good,
  mirror,
  mirrorSet,
  objectOf,
  product,
  snapshot,
  until,
} from './product.ts';

const repository = (name: string, spec: object) =>
  `apiVersion: cairn.build/v1alpha1\nkind: Repository\nmetadata: { name: ${name} }\n` +
  `spec: ${JSON.stringify({ public: true, ...spec })}\n`;

test('a repository that depends on others', async (t) => {
  const world = await product(t);
  world.archive.add({ name: 'from-mirror', version: '1.0' });
  await world.archive.publish();
  const key = readFileSync(join(world.config, 'keys/archive.asc'), 'utf8');
  const url = `${world.upstream.url}/debian`;
  const elsewhere = { url, suites: ['stable'], keyRef: { name: 'elsewhere', key: 'key.asc' } };
  const tools = {
    dependencies: [
      { kind: 'Repository', name: 'libs' },
      { kind: 'Mirror', name: 'demo' },
      { kind: 'Snapshot', name: 'base-1' },
      { kind: 'Environment', name: 'production' },
    ],
    externalDependencies: [elsewhere],
  };
  world.write('tools.yaml', repository('tools', tools));
  const cairn = await world.start();
  const status = async () => (await objectOf<Repository>(cairn, 'repositories', 'tools'))?.status;
  const publish = async (name: string, spec: PackageSpec) => {
    const file = join(tempDir(t), `${spec.name}_${spec.version}_amd64.deb`);
    writeFileSync(file, makeDeb(spec, controlFields(spec)));
    const done = await cairn.cli('publish', name, file);
    assert.equal(done.code, 0, done.output);
  };

  await t.test('publishes though they are missing, and says so', async () => {
    await until(cairn, 'repository/tools', '--for=condition=Ready');
    await publish('tools', { name: 'app', version: '1.0', depends: 'liba, from-mirror' });
    const { dependencies = [], conditions = [] } = (await status()) ?? {};
    assert.deepEqual(
      dependencies.map(({ kind, name, ready, message }) => [kind, name, ready, message]),
      [
        ['Repository', 'libs', false, 'Repository libs: it does not exist'],
        ['Mirror', 'demo', false, 'Mirror demo: it does not exist'],
        ['Snapshot', 'base-1', false, 'Snapshot base-1: it does not exist'],
        ['Environment', 'production', false, 'Environment production: it does not exist'],
        ['External', url, false, 'there is no secret elsewhere with a key key.asc'],
      ],
    );
    const told = conditions.find(({ type }) => type === 'DependenciesReady');
    assert.equal(told?.status, 'False');
    assert.equal(told?.message, 'Repository libs: it does not exist, and 4 more');
    const ready = conditions.find(({ type }) => type === 'Ready');
    assert.equal(ready?.status, 'True');
    assert.match(ready?.message ?? '', /^Serves 1 .*; a dependency is not ready: Repository libs/);
  });

  await t.test('hears of them when they come, those that depend on it as well', async () => {
    mkdirSync(join(world.data, 'secrets/elsewhere'), { recursive: true });
    writeFileSync(join(world.data, 'secrets/elsewhere/key.asc'), key);
    const libs = { dependencies: [{ kind: 'Repository', name: 'tools' }] };
    world.write('libs.yaml', repository('libs', libs));
    world.write('mirror.yaml', mirror(world));
    world.write('set.yaml', mirrorSet);
    world.write('base-1.yaml', snapshot('base-1'));
    world.write('environment.yaml', environment('base-1'));
    await until(cairn, 'repository/tools', '--for=condition=DependenciesReady');
    await until(cairn, 'repository/libs', '--for=condition=DependenciesReady');
    await publish('libs', { name: 'liba', version: '1.0' });
  });

  await t.test('gives lines with which apt installs what needs them', async () => {
    const { binarySourceList = '', dependencySourceList = '', ...told } = (await status()) ?? {};
    const lines = dependencySourceList.split('\n');
    const names = lines.map(
      (line) => /signed-by=\/etc\/apt\/keyrings\/(\S+)\.asc/.exec(line)?.[1] ?? '',
    );
    const own = ['libs', 'mirror-demo', 'snapshot-base-1', 'environment-production'];
    assert.deepEqual(names, [...own, world.mount.replace(/[:/]/g, '_')]);
    assert.deepEqual(
      lines.map((line) => line.includes('check-valid-until=no')),
      [false, false, true, false, false],
    );
    const client = createAptRoot(tempDir(t));
    const keys = new Map([[names.at(-1) ?? '', key]]);
    for (const [at, name] of own.entries()) {
      const sources = await (await fetch(told.dependencies?.[at]?.clientSources ?? '')).text();
      keys.set(name, parseDeb822Sources(sources, 'x')[0]?.signedBy?.inline ?? '');
    }
    keys.set('tools', await (await fetch(told.keyUrl ?? '')).text());
    let text = `${binarySourceList}\n${dependencySourceList}\n`;
    for (const [name, content] of keys) {
      text = text.replaceAll(`/etc/apt/keyrings/${name}.asc`, client.writeKeyring(name, content));
    }
    client.writeSources(text);
    good(await client.update());
    const planned = await client.apt('apt-get', ['install', '--simulate', 'app']);
    good(planned);
    assert.match(planned.stdout, /^Inst liba .*libs:stable/m);
    assert.match(planned.stdout, /^Inst from-mirror /m);
  });

  await t.test('forgets them when nobody names them any more', async () => {
    world.write('tools.yaml', repository('tools', {}));
    await eventually(async () => {
      const { dependencies, dependencySourceList, conditions } = (await status()) ?? {};
      const condition = conditions?.find(({ type }) => type === 'DependenciesReady');
      return [dependencies, dependencySourceList, condition].every((one) => one === undefined);
    }, 'nothing is left of them');
  });
});
