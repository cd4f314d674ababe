/** All of it with stock kubectl, and no cluster. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { cairnCli } from '../world/cairn.ts';
import { exportPublic, testKey } from '../world/keys.ts';
import { kubectlFor, type Kubectl } from '../world/kubectl.ts';
import { tempDir } from '../world/temp.ts';
import { environment, good, mirror, mirrorSet, product, snapshot } from './product.ts';

const inDefault = ['-n', 'default'];

/** A Cairn with no config, and a kubectl with the kubeconfig that it prints. */
async function withKubectl(t: TestContext) {
  const world = await product(t);
  world.archive.add({ name: 'hello', version: '1.0' });
  await world.archive.publish();
  const cairn = await world.start({ args: [] });
  const printed = await cairn.cli('kubeconfig');
  assert.equal(printed.code, 0, printed.output);
  const kubectl = kubectlFor(t, { url: cairn.url, kubeconfig: printed.stdout });
  return { world, cairn, kubectl };
}

async function done(finished: ReturnType<Kubectl>): Promise<string> {
  const { code, stdout, output } = await finished;
  assert.equal(code, 0, output);
  return stdout;
}

test('kubectl declares, waits, promotes and reads; apt sees it', async (t) => {
  const { world, cairn, kubectl } = await withKubectl(t);
  const inline = await exportPublic(await testKey('archive'));
  const documents = [
    mirror(world, { signedBy: { inline } }),
    mirrorSet,
    snapshot('base-1'),
    environment('base-1'),
  ];
  const applied = await done(kubectl.reading(documents.join('---\n'), 'apply', '-f', '-'));
  assert.match(applied, /^environment\.cairn\.build\/production created$/m);
  const ready = ['--for=condition=Ready', '--timeout=120s'];
  await done(kubectl('wait', 'environment.cairn.build/production', ...ready));
  const apt = await world.apt(cairn, '/environments/production');
  good(await apt.update());
  assert.equal(await apt.policy('hello'), '1.0');

  world.archive.add({ name: 'hello', version: '2.0' });
  await world.archive.publish();
  const now = `reconcile.cairn.build/requestedAt=${Date.now()}`;
  const before = await done(
    kubectl('get', 'mirror', 'demo', '-o', 'jsonpath={.status.state.tree}'),
  );
  await done(kubectl('annotate', 'mirror', 'demo', now, ...inDefault));
  const echoed = `--for=jsonpath={.status.lastHandledReconcileAt}=${now.split('=')[1] ?? ''}`;
  await done(kubectl('wait', 'mirror/demo', echoed, '--timeout=120s'));
  await done(kubectl('wait', 'mirror/demo', ...ready));
  const after = await done(kubectl('get', 'mirror', 'demo', '-o', 'jsonpath={.status.state.tree}'));
  assert.notEqual(after, before);

  await done(kubectl.reading(snapshot('base-2'), 'apply', '--server-side', '-f', '-'));
  await done(kubectl('wait', 'snapshot/base-2', ...ready));
  const promotion = '{"spec":{"snapshotRef":{"name":"base-2"}}}';
  await done(kubectl('patch', 'environment', 'production', '--type=merge', '-p', promotion));
  const serves = '--for=jsonpath={.status.published.snapshot}=base-2';
  await done(kubectl('wait', 'environment/production', serves, '--timeout=120s'));
  good(await apt.update());
  assert.equal(await apt.policy('hello'), '2.0');

  const wide = await done(kubectl('get', 'environments', '-o', 'wide'));
  assert.match(wide, /^NAME +SNAPSHOT +SERVING +SUSPENDED +PREVIOUS +KEY +READY +STATUS +AGE$/m);
  assert.match(wide, /^production +base-2 +base-2 +false +base-1 +\S+ +True /m);
  const described = await done(kubectl('describe', 'environment', 'production'));
  assert.match(described, /^Events:$(?:\n.*)+ Normal +\w+ /m);
  const diff = await kubectl.reading(environment('base-1'), 'diff', '-f', '-');
  assert.match(diff.stdout, /^- +name: base-2\n\+ +name: base-1$/m, diff.output);
});

