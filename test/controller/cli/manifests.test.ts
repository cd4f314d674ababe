import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { digestOf } from '../../../controller/sources/given.ts';
import { planPath } from '../../../controller/sources/reconciler.ts';
import { tempDir, type Scope } from '../../world/temp.ts';
import { mirrorSpec, startCli } from './cli-world.ts';
import { cairn } from './in-process.ts';

const mirror = (name: string, suites: readonly string[]) => `apiVersion: cairn.build/v1alpha1
kind: Mirror
metadata:
  name: ${name}
spec:
  url: ${mirrorSpec.url}
  suites: [${suites.join(', ')}]
  allowUnsigned: true
`;

function folder(t: Scope, files: Readonly<Record<string, string>>): string {
  const root = tempDir(t);
  for (const [file, content] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    writeFileSync(path.join(root, file), content);
  }
  return root;
}

describe('cairn validate', () => {
  it('is content with good manifests, and needs no server', async (t) => {
    const cwd = folder(t, { 'mirrors/debian.yaml': mirror('debian', ['bookworm']) });
    const { status, out } = await cairn(['validate', '.'], { cwd });
    assert.deepEqual([status, out], [0, '1 good manifest, 0 problems']);
  });

  it('names every problem by file, line and column, as the user sees the file', async (t) => {
    const cwd = folder(t, {
      'config/mirrors/debian.yaml': `${mirror('debian', [])}---\n${mirror('ubuntu', ['jammy']).replace('url:', 'urll:')}`,
      'config/broken.yaml': 'kind: [Mirror\n',
    });
    const { status, out } = await cairn(['validate', 'config'], { cwd });
    assert.equal(status, 3);
    const lines = out.split('\n');
    assert.match(lines[0] ?? '', /^config\/broken\.yaml:\d+:\d+: not YAML/);
    assert.match(lines[1] ?? '', /^config\/mirrors\/debian\.yaml:7:\d+: spec\.suites: /);
    assert.ok(
      lines.some((line) =>
        /^config\/mirrors\/debian\.yaml:15:3: spec\.urll: unknown field; did you mean `url`\?$/.test(
          line,
        ),
      ),
      out,
    );
    assert.match(lines.at(-1) ?? '', /^0 good manifests, \d problems$/);
  });

  it('prints JSON for programs', async (t) => {
    const cwd = folder(t, { 'debian.yaml': mirror('debian', []) });
    const { status, out } = await cairn(['validate', 'debian.yaml', '-o', 'json'], { cwd });
    const { manifests, problems } = JSON.parse(out);
    assert.deepEqual(
      [status, manifests, problems[0].file, problems[0].line],
      [3, 0, 'debian.yaml', 7],
    );
  });

  it('says that there is no such path, with status 1', async (t) => {
    const { status, err } = await cairn(['validate', 'nowhere'], { cwd: tempDir(t) });
    assert.deepEqual([status, err], [1, "cairn: can't read nowhere: it does not exist"]);
  });
});

