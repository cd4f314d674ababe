import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { createLog } from '../../../controller/log.ts';
import {
  configSourceReconciler,
  planPath,
  validatePath,
} from '../../../controller/sources/reconciler.ts';
import type { ConfigSource } from '../../../crds/config-source.ts';
import { apiVersion, type KubeObject } from '../../../crds/object.ts';
import type { Report } from '../../../reconcilers/reconciler.ts';
import { mustRun } from '../../world/process.ts';
import { tempDir } from '../../world/temp.ts';
import {
  documentYaml,
  mirrorKey,
  mirrorYaml,
  openStore,
  told,
  until,
  writeFiles,
} from './folder.ts';
import { GitRepository } from './git-repository.ts';

const key = { kind: 'ConfigSource', namespace: 'default', name: 'config' };

/** A reconciler beside a real store, and what the loop would do around it. */
async function setUp(
  t: TestContext,
  spec: { location: string; branch?: string; path?: string; interval?: string },
) {
  const store = openStore(t);
  const lines: string[] = [];
  const log = createLog({ format: 'text', level: 'debug', write: (line) => lines.push(line) });
  const dataDir = tempDir(t);
  const reconciler = configSourceReconciler({
    dataDir,
    store,
    inventory: (source) => store.inventory(source),
    secrets: async () => undefined,
    now: () => new Date(),
    log,
  });
  t.after(() => reconciler.close());
  await store.create({ apiVersion, kind: 'ConfigSource', metadata: { name: 'config' }, spec });
  let pokes = 0;
  const context = {
    store,
    now: () => new Date(),
    poke: () => {
      pokes++;
    },
    signal: new AbortController().signal,
  };
  const source = async () => (await store.get(key)) as unknown as ConfigSource;
  async function run(requested?: string): Promise<Report<ConfigSource['status']>> {
    const object = await source();
    const report = await reconciler.reconcile(object, {
      ...context,
      ...(requested !== undefined && { requested }),
    });
    await store.updateStatus({ ...object, status: report.status } as KubeObject);
    return report;
  }
  /** Until a directory has agreed with itself. */
  async function runTwice() {
    await run();
    return run();
  }
  const names = async () => (await store.list('Mirror')).items.map(({ metadata }) => metadata.name);
  return {
    store,
    reconciler,
    context,
    source,
    run,
    runTwice,
    names,
    pokes: () => pokes,
    lines,
    dataDir,
  };
}

const five = (...names: string[]) => names.map((name) => mirrorYaml(name)).join('');