test('cairn and kubectl mean the same objects', async (t) => {
  const { world, cairn, kubectl } = await withKubectl(t);
  const inline = await exportPublic(await testKey('archive'));
  const one = mirror(world, { signedBy: { inline } });
  await done(kubectl.reading(one, 'apply', '--server-side', '-f', '-'));
  const waited = await cairn.cli('wait', 'mirror/demo', '--for=condition=Ready', '--timeout=120s');
  assert.equal(waited.code, 0, waited.output);
  await cairn.cli('suspend', 'mirror/demo');
  assert.equal(
    await done(kubectl('get', 'mirror', 'demo', '-o', 'jsonpath={.spec.suspend}')),
    'true',
  );
  const refused = await kubectl.reading(
    one.replace('"interval"', '"suspend":false,"interval"'),
    'apply',
    '--server-side',
    '-f',
    '-',
  );
  assert.match(
    refused.stderr,
    /conflict with "[^"]+" using cairn\.build\/v1alpha1: \.spec\.suspend/,
  );
  await done(kubectl('delete', 'mirror', 'demo', '--timeout=120s'));
  const gone = await cairn.cli('get', 'mirror', 'demo');
  assert.equal(gone.code, 1);
});

test('the token of a role does with kubectl what the role is for', async (t) => {
  const world = await product(t);
  const cairn = await world.start({ args: ['--tls-listen', '127.0.0.1:0'] });
  const [, url = ''] = /^and on (https:\S+)$/m.exec(cairn.logs) ?? [];
  const kubectlAs = async (role: string) => {
    const args = ['--role', role, '--data', world.data, '--server', url];
    const { code, stdout, output } = await cairn.cli('kubeconfig', ...args);
    assert.equal(code, 0, output);
    return kubectlFor(t, { url, kubeconfig: stdout });
  };
  const [viewer, promoter, editor, admin] = await Promise.all(
    ['viewer', 'promoter', 'editor', 'admin'].map(kubectlAs),
  );
  assert.ok(viewer && promoter && editor && admin);
  await done(editor.reading(environment('base-1'), 'apply', '-f', '-'));
  assert.match(await done(viewer('get', 'environments')), /^production +base-1 /m);
  assert.match(await done(promoter('auth', 'whoami')), /^Username +promoter$/m);
  const file = join(tempDir(t), 'kubeconfig');
  const printed = ['kubeconfig', '--role', 'viewer', '--data', world.data, '--server', url];
  writeFileSync(file, (await cairn.cli(...printed)).stdout);
  const own = await cairnCli(['get', 'environments', '--kubeconfig', file]);
  assert.match(own.stdout, /^production +base-1 /m, own.output);
  const can = async (who: Kubectl, ...words: readonly string[]) =>
    (await who('auth', 'can-i', ...words)).stdout.trim();
  assert.deepEqual(
    [await can(viewer, 'patch', 'environments'), await can(promoter, 'patch', 'environments')],
    ['no', 'yes'],
  );

  const patch = (who: Kubectl, spec: object) =>
    who('patch', 'cenv', 'production', '--type=merge', '-p', JSON.stringify({ spec }));
  const promotion = { snapshotRef: { name: 'base-2' } };
  const forbidden = /\(Forbidden\).*environments\.cairn\.build "production" is forbidden/;
  assert.match((await patch(viewer, promotion)).stderr, forbidden);
  await done(patch(promoter, promotion));
  const more = await patch(promoter, { suspend: true });
  assert.match(more.stderr, forbidden);
  assert.match(more.stderr, /\.spec\.suspend/);
  await done(patch(editor, { suspend: true }));
  const status = ['--subresource=status', '--type=merge', '-p', '{"status":{"previous":"x"}}'];
  assert.match((await editor('patch', 'cenv', 'production', ...status)).stderr, /\(Forbidden\)/);
  await done(admin('patch', 'cenv', 'production', ...status));
  const bad = ['--subresource=status', '--type=merge', '-p', '{"status":{"previous":1}}'];
  assert.match((await admin('patch', 'cenv', 'production', ...bad)).stderr, /status\.previous: /);
  const part = `apiVersion: cairn.build/v1alpha1
kind: Environment
metadata: { name: production }
status: { previous: base-1 }
`;
  const apply = ['apply', '--server-side', '--subresource=status', '--force-conflicts', '-f', '-'];
  assert.match((await editor.reading(part, ...apply)).stderr, /\(Forbidden\)/);
  await done(admin.reading(part, ...apply));
  const previous = ['-o', 'jsonpath={.status.previous} {.spec.snapshotRef.name}'];
  assert.equal(await done(viewer('get', 'cenv', 'production', ...previous)), 'base-1 base-2');
  assert.match((await promoter('delete', 'cenv', 'production')).stderr, forbidden);
  await done(editor('delete', 'cenv', 'production', '--timeout=120s'));

  const plain = await cairn.cli('kubeconfig', '--role', 'viewer', '--data', world.data);
  assert.equal(plain.code, 1, 'over http it would be an editor');
});
