/** Root file systems and build dependencies of what Cairn itself serves: nothing is there before but an empty engine. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Build, BuildResult } from '../../crds/build.ts';
import type { Source } from '../../crds/source.ts';
import { GitRepository } from '../controller/sources/git-repository.ts';
import { Archive } from '../world/archive.ts';
import type { Cairn } from '../world/cairn.ts';
import { controlFields, makeDeb } from '../world/deb.ts';
import { debianArchive, needsDocker, startDocker, type TestDocker } from '../world/docker.ts';
import { exportPublic, testKey } from '../world/keys.ts';
import { suiteScope, tempDir } from '../world/temp.ts';
import { startUpstream } from '../world/upstream.ts';
import { manifest, nameBuilder } from './building.ts';
import { eventually, objectOf, product, until, type Product } from './product.ts';
import { tinyPackage } from './tiny-package.ts';

const owner = 'build-archives-e2e';

/** What a build may reach, as it finds out itself. */
const probe = `use HTTP::Tiny;
for my $url (@ARGV) {
  my $got = HTTP::Tiny->new->get($url);
  print "PROBE $url $got->{status}\\n";
}
`;

/** What they depend on is all that has to be installed. */
function files(depends: string, urls: readonly string[] = []): Readonly<Record<string, string>> {
  const during = `cat /usr/share/doc/*/content; perl probe.pl ${urls.join(' ')}`;
  return { ...tinyPackage('app', during, depends), 'probe.pl': probe };
}