describe('a directory of manifests', () => {
  it('is applied, and reported with its digest and number of objects', async (t) => {
    const location = tempDir(t);
    await writeFiles(location, { 'a.yaml': five('a', 'b') });
    const { run, names, lines } = await setUp(t, { location });

    const { status, message, failure, events } = await run();

    assert.deepEqual(await names(), ['a', 'b']);
    assert.equal(failure, undefined);
    assert.equal(message, 'holds 2 objects');
    assert.equal(status.objects, 2);
    assert.match(status.revision ?? '', /^sha256:/);
    assert.deepEqual(
      events?.map((event) => event.message),
      ['created Mirror a, Mirror b'],
    );
    assert.match(lines.join(''), /created what a config source declares .*Mirror\/default\/a/);
  });

  it('is looked at again when a file changes', async (t) => {
    const location = tempDir(t);
    const { run, runTwice, names, pokes } = await setUp(t, { location });
    await run();
    await new Promise((resolve) => setTimeout(resolve, 300)); // chokidar has no word for ready here

    await writeFiles(location, { 'sub/a.yaml': five('a', 'b', 'c') });
    await until(() => pokes() > 0);
    await run();
    assert.deepEqual(await names(), ['a', 'b', 'c']);

    const before = pokes();
    await writeFiles(location, { 'sub/a.yaml': five('a', 'c') });
    await until(() => pokes() > before);
    const { status } = await runTwice();
    assert.deepEqual(await names(), ['a', 'c']);
    assert.equal(status.objects, 2);
  });

  it('applies the good documents, and keeps the last good version of a bad one', async (t) => {
    const location = tempDir(t);
    await writeFiles(location, { 'a.yaml': mirrorYaml('a'), 'b.yaml': mirrorYaml('b') });
    const { run, runTwice, names, store } = await setUp(t, { location });
    await run();

    await writeFiles(location, { 'a.yaml': 'spec: [broken\n', 'b.yaml': five('c') });
    const { failure, status } = await runTwice();

    assert.deepEqual(await names(), ['a', 'b', 'c']); // nobody knows what a.yaml is about
    assert.equal(failure?.reason, 'ConfigInvalid');
    assert.match(failure?.message ?? '', /^a.yaml:2:1: not YAML: /);
    assert.equal(status.problems?.length, 1);

    await writeFiles(location, { 'a.yaml': mirrorYaml('a', { download: 'eager', public: 1 }) });
    const second = await runTwice();

    assert.deepEqual(await names(), ['a', 'c']); // b is gone for sure, a is only bad
    const kept = await store.get(mirrorKey('a'));
    assert.equal((kept?.spec as { download: string }).download, 'Eager');
    assert.match(second.failure?.message ?? '', /^a.yaml:2:\d+: spec.download: .* \(and 1 more\)$/);
  });

  it('holds back a prune that looks like an accident until it is approved', async (t) => {
    const location = tempDir(t);
    await writeFiles(location, { 'a.yaml': five('a', 'b', 'c', 'd') });
    const { run, runTwice, names, store, source } = await setUp(t, { location });
    await run();
    await rm(join(location, 'a.yaml'));

    const { failure, status } = await runTwice();

    assert.equal(failure?.reason, 'PruneHeld');
    assert.equal((await names()).length, 4);
    assert.deepEqual([status.prune?.total, status.prune?.objects.length], [4, 4]);
    assert.match(
      failure?.message ?? '',
      new RegExp(
        `cairn approve configsource/config .*cairn.build/prune-approved=${status.prune?.digest}`,
      ),
    );

    const object = await source();
    const annotations = { 'cairn.build/prune-approved': status.prune?.digest ?? '' };
    await store.update({ ...object, metadata: { ...object.metadata, annotations } });
    const after = await runTwice();

    assert.deepEqual(await names(), []);
    assert.equal(after.failure, undefined);
    assert.deepEqual([after.status.objects, after.status.prune], [0, undefined]);
  });

  it('that is copied or checked out at that moment loses nothing', async (t) => {
    const location = tempDir(t);
    await writeFiles(location, { 'a.yaml': five('a', 'b', 'c'), 'd.yaml': mirrorYaml('d') });
    const { run, names } = await setUp(t, { location });
    await run();

    await rm(join(location, 'd.yaml'));
    const { again } = await run();
    assert.deepEqual(again, { ms: 1000, exact: true });
    await writeFiles(location, { 'd.yaml': mirrorYaml('d') });
    await run();

    assert.equal((await names()).length, 4);
  });

  it('that is being written, file by file, loses nothing until it has come to rest', async (t) => {
    const location = tempDir(t);
    await writeFiles(location, { 'a.yaml': five('a', 'b', 'c'), 'd.yaml': mirrorYaml('d') });
    const { run, runTwice, names } = await setUp(t, { location });
    await run();

    await rm(join(location, 'd.yaml'));
    for (const name of ['e', 'f', 'g']) {
      await writeFiles(location, { [`${name}.yaml`]: mirrorYaml(name) });
      await run();
    }
    assert.deepEqual(await names(), ['a', 'b', 'c', 'd', 'e', 'f', 'g']);

    await runTwice();
    assert.deepEqual(await names(), ['a', 'b', 'c', 'e', 'f', 'g']);
  });

  it('keeps what a file has declared that was cut to nothing', async (t) => {
    const location = tempDir(t);
    await writeFiles(location, { 'a.yaml': five('a', 'b', 'c'), 'd.yaml': mirrorYaml('d') });
    const { run, runTwice, names } = await setUp(t, { location });
    await run();

    await writeFiles(location, { 'd.yaml': '' });
    const { failure } = await runTwice();
    assert.match(
      failure?.message ?? '',
      /^d\.yaml:1:1: the file is empty, and has declared Mirror d/,
    );
    assert.equal((await names()).length, 4);

    await rm(join(location, 'd.yaml'));
    await runTwice();
    assert.deepEqual(await names(), ['a', 'b', 'c']);
  });

  it('has no branches, and a log that says so', async (t) => {
    const { run, lines } = await setUp(t, { location: tempDir(t), branch: 'main' });

    const { failure } = await run();

    assert.equal(failure, undefined);
    assert.match(lines.join(''), /a directory is read as it is, on no branch .*branch=main/);
  });

  it('that is a file is refused', async (t) => {
    const folder = tempDir(t);
    await writeFiles(folder, { 'a.yaml': mirrorYaml('a') });
    const { run } = await setUp(t, { location: join(folder, 'a.yaml') });

    const { failure } = await run();

    assert.equal(failure?.reason, 'ConfigUnreachable');
    assert.match(
      failure?.message ?? '',
      /^can not read .*a.yaml: it is a file; give its directory$/,
    );
  });

  it('that is not there deletes nothing and says so', async (t) => {
    const location = join(tempDir(t), 'config');
    await writeFiles(location, { 'a.yaml': five('a', 'b') });
    const { run, runTwice, names } = await setUp(t, { location });
    const { status: before } = await run();

    await rm(location, { recursive: true });
    const { failure, status } = await runTwice();

    assert.equal(failure?.reason, 'ConfigUnreachable');
    assert.equal(failure?.message, `there is no directory ${location}`);
    assert.deepEqual(await names(), ['a', 'b']);
    assert.deepEqual(status, before);
  });

  it('does not take what another config source has applied', async (t) => {
    const [location, other] = [tempDir(t), tempDir(t)];
    await writeFiles(location, { 'a.yaml': mirrorYaml('a') });
    await writeFiles(other, { 'x.yaml': five('a', 'x') });
    const { run, store, reconciler, context, names } = await setUp(t, { location });
    await run();
    const metadata = { name: 'other' };
    const second = await store.create({
      apiVersion,
      kind: 'ConfigSource',
      metadata,
      spec: { location: other },
    });

    const { failure } = await reconciler.reconcile(second as unknown as ConfigSource, context);

    assert.match(
      failure?.message ?? '',
      /^x.yaml:2:1: Mirror a is declared by the config source default\/config already$/,
    );
    assert.deepEqual(await names(), ['a', 'x']);
  });
});

