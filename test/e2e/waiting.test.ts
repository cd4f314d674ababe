import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { ConfigSource } from '../../crds/config-source.ts';
import type { Mirror } from '../../crds/mirror.ts';
import { conditionOf, isReady, type KubeObject } from '../../crds/object.ts';
import type { Cairn } from '../world/cairn.ts';
import {
  environment,
  eventually,
  mirror,
  mirrorSet,
  objectOf,
  product,
  snapshot,
  until,
  type Product,
} from './product.ts';

/** What waits is looked at again after half a minute at the earliest: what is sooner was woken. */
const wokenMs = 15_000;

async function world(t: TestContext): Promise<Product> {
  const made = await product(t);
  made.archive.add({ name: 'hello', version: '1.0' });
  await made.archive.publish();
  return made;
}

test('manifests wait for what they name, in any order, and wake when it appears', async (t) => {
  const made = await world(t);
  const cairn = await made.start();

  made.write('1-environment.yaml', environment('base-1'));
  await waits(cairn, ['environments', 'production'], /there is no Snapshot base-1/);
  made.write('2-snapshot.yaml', snapshot('base-1'));
  await waits(cairn, ['snapshots', 'base-1'], /there is no MirrorSet base/);
  await waits(cairn, ['environments', 'production'], /Snapshot base-1 is not ready/);
  made.write('3-set.yaml', mirrorSet);
  await waits(cairn, ['mirrorsets', 'base'], /demo/);
  await waits(cairn, ['snapshots', 'base-1'], /demo/);

  made.write('4-mirror.yaml', mirror(made));
  await eventually(
    async () => (await readyOf(cairn, 'environments', 'production'))?.status === 'True',
    'the environment was woken',
    wokenMs,
  );
  await until(cairn, 'mirror/demo', 'mirrorset/base', 'snapshot/base-1', 'configsource/config');
});

async function waits(cairn: Cairn, [plural, name]: [string, string], why: RegExp): Promise<void> {
  await eventually(
    async () => {
      const ready = await readyOf(cairn, plural, name);
      return ready?.reason === 'DependencyNotReady' && why.test(ready.message);
    },
    `${name} waits and says why`,
    wokenMs,
  );
}

async function readyOf(cairn: Cairn, plural: string, name: string) {
  const found = await objectOf<KubeObject>(cairn, plural, name);
  return found && conditionOf(found, 'Ready');
}

test('one bad file is reported to the column and holds up no other', async (t) => {
  const made = await world(t);
  made.write('mirror.yaml', mirror(made, { interval: '2h' }));
  const cairn = await made.start();
  await until(cairn, 'mirror/demo', 'configsource/config');

  const bad = mirror(made, { interval: '3h' }).replace(
    'kind: Mirror\n',
    'kind: Mirror\nlabels: [\n',
  );
  made.write('mirror.yaml', bad);
  made.write('set.yaml', mirrorSet);
  made.write('typo.yaml', snapshot('base-1').replace('mirrorSetRef', 'mirorSetRef'));
  await until(cairn, 'mirrorset/base');
  const { spec, status } = await configSource(cairn);
  assert.equal(spec.location, made.config);
  const problems = (status.problems ?? []).map(({ file, line, column, message }) =>
    [file, line, column, message].join(':'),
  );
  const [notYaml = '', missing = '', unknown = ''] = problems;
  assert.match(notYaml, /^mirror\.yaml:4:1:not YAML/);
  assert.match(missing, /^typo\.yaml:4:1:spec\.mirrorSetRef: .*missing/);
  assert.match(unknown, /^typo\.yaml:4:9:spec\.mirorSetRef: .*did you mean `mirrorSetRef`/);
  const ready = conditionOf({ status }, 'Ready');
  assert.deepEqual([ready?.status, ready?.reason], ['False', 'ConfigInvalid']);
  assert.match(ready?.message ?? '', /^mirror\.yaml:4:1: .*\(and 2 more\)$/);
  const kept = await objectOf<Mirror>(cairn, 'mirrors', 'demo');
  assert.equal(kept?.spec.interval, '2h');
  assert.ok(isReady(kept));

  made.write('mirror.yaml', mirror(made, { interval: '3h' }));
  made.write('typo.yaml', snapshot('base-1'));
  await until(cairn, 'snapshot/base-1', 'configsource/config');
  assert.equal((await objectOf<Mirror>(cairn, 'mirrors', 'demo'))?.spec.interval, '3h');
});

async function configSource(cairn: Cairn): Promise<ConfigSource> {
  const { stdout } = await cairn.cli('get', 'configsource', 'config', '-o', 'json');
  return JSON.parse(stdout) as ConfigSource; // its kind was asked for
}

test('what is declared no more is deleted, and many deletions at once ask first', async (t) => {
  const made = await world(t);
  const names = ['base-1', 'base-2', 'base-3', 'base-4', 'base-5', 'base-6'];
  made.write('mirror.yaml', mirror(made));
  made.write('set.yaml', mirrorSet);
  for (const name of names) made.write(`${name}.yaml`, snapshot(name));
  const cairn = await made.start();
  await until(cairn, 'configsource/config', ...names.map((name) => `snapshot/${name}`));

  remove(made, 'base-6');
  await until(cairn, 'snapshot/base-6', '--for=delete');

  const many = names.slice(0, 5);
  for (const name of many) remove(made, name);
  await eventually(async () => {
    const ready = conditionOf(await configSource(cairn), 'Ready');
    return ready?.status === 'False' && ready.reason === 'PruneHeld';
  }, 'the deletions are held');
  const { status } = await configSource(cairn);
  assert.deepEqual(status.prune?.objects.map(({ kind, name }) => `${kind} ${name}`).sort(), [
    ...many.map((name) => `Snapshot ${name}`),
  ]);
  made.write('extra.yaml', snapshot('extra')); // all else goes on
  await until(cairn, 'snapshot/extra', ...many.map((name) => `snapshot/${name}`));

  const approved = await cairn.cli('approve', 'configsource/config');
  assert.equal(approved.code, 0, approved.output);
  assert.match(approved.stdout, /approved the deletion of 5 objects/);
  await until(cairn, ...many.map((name) => `snapshot/${name}`), '--for=delete');
  await until(cairn, 'mirror/demo', 'snapshot/extra', 'configsource/config');
  assert.equal((await configSource(cairn)).status.prune, undefined);
});

function remove({ config }: Product, name: string): void {
  rmSync(join(config, `${name}.yaml`));
}