describe('cairn plan', () => {
  it('shows what would be created and changed, field by field, and changes nothing', async (t) => {
    const server = await startCli(t);
    await server.declare('Mirror', 'debian', mirrorSpec);
    await server.declare('Mirror', 'same', mirrorSpec);
    const cwd = folder(t, {
      'all.yaml': [
        mirror('debian', ['bookworm', 'trixie']),
        mirror('new', ['bookworm']),
        mirror('same', ['bookworm']),
      ].join('---\n'),
    });
    const { status, out } = await server.cairn('plan', { cwd });
    assert.equal(status, 0);
    assert.equal(
      out,
      `~ mirror/debian
    spec.suites: ["bookworm"] -> ["bookworm","trixie"]
+ mirror/new

1 to create, 1 to change, 0 to delete, 1 unchanged`,
    );
    assert.equal((await server.cairn('plan . --exit-code', { cwd })).status, 3);
    assert.equal((await server.cairn('get mirrors -o name')).out, 'mirror/debian\nmirror/same');
  });

  it('shows deletions, held ones too, of the config source that the server runs', async (t) => {
    const server = await startCli(t, {
      inventories: async () => [
        { name: 'config', entries: await server.store.inventory('config').list() },
      ],
    });
    const names = ['debian', 'ubuntu', 'docker', 'extra'];
    const entries = [];
    for (const name of names) {
      const { metadata } = await server.declare('Mirror', name, mirrorSpec);
      entries.push({
        kind: 'Mirror',
        namespace: 'default',
        name,
        uid: metadata.uid,
        file: 'all.yaml',
      });
    }
    await server.store.inventory('config').replace(entries);
    const kept = (count: number) =>
      folder(t, {
        'all.yaml': names
          .slice(0, count)
          .map((name) => mirror(name, ['bookworm']))
          .join('---\n'),
      });
    const one = await server.cairn(['plan', kept(3)]);
    assert.equal(one.out, '- mirror/extra\n\n0 to create, 0 to change, 1 to delete, 3 unchanged');
    const most = await server.cairn(['plan', kept(1)]);
    assert.match(most.out, /^\? mirror\/docker {3}held: would be deleted$/m);
    assert.match(most.out, /0 to delete, 3 deletions would be held until approved/);
    const promoted = await server.cairn('suspend mirror/debian');
    assert.match(promoted.err, /warning: mirror\/debian is declared by configsource\/config/);
  });

  it('tells what was changed by hand from what a new manifest changes', async (t) => {
    const server = await startCli(t, {
      inventories: async () => [
        { name: 'config', entries: await server.store.inventory('config').list() },
      ],
    });
    const cwd = folder(t, { 'all.yaml': mirror('debian', ['bookworm']) });
    const { reading } = await planPath(cwd, { store: server.store });
    const [loaded] = reading.manifests;
    assert.ok(loaded);
    const { object } = await server.store.apply(loaded.manifest, 'config:default/config');
    const key = { kind: 'Mirror', namespace: 'default', name: 'debian' };
    const entry = { ...key, uid: object.metadata.uid, file: 'all.yaml' };
    const digest = digestOf(loaded.manifest);
    await server.store.inventory('config').replace([{ ...entry, digest }]);
    await server.declare('ConfigSource', 'config', { location: cwd, drift: 'Correct' });
    await server.cairn('suspend mirror/debian');
    assert.match((await server.cairn('plan', { cwd })).out, /^0 to create, 0 to change/);
    const edited = await server.store.get(key);
    assert.ok(edited);
    await server.store.update({ ...edited, spec: { ...(edited.spec as object), suites: ['x'] } });
    const change = '\n    spec.suites: ["x"] -> ["bookworm"]\n';

    const corrected = await server.cairn('plan', { cwd });
    const source = await server.store.get({ ...key, kind: 'ConfigSource', name: 'config' });
    assert.ok(source);
    const spec = { ...(source.spec as object), drift: 'Report' };
    await server.store.update({ ...source, spec });
    const reported = await server.cairn('plan', { cwd });
    const json = await server.cairn('plan -o json', { cwd });

    assert.ok(corrected.out.startsWith(`~ mirror/debian   changed by hand${change}`));
    assert.equal(
      reported.out,
      `= mirror/debian   changed by hand: left so${change}
0 to create, 0 to change, 0 to delete, 0 unchanged, 1 changed by hand`,
    );
    const { apply, drifted } = JSON.parse(json.out);
    assert.deepEqual([apply, drifted[0].name, drifted[0].isDrift], [[], 'debian', true]);
  });

  it('says that it can not tell deletions where there is no config source', async (t) => {
    const server = await startCli(t);
    const cwd = folder(t, { 'all.yaml': mirror('debian', ['bookworm']) });
    assert.match((await server.cairn('plan', { cwd })).err, /^Deletions are not shown/);
  });

  it('reports bad manifests with status 3', async (t) => {
    const server = await startCli(t);
    const cwd = folder(t, {
      'a.yaml': mirror('debian', []),
      'b.yaml': mirror('new', ['bookworm']),
    });
    const { status, out } = await server.cairn('plan', { cwd });
    assert.equal(status, 3);
    assert.match(out, /^! a\.yaml:7:\d+: spec\.suites/m);
    assert.match(out, /^\+ mirror\/new$/m);
  });

  it('prints Markdown for pull requests and JSON for programs', async (t) => {
    const server = await startCli(t);
    const cwd = folder(t, { 'all.yaml': mirror('debian', ['bookworm']) });
    assert.equal(
      (await server.cairn('plan -o md', { cwd })).out,
      '**Cairn plan**: 1 to create, 0 to change, 0 to delete, 0 unchanged\n\n```diff\n+ mirror/debian\n```',
    );
    const json = JSON.parse((await server.cairn('plan -o json', { cwd })).out);
    assert.deepEqual(
      [json.apply[0].outcome, json.apply[0].name, json.apply[0].file, json.delete],
      ['create', 'debian', 'all.yaml', []],
    );
  });
});