describe('a git repository of manifests', () => {
  it('is fetched in the background, applied, and reported with its commit', async (t) => {
    const repository = await GitRepository.create(t, {
      'prod/a.yaml': five('a', 'b', 'c'),
      'x.yaml': mirrorYaml('x'),
    });
    const { run, names, pokes, dataDir, reconciler, source, context } = await setUp(t, {
      location: repository.bare,
      path: 'prod',
      interval: '1s',
    });

    const first = await run();
    assert.equal(first.progressing, true);
    await until(() => pokes() > 0);
    const { status, message, progressing } = await run();
    assert.deepEqual(await names(), ['a', 'b', 'c']);
    assert.equal(progressing, undefined);
    assert.equal(message, `holds 3 objects of ${status.revision?.slice(0, 12)}`);

    const commit = await repository.commit({ 'prod/a.yaml': five('a', 'b') });
    const before = pokes();
    await run('request-1');
    await until(() => pokes() > before);
    const after = await run();
    assert.deepEqual(await names(), ['a', 'b']); // a commit is whole: nothing to wait for
    assert.equal(after.status.revision, commit);

    await reconciler.finalize?.(await source(), context);
    await assert.rejects(validatePath(join(dataDir, 'sources', 'default_config')), /ENOENT/);
    assert.deepEqual(await names(), ['a', 'b']);
  });

  it('that can not be reached keeps everything, and is good again by itself', async (t) => {
    const repository = await GitRepository.create(t, { 'a.yaml': five('a', 'b') });
    const { run, names, pokes } = await setUp(t, { location: repository.bare, interval: '1s' });
    await run();
    await until(() => pokes() > 0);
    const { status: good } = await run();

    const before = pokes();
    await mustRun('git', ['update-ref', '-d', 'refs/heads/main'], { cwd: repository.bare });
    await run('request-2');
    await until(() => pokes() > before);
    const { failure, status } = await run();

    assert.equal(failure?.reason, 'ConfigUnreachable');
    assert.deepEqual(status, good);
    assert.deepEqual(await names(), ['a', 'b']);
  });

  it('without the declared path is an error that deletes nothing', async (t) => {
    const repository = await GitRepository.create(t, { 'prod/a.yaml': five('a', 'b') });
    const { run, names, pokes } = await setUp(t, {
      location: repository.bare,
      path: 'prod',
      interval: '1s',
    });
    await run();
    await until(() => pokes() > 0);
    await run();

    const before = pokes();
    await repository.commit({ 'production/a.yaml': five('a', 'b') });
    await run('request-3');
    await until(() => pokes() > before);
    const { failure } = await run();

    assert.equal(failure?.message, `there is no directory prod of ${repository.bare}`);
    assert.deepEqual(await names(), ['a', 'b']);
  });
});

