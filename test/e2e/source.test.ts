/** A commit becomes a signed package: git, the engine, the repository and apt are all real. */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Build } from '../../crds/build.ts';
import type { Source } from '../../crds/source.ts';
import { compareVersions } from '../../apt/version.ts';
import { startWorld, type World } from '../builders/docker/world.ts';
import { GitRepository } from '../controller/sources/git-repository.ts';
import type { AptRoot } from '../world/apt.ts';
import type { Cairn } from '../world/cairn.ts';
import { letGo, waitForGo } from '../world/container.ts';
import { needsDocker } from '../world/docker.ts';
import { suiteScope } from '../world/temp.ts';
import { helloTools } from './hello-tools.ts';
import { manifest, nameBuilder } from './building.ts';
import { eventually, good, objectOf, product, until, type Product } from './product.ts';

const owner = 'source-e2e';
const hookToken = 'a token of the test';
const root = '/repositories/default/tools';

/** A package with a debian/ of its own, and what is to happen while it is built. */
function files(says: string, during = ''): Readonly<Record<string, string>> {
  return helloTools({ says, rules: during === '' ? {} : { override_dh_auto_build: [during] } });
}

describe('a source', needsDocker, () => {
  const scope = suiteScope();
  let engine: World;
  let world: Product;
  let cairn: Cairn;
  let git: GitRepository;
  let apt: AptRoot;
  let spec: object;

  const start = () => world.start({ args: ['--docker', engine.address] });
  const source = async () => (await objectOf<Source>(cairn, 'sources', 'hello'))?.status;
  const build = async (name: string | undefined) => objectOf<Build>(cairn, 'builds', name ?? '');
  const log = async (name: string | undefined) =>
    (await fetch(`${cairn.url}/builds/default/${name}/log`)).text();

  /** The Build of a commit, as soon as there is one that `holds`. */
  async function buildOf(
    commit: string,
    what: string,
    holds: (build: Build) => boolean,
  ): Promise<Build> {
    let found: Build | undefined;
    const check = async () => {
      const { build: name, commit: at } = (await source()) ?? {};
      found = at === commit ? await build(name) : undefined;
      return found !== undefined && holds(found);
    };
    await eventually(check, what, 240_000, 200).catch(async (error: unknown) => {
      const told = JSON.stringify([await source(), found], undefined, 1);
      throw new Error(`${told}\n${await log(found?.metadata.name)}\n${cairn.logs}`, {
        cause: error,
      });
    });
    if (!found) throw new Error('there is no Build');
    return found;
  }

  /** Commits, and tells of it as GitHub does. Gives the commit. */
  async function push(files: Readonly<Record<string, string>>): Promise<string> {
    const commit = await git.commit(files);
    const body = JSON.stringify({ ref: 'refs/heads/main', after: commit });
    const hmac = createHmac('sha256', hookToken).update(body).digest('hex');
    const headers = { 'x-github-event': 'push', 'x-hub-signature-256': `sha256=${hmac}` };
    const path = new URL((await source())?.webhookUrl ?? '').pathname;
    const answer = await fetch(`${cairn.url}${path}`, { method: 'POST', headers, body });
    assert.equal(answer.status, 202, await answer.text());
    return commit;
  }

  const finished = (commit: string) =>
    buildOf(commit, `the Build of ${commit} ends`, ({ status }) => status.result !== undefined);

  before(async () => {
    engine = await startWorld(scope);
    world = await product(scope);
    nameBuilder(scope, world, { engine, owner });
    const { uri, suites, components, key } = engine.archive;
    const externalDependencies = [{ url: uri, suites, components, key }];
    world.write(
      'tools.yaml',
      manifest('Repository', 'tools', { public: true, externalDependencies }),
    );
    mkdirSync(join(world.data, 'secrets/hook'), { recursive: true });
    writeFileSync(join(world.data, 'secrets/hook/token'), hookToken);
    git = await GitRepository.create(scope, files('one'));
    spec = {
      url: `file://${git.bare}`,
      ref: { branch: 'main' },
      interval: '1h',
      webhook: { secretRef: { name: 'hook' } },
      repositoryRef: { name: 'tools' },
      build: { base: { image: engine.base } },
    };
    world.write('hello.yaml', manifest('Source', 'hello', spec));
    cairn = await start();
    await until(cairn, 'repository/tools', '--for=condition=Ready');
    apt = await world.apt(cairn, root);
  });

  it('builds its commit, which apt downloads with every check', async () => {
    const commit = (await git.git('rev-parse', 'HEAD')).trim();
    const { status } = await finished(commit);

    assert.equal(status.result, 'Succeeded', JSON.stringify(status));
    assert.equal(status.version, '1.0+1');
    assert.equal(status.phase, 'Finished');
    assert.match(status.inputs?.image ?? '', /^sha256:/);
    const condition = status.conditions?.find(({ type }) => type === 'Succeeded');
    assert.deepEqual([condition?.status, condition?.reason], ['True', 'Succeeded']);
    for (const time of [
      status.queuedAt,
      status.preparingAt,
      status.buildingAt,
      status.finishedAt,
    ]) {
      assert.match(time ?? '', /^\d{4}-/);
    }
    good(await apt.update());
    assert.equal(await apt.policy('hello-tools'), '1.0+1');
    good(await apt.download('hello-tools'));
    good(await apt.source('hello-tools'));
    await until(cairn, 'source/hello', '--for=condition=Ready');
    const { stdout } = await cairn.cli('logs', '-f', 'source/hello');
    assert.match(stdout, /dpkg-deb: building package 'hello-tools'/);
  });

  it('gives the next commit a version that apt upgrades to', async () => {
    const { status } = await finished(await push(files('two')));

    assert.equal(status.result, 'Succeeded', JSON.stringify(status));
    assert.ok(compareVersions(status.version ?? '', '1.0+1') > 0);
    good(await apt.update());
    assert.equal(await apt.policy('hello-tools'), status.version);
  });

  it('says how a commit failed, and keeps what was published', async () => {
    const before = await source();
    const commit = await push(files('three', 'echo the oven is cold; exit 3'));
    const { metadata, status } = await finished(commit);

    assert.equal(status.result, 'FailedToBuild');
    const condition = status.conditions?.find(({ type }) => type === 'Succeeded');
    assert.deepEqual([condition?.status, condition?.reason], ['False', 'FailedToBuild']);
    assert.match(condition?.message ?? '', /exit status 2\n[^\n]+\n[^]*the oven is cold/);
    assert.match(await log(metadata.name), /the oven is cold/);
    await until(cairn, 'source/hello', '--for=jsonpath={.status.conditions[0].reason}=BuildFailed');
    assert.equal((await source())?.version, before?.version);

    assert.equal((await cairn.cli('build', 'hello')).code, 0);
    const isAnother = ({ metadata: { name }, status: { result } }: Build) =>
      name !== metadata.name && result !== undefined;
    const again = await buildOf(commit, 'it is built once more', isAnother);
    assert.equal(again.status.result, 'FailedToBuild');
    assert.ok(again.spec.counter > 3);
  });

  it('goes on with a build through the end of its controller', async () => {
    const commit = await push(files('four', `echo begun slowly; ${waitForGo}; echo slowly ended`));
    const { metadata } = await buildOf(
      commit,
      'the Build runs',
      ({ status }) => status.phase === 'Building',
    );
    await eventually(async () => /begun slowly/.test(await log(metadata.name)), 'it says so');
    await cairn.kill('SIGKILL');
    cairn = await start();
    await letGo(engine.docker, `cairn-${owner}-run-${metadata.uid}`);
    const { status, metadata: same } = await finished(commit);

    assert.equal(same.uid, metadata.uid);
    assert.equal(status.result, 'Succeeded', JSON.stringify(status));
    const text = await log(metadata.name);
    assert.equal(text.match(/^begun slowly$/gm)?.length, 1);
    assert.equal(text.match(/^slowly ended$/gm)?.length, 1);
    apt = await world.apt(cairn, root);
    good(await apt.update());
    assert.equal(await apt.policy('hello-tools'), status.version);
  });

  it('ends a build for a newer commit, or for a person', async () => {
    const old = await push(files('five', 'sleep 600'));
    const running = await buildOf(old, 'it runs', ({ status }) => status.phase === 'Building');
    const newer = await push(files('six', 'sleep 600'));
    const next = await buildOf(newer, 'the next runs', ({ status }) => status.phase === 'Building');
    await eventually(
      async () => (await build(running.metadata.name))?.status.result === 'Superseded',
      'the older one is superseded',
    );

    const cancelled = await cairn.cli('cancel', 'source/hello');
    assert.equal(cancelled.code, 0, cancelled.output);
    assert.equal((await finished(newer)).status.result, 'Cancelled');
    assert.equal((await build(next.metadata.name))?.status.result, 'Cancelled');
  });

  it('that is deleted while it builds takes its container with it, and its packages if it wants', async () => {
    const commit = await push(files('seven', 'sleep 600'));
    const { metadata } = await buildOf(
      commit,
      'it runs',
      ({ status }) => status.phase === 'Building',
    );
    const containers = async () => {
      const all = await engine.docker.listContainers({ all: true });
      return all.filter(({ Labels }) => Object.values(Labels).includes(metadata.uid));
    };
    await eventually(async () => (await containers()).length === 1, 'its container is there');
    good(await apt.update());
    assert.notEqual(await apt.policy('hello-tools'), undefined);

    world.write('hello.yaml', manifest('Source', 'hello', { ...spec, deletionPolicy: 'Remove' }));
    await eventually(
      async () =>
        ((await objectOf<Source>(cairn, 'sources', 'hello'))?.metadata.finalizers ?? []).length > 0,
      'the policy is noticed',
    );
    rmSync(join(world.config, 'hello.yaml'));
    await eventually(
      async () => (await objectOf<Source>(cairn, 'sources', 'hello')) === undefined,
      'the Source is gone',
    );
    assert.equal(await build(metadata.name), undefined);
    await eventually(async () => (await containers()).length === 0, 'its container is gone');
    await eventually(async () => {
      good(await apt.update());
      return (await apt.policy('hello-tools')) === undefined;
    }, 'its package is gone');
  });

  after(async () => {
    await cairn?.kill('SIGKILL');
  });
});
