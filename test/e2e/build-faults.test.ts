/** Builds whose controller or engine dies, at each step, or that nobody wants any more. */
import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import type { Build } from '../../crds/build.ts';
import type { Repository } from '../../crds/repository.ts';
import { GitRepository } from '../controller/sources/git-repository.ts';
import type { AptRoot } from '../world/apt.ts';
import { waitForGo } from '../world/container.ts';
import { controlFields, makeDeb } from '../world/deb.ts';
import { needsDocker } from '../world/docker.ts';
import { exportSecret, testKey } from '../world/keys.ts';
import { mustRun } from '../world/process.ts';
import { suiteScope, tempDir } from '../world/temp.ts';
import { BuildWorld } from './build-world.ts';
import { eventually, good, objectOf, until } from './product.ts';
import { tinyPackage } from './tiny-package.ts';

const slow = 'echo begun; sleep 600';
const diskMiB = 4;

describe('a build', needsDocker, () => {
  const scope = suiteScope();
  let world: BuildWorld;
  let apt: AptRoot;

  const there = (file: string) => eventually(() => existsSync(file), file, 90_000, 2);
  const nothingLeft = () =>
    eventually(async () => (await world.left()).length === 0, 'all is tidied up', 90_000);
  const hasBegun = (build: Build) =>
    eventually(async () => /^begun$/m.test(await world.log(build)), 'it runs', 90_000);
  const suspended = (suspend: boolean) =>
    world.declare('Repository', 'tools', { public: true, suspend });

  /** What apt has of the package: the same version never comes twice. */
  async function versions(): Promise<readonly string[]> {
    good(await apt.update());
    const { stdout } = await apt.apt('apt-cache', ['madison', 'tiny']);
    return stdout
      .split('\n')
      .filter((line) => /Packages$/.test(line))
      .map((line) => line.split('|')[1]?.trim() ?? '');
  }

  before(async () => {
    world = await BuildWorld.open(scope, diskMiB);
    await suspended(false);
    await until(world.cairn, 'repository/tools', '--for=condition=Ready');
    apt = await world.product.apt(world.cairn, '/repositories/default/tools');
  });

  it('ends well, and is published once, whenever its controller is killed', async () => {
    const commit = await world.git.commit(tinyPackage('first', waitForGo));
    await world.declareSource('tiny', 'tools');
    const begun = await world.buildOf(commit, 'there is a Build', () => true);
    await world.crash();
    await there(world.fileOf(begun, 'checkout'));
    await world.crash();
    await there(world.fileOf(begun, 'plan.json'));
    await world.crash();
    await suspended(true);
    await world.letGo(begun);
    await there(world.fileOf(begun, 'outcome.json'));
    await world.crash();
    await world.inPhase(commit, 'Publishing');
    good(await apt.update());
    await world.crash();
    await suspended(false);
    const { metadata, status } = await world.finished(commit);
    await world.crash();

    assert.equal(metadata.uid, begun.metadata.uid);
    assert.equal(status.result, 'Succeeded', JSON.stringify(status));
    assert.deepEqual(await versions(), ['1.0+1']);
    good(await apt.download('tiny'));
    const log = await world.log(begun);
    assert.equal(log.match(/^cairn: Built$/gm)?.length, 1, log);
    await nothingLeft();
  });

  it('says where its packages come from, which gpgv checks with what Debian has', async (t) => {
    const commit = (await world.git.git('rev-parse', 'HEAD')).trim();
    const { metadata, status } = await world.finished(commit);
    const folder = tempDir(t);
    const script = `
      set -eu
      build=$1/builds/default/$2
      repository=$1/repositories/default/tools
      curl -fsS -o key.asc "$repository/key.asc"
      gpg --homedir . --dearmor <key.asc >key.gpg
      curl -fsS -O "$build/provenance.json" -O "$build/provenance.json.asc"
      gpgv --keyring ./key.gpg provenance.json.asc provenance.json
      sed 's/.*"payload":"\\([^"]*\\)".*/\\1/' provenance.json | base64 -d
    `;
    const words = ['-c', script, 'sh', world.cairn.url, metadata.name];
    const { subject, predicate } = JSON.parse(await mustRun('sh', words, { cwd: folder }));

    const { name } = status.artifacts?.find((one) => one.name.endsWith('.deb')) ?? {};
    good(await apt.download('tiny'));
    const deb = subject.find((one: { readonly name: string }) => one.name === name);
    const bytes = await fetch(`${status.artifactsUrl}${name}`).then((file) => file.arrayBuffer());
    assert.equal(hash('sha256', Buffer.from(bytes)), deb.digest.sha256);
    const [source] = predicate.buildDefinition.resolvedDependencies;
    assert.equal(source.digest.gitCommit, commit);
    assert.equal(predicate.runDetails.metadata.invocationId, metadata.uid);
    const buildinfo = await fetch(`${status.artifactsUrl}${status.buildinfo}`);
    assert.match(await buildinfo.text(), /^Installed-Build-Depends:/m);
    assert.equal(status.logUrl, `${world.cairn.url}/builds/default/${metadata.name}/log`);
  });

  it('is tried again when its engine is killed, and waits for one that is away', async () => {
    const commit = await world.git.commit(tinyPackage('second', `echo begun; ${waitForGo}`));
    const lost = await world.inPhase(commit, 'Building');
    await hasBegun(lost);
    await world.engine.kill();
    await world.engine.start();
    const again = await world.buildOf(commit, 'another try', ({ spec }) => spec.attempt === 2);
    await world.letGo(again);
    await world.finished(commit);
    const first = await objectOf<Build>(world.cairn, 'builds', lost.metadata.name);
    assert.equal(first?.status.result, 'BuilderLost');
    assert.notEqual(again.metadata.uid, lost.metadata.uid);

    await world.engine.stop();
    const next = await world.git.commit(tinyPackage('third'));
    await world.waitsBecause(next, 'BuilderUnavailable', /Docker doesn't answer/);
    await world.engine.start();
    const { status, spec } = await world.finished(next);
    assert.deepEqual([status.result, spec.attempt], ['Succeeded', 1]);
    assert.deepEqual(await versions(), ['1.0+4', '1.0+3', '1.0+1']);
    await nothingLeft();
  });

  it('goes on when its log has found the disk full, and there is room again', async () => {
    const mebibytes = 2 * diskMiB;
    const commit = await world.git.commit(
      tinyPackage(
        'fourth',
        `head -c ${mebibytes * 2 ** 20} /dev/zero | tr '\\0' x | fold -w 1024; sleep 1`,
      ),
    );
    await world.waitsBecause(commit, 'DepotFull', /no space left/);
    await world.resizeDisk(4 * mebibytes);
    const { status } = await world.finished(commit);
    assert.equal(status.result, 'Succeeded', JSON.stringify(status));
    assert.ok((status.log?.size ?? 0) > mebibytes * 2 ** 20);
  });

  it('can be cancelled in each phase, and keeps its log', async () => {
    const cancel = async ({ metadata }: Build) =>
      assert.equal((await world.cairn.cli('cancel', metadata.name)).code, 0);
    const early = await world.engine.frozen(async () => {
      const commit = await world.git.commit(tinyPackage('fifth'));
      const build = await world.inPhase(commit, 'Preparing');
      await eventually(async () => /preparing/.test(await world.log(build)), 'it prepares');
      await cancel(build);
      return world.finished(commit);
    });
    assert.equal(early.status.result, 'Cancelled');
    assert.match(await world.log(early), /preparing[^]*Cancelled: cancelled by hand/);

    const commit = await world.git.commit(tinyPackage('sixth', slow));
    const running = await world.inPhase(commit, 'Building');
    await hasBegun(running);
    await world.cairn.kill('SIGKILL');
    await world.start();
    await cancel(running);
    assert.equal((await world.finished(commit)).status.result, 'Cancelled');
    assert.match(await world.log(running), /^begun$/m);
    await nothingLeft();
  });

  it('goes without a trace when it is deleted, in each phase', async () => {
    const commit = await world.git.commit(tinyPackage('seventh', slow));
    const running = await world.inPhase(commit, 'Building');
    await hasBegun(running);
    await world.declare('Source', 'tiny', { ...(await world.source())?.spec, suspend: true });
    await world.delete('builds', running.metadata.name);
    await nothingLeft();

    await world.declare('Source', 'tiny', { ...(await world.source())?.spec, suspend: false });
    const preparing = await world.engine.frozen(async () => {
      const next = await world.git.commit(tinyPackage('eighth'));
      const build = await world.inPhase(next, 'Preparing');
      await world.delete('sources', 'tiny');
      return build;
    });
    const isGone = async () =>
      (await objectOf<Build>(world.cairn, 'builds', preparing.metadata.name)) === undefined;
    await eventually(isGone, 'the Build of a deleted Source is gone', 90_000);
    await nothingLeft();
  });

  it('fails to upload when somebody has published other bytes as that version meanwhile', async (t) => {
    const git = await GitRepository.create(t, tinyPackage('something else', waitForGo));
    await world.declareSource('twin', 'tools', git);
    const commit = (await git.git('rev-parse', 'HEAD')).trim();
    const build = await world.inPhase(commit, 'Building', 'twin');
    const { version = '' } = build.status;
    const spec = { name: 'tiny', version, architecture: 'all' };
    const file = join(tempDir(t), `tiny_${version}_all.deb`);
    writeFileSync(file, makeDeb(spec, controlFields(spec)));
    const published = await world.cairn.cli('publish', 'tools', file);
    assert.equal(published.code, 0, published.output);
    await world.letGo(build);
    const { status } = await world.finished(commit, 'twin');

    assert.equal(status.result, 'FailedToUpload');
    assert.match(status.message ?? '', /tiny \S+ .*(other|different|another)/);
    assert.ok((status.message ?? '').includes(`tiny ${version} `));
    assert.equal(status.provenance, undefined);
    good(await apt.update());
    await world.delete('sources', 'twin');
  });

  it('waits for a repository that is to come, and for a key that has not expired', async (t) => {
    const git = await GitRepository.create(t, tinyPackage('late'));
    const commit = (await git.git('rev-parse', 'HEAD')).trim();
    await world.declareSource('late', 'later', git);
    await world.waitsBecause(commit, 'DependencyNotReady', /no Repository later/, 'late');
    const daysAgo = (days: number) => new Date(Date.now() - days * 86_400_000);
    const expired = await testKey('expired', { created: daysAgo(2), expires: daysAgo(1) });
    const secret = join(world.product.data, 'secrets/signing');
    mkdirSync(secret, { recursive: true });
    writeFileSync(join(secret, 'key.asc'), await exportSecret(expired));
    const keyRef = { name: 'signing', key: 'key.asc' };
    await world.declare('Repository', 'later', { public: true, signing: { keyRef } });
    await world.waitsBecause(commit, 'Progressing', /Publishing.*has expired/, 'late');

    writeFileSync(join(secret, 'key.asc'), await exportSecret(await testKey('good')));
    assert.equal((await world.cairn.cli('reconcile', 'repository/later')).code, 0);
    const { status } = await world.finished(commit, 'late');
    const later = await objectOf<Repository>(world.cairn, 'repositories', 'later');
    assert.equal(status.result, 'Succeeded', JSON.stringify(status));
    const fingerprints = later?.status.keys?.map(({ fingerprint }) => fingerprint);
    assert.deepEqual(status.provenance?.signedBy, fingerprints);
  });
});