describe('a request to look now', () => {
  it('is answered when the git server was asked after it', async (t) => {
    const repository = await GitRepository.create(t, { 'a.yaml': mirrorYaml('a') });
    const { run, names, pokes } = await setUp(t, { location: repository.bare, interval: '1h' });
    await run();
    await until(() => pokes() > 0);
    assert.equal((await run()).handled, undefined);
    await repository.commit({ 'a.yaml': five('a', 'b') });

    const first = await run('now');
    assert.equal(first.handled, null);
    await until(() => pokes() > 1);
    const second = await run('now');

    assert.equal(second.handled, undefined);
    assert.deepEqual(await names(), ['a', 'b']);
  });
});

describe('a path', () => {
  it('can be validated without any store', async (t) => {
    const folder = tempDir(t);
    const bad = documentYaml('MirrorSet', 's', {});
    await writeFiles(folder, { 'a.yaml': mirrorYaml('a'), 'b/b.yaml': bad, '.git/config': '' });

    const all = await validatePath(folder);
    const one = await validatePath(join(folder, 'b/b.yaml'));

    assert.equal(all.manifests.length, 1);
    const expected = [`b/b.yaml:2:86: spec.mirrors: expected mirrors, repositories or a selector`];
    assert.deepEqual(told(all.problems).map(withoutColumn), expected.map(withoutColumn));
    assert.deepEqual(told(one.problems), told(all.problems));
    await assert.rejects(validatePath(join(folder, 'none')), /ENOENT/);
  });

  it('can be planned without writing anything', async (t) => {
    const store = openStore(t);
    const folder = tempDir(t);
    await store.create(JSON.parse(mirrorYaml('a').slice(4)));
    await writeFiles(folder, { 'a.yaml': mirrorYaml('a', { public: true }) + mirrorYaml('b') });
    const before = (await store.list('Mirror')).resourceVersion;

    const { plan } = await planPath(folder, { store });

    assert.deepEqual(
      plan.apply.map(({ key, outcome, changes }) => [key.name, outcome, changes]),
      [
        ['a', 'update', [{ path: 'spec.public', from: false, to: true }]],
        ['b', 'create', undefined],
      ],
    );
    assert.equal((await store.list('Mirror')).resourceVersion, before);
  });
});

function withoutColumn(line: string): string {
  return line.replace(/^([^:]+:\d+):\d+/, '$1');
}