describe('builds of what Cairn serves', needsDocker, () => {
  const scope = suiteScope();
  let engine: TestDocker;
  let world: Product;
  let cairn: Cairn;
  let git: GitRepository;
  let extra: Archive;
  let refused: Awaited<ReturnType<typeof startUpstream>>;
  let mount: string;

  const source = async () => (await objectOf<Source>(cairn, 'sources', 'app'))?.status;
  const log = async (name: string | undefined) =>
    (await fetch(`${cairn.url}/builds/default/${name}/log`, { headers: asReader() })).text();
  const asReader = () => ({ authorization: `Bearer ${cairn.tokens.read}` });

  const setBase = (base: object) =>
    world.write(
      'app.yaml',
      manifest('Source', 'app', {
        ...{ url: `file://${git.bare}`, ref: { branch: 'main' }, interval: '1s' },
        repositoryRef: { name: 'tools' },
        build: { base: { ...base }, network: 'Archives' },
      }),
    );

  /** The Build of a commit, when it is over; `as`: once one has this result, whatever others had. */
  async function finished(commit: string, as?: BuildResult): Promise<Build> {
    let found: Build | undefined;
    const check = async () => {
      const { build: name, commit: at } = (await source()) ?? {};
      found = at === commit ? await objectOf<Build>(cairn, 'builds', name ?? '') : undefined;
      const { result } = found?.status ?? {};
      return result !== undefined && (as === undefined || result === as);
    };
    await eventually(check, `the Build of ${commit} ends`, 400_000, 200).catch(
      async (error: unknown) => {
        const told = JSON.stringify([await source(), found], undefined, 1);
        throw new Error(`${told}\n${await log(found?.metadata.name)}\n${cairn.logs}`, {
          cause: error,
        });
      },
    );
    if (!found) throw new Error('there is no Build');
    return found;
  }

  async function succeeded(commit: string): Promise<Build> {
    const build = await finished(commit);
    const text = JSON.stringify(build.status, undefined, 1);
    assert.equal(build.status.result, 'Succeeded', `${text}\n${await log(build.metadata.name)}`);
    return build;
  }

  /** The declared state of a base takes effect before the next commit is seen. */
  async function rebase(base: object): Promise<void> {
    setBase(base);
    const [kind = ''] = Object.keys(base);
    await eventually(async () => {
      const { spec } = (await objectOf<Source>(cairn, 'sources', 'app')) ?? {};
      return kind in (spec?.build.base ?? {});
    }, `the base is ${kind}`);
  }

  async function published(name: string, version: string, repository = 'libs'): Promise<void> {
    const spec = { name, version, content: `CONTENT ${name} ${version}\n` };
    const file = join(tempDir(scope), `${name}_${version}_amd64.deb`);
    writeFileSync(file, makeDeb(spec, controlFields(spec)));
    const done = await cairn.cli('publish', repository, file);
    assert.equal(done.code, 0, done.output);
  }

  /** The SHA-256 of the Release file at a path of this server. */
  async function releaseAt(path: string): Promise<string> {
    const url = `${cairn.url}/${path}/dists/bookworm/InRelease`;
    const answer = await fetch(url, { headers: asReader() });
    assert.equal(answer.status, 200, path);
    return createHash('sha256')
      .update(Buffer.from(await answer.arrayBuffer()))
      .digest('hex');
  }

  const inputOf = ({ status }: Build, path: string) =>
    status.inputs?.archives.find(({ uri }) => uri === `${here()}/${path}`);

  /** How this machine reaches a server that listens on all addresses. */
  const here = () => `http://127.0.0.1:${new URL(cairn.url).port}`;

  before(async () => {
    engine = await startDocker(scope);
    const { archive } = await debianArchive(scope, 'bookworm');
    world = await product(scope);
    nameBuilder(scope, world, { engine, owner });
    const key = await testKey('archive');
    const root = tempDir(scope);
    extra = new Archive(root, { suite: 'stable', signWith: key });
    extra.add({ name: 'extra', version: '1.0', content: 'CONTENT extra 1.0\n' });
    await extra.publish();
    refused = await startUpstream(root);
    scope.after(() => refused.close());
    const include = { translations: [], contents: false, appstream: false };
    const { uri, suites, components } = archive;
    const debian = {
      ...{ url: uri, suites, components, architectures: ['amd64'], download: 'Lazy' },
      ...{ interval: '12h', signedBy: { inline: archive.key } },
      include: { ...include, commandNotFound: false, other: false },
    };
    mount = uri.replace(/^https?:\/\/|\/$/g, '');
    world.write('debian.yaml', manifest('Mirror', 'debian', debian));
    const more = { url: refused.url, suites: ['stable'], interval: '12h' };
    const signedBy = { inline: await exportPublic(key) };
    world.write('extra.yaml', manifest('Mirror', 'extra', { ...more, signedBy }));
    for (const [name, mirrors] of Object.entries({
      plain: ['debian'],
      both: ['debian', 'extra'],
    })) {
      const members = mirrors.map((mirror) => ({ name: mirror }));
      world.write(`set-${name}.yaml`, manifest('MirrorSet', name, { mirrors: members }));
    }
    world.write('libs.yaml', manifest('Repository', 'libs', {}));
    const dependencies = [{ kind: 'Repository', name: 'libs' }];
    world.write('tools.yaml', manifest('Repository', 'tools', { dependencies }));
    // On all addresses, as in a Pod.
    cairn = await world.start({ listen: ':0', args: ['--docker', engine.address] });
    await until(cairn, 'repository/libs');
    await eventually(
      async () => (await cairn.cli('wait', 'mirror/debian', '--timeout=5s')).code === 0,
      'Debian is mirrored',
      300_000,
    );
    await published('libthing-dev', '1.0');
    git = await GitRepository.create(scope, files('libthing-dev (>= 2)'));
    setBase({ mirrorRef: { name: 'debian' } });
  });

  let first: Build;

  it('say which dependency they wait for', async () => {
    const commit = (await git.git('rev-parse', 'HEAD')).trim();
    const { status } = await finished(commit);
    assert.equal(status.result, 'DependencyWait', JSON.stringify(status));
    assert.deepEqual(status.missing, ['libthing-dev (>= 2)']);
    assert.match(status.message ?? '', /don't have what it needs: libthing-dev \(>= 2\)/);
  });

  it('are tried again when it may have come', async () => {
    const { commit } = (await source()) ?? {};
    await published('libthing-dev', '2.0');
    const { spec, status } = await finished(commit ?? '', 'Succeeded');
    assert.ok(spec.attempt > 1);
    assert.deepEqual(status.missing, undefined);
  });

  it('are made of a mirror for nobody else, and install what another repository has', async () => {
    const commit = await git.commit(
      files('libthing-dev (>= 2)', [
        `http://cairn.internal/mirrors/debian/dists/bookworm/InRelease`,
        'http://cairn.internal/repositories/default/libs/dists/stable/InRelease',
        'http://cairn.internal/repositories/default/tools/dists/stable/InRelease',
        'http://cairn.internal/mirrors/extra/dists/stable/InRelease',
        'http://cairn.internal/livez',
        `${here()}/livez`,
        `${refused.url}/dists/stable/InRelease`,
      ]),
    );
    first = await succeeded(commit);
    const path = 'mirrors/debian';
    assert.equal(inputOf(first, path)?.digest, await releaseAt(path));
    assert.equal(inputOf(first, path)?.suite, 'bookworm');
    assert.ok(inputOf(first, 'repositories/default/libs'));
    const text = await log(first.metadata.name);
    assert.match(text, /^CONTENT libthing-dev 2\.0$/m);
    const answers = [...text.matchAll(/^PROBE \S+ (\d+)$/gm)].map(([, status]) => status);
    assert.deepEqual(answers.slice(0, 5), ['200', '200', '403', '403', '403'], text);
    // These two are on a loopback interface, and not on that of the container.
    assert.deepEqual(answers.slice(5), ['599', '599'], text);
    assert.ok(!text.includes(cairn.tokens.read));
  });

  it('reuse what is prepared for the next commit', async () => {
    const next = await succeeded(await git.commit(files('libthing-dev (>= 2), perl')));
    assert.equal(next.status.inputs?.base, first.status.inputs?.base);
    const again = await succeeded(
      await git.commit(files('libthing-dev (>= 2), perl', ['http://cairn.internal/'])),
    );
    assert.equal(again.status.inputs?.image, next.status.inputs?.image);
    assert.doesNotMatch(await log(again.metadata.name), /^(Get:|Setting up|I: )/m);
  });

  it('install what their own repository has, as soon as it does', async () => {
    const commit = await git.commit(files('libown-dev (>= 1) | libowner-dev'));
    const waiting = await finished(commit);
    assert.equal(waiting.status.result, 'DependencyWait', JSON.stringify(waiting.status));
    await published('libown-dev', '1.0', 'tools');
    const built = await finished(commit, 'Succeeded');
    assert.match(await log(built.metadata.name), /^CONTENT libown-dev 1\.0$/m);
    assert.ok(inputOf(built, 'repositories/default/tools'));
  });

  it('use the same base for a snapshot of the mirror, and for an environment', async () => {
    world.write(
      'plain-1.yaml',
      manifest('Snapshot', 'plain-1', { mirrorSetRef: { name: 'plain' } }),
    );
    world.write('env.yaml', manifest('Environment', 'prod', { snapshotRef: { name: 'plain-1' } }));
    await until(cairn, 'environment/prod');
    await rebase({ snapshotRef: { name: 'plain-1' } });
    const frozen = await succeeded(await git.commit(files('libthing-dev')));
    const path = `snapshots/plain-1/${mount}`;
    assert.equal(inputOf(frozen, path)?.digest, await releaseAt(path));
    assert.equal(frozen.status.inputs?.base, first.status.inputs?.base);

    await rebase({ environmentRef: { name: 'prod' } });
    const promoted = await succeeded(await git.commit(files('libthing-dev (>= 1)')));
    const place = `environments/prod/${mount}`;
    assert.equal(inputOf(promoted, place)?.digest, await releaseAt(place));
    assert.notEqual(inputOf(promoted, place)?.digest, inputOf(frozen, path)?.digest);
    assert.equal(promoted.status.inputs?.base, first.status.inputs?.base);
  });

  it('follow a promotion to other content', async () => {
    world.write('both-1.yaml', manifest('Snapshot', 'both-1', { mirrorSetRef: { name: 'both' } }));
    await until(cairn, 'snapshot/both-1');
    world.write('env.yaml', manifest('Environment', 'prod', { snapshotRef: { name: 'both-1' } }));
    await until(cairn, 'environment/prod', '--for=jsonpath={.status.published.snapshot}=both-1');
    const other = await succeeded(await git.commit(files('libthing-dev, extra')));
    assert.notEqual(other.status.inputs?.base, first.status.inputs?.base);
    assert.match(await log(other.metadata.name), /^CONTENT extra 1\.0$/m);
  });

  after(async () => {
    await cairn?.kill('SIGKILL');
  });
});
