/** Commits that mean harm: each ends with a result that says what it was, and the repository lives on whole. */
import assert from 'node:assert/strict';
import { readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import type { Build, BuildResult } from '../../crds/build.ts';
import type { Repository } from '../../crds/repository.ts';
import type { Source } from '../../crds/source.ts';
import { ask } from '../builders/docker/ask.ts';
import { startWorld, type World } from '../builders/docker/world.ts';
import { writeFiles } from '../controller/sources/folder.ts';
import { GitRepository } from '../controller/sources/git-repository.ts';
import type { AptRoot } from '../world/apt.ts';
import type { Cairn } from '../world/cairn.ts';
import { needsDocker } from '../world/docker.ts';
import { suiteScope } from '../world/temp.ts';
import { helloTools } from './hello-tools.ts';
import { manifest, nameBuilder } from './building.ts';
import { eventually, good, objectOf, product, until, type Product } from './product.ts';

const owner = 'hostile-e2e';
const root = '/repositories/default/tools';

interface Attack {
  /** What the build runs: a script of the shell, in the folder of the unpacked source. */
  readonly script: string;
  /** After which command of debhelper; after dh_auto_build when left out. */
  readonly after?: 'dh_auto_build' | 'dh_builddeb';
  readonly build?: object;
  readonly into?: string;
  readonly binary?: string;
  readonly files?: Readonly<Record<string, string>>;
  readonly result: BuildResult;
  readonly says?: RegExp;
}

/** The package that the build has made, of the Source `name`. */
const made = (name: string) => `../${name}_1.0+1_all.deb`;

const attacks: Readonly<Record<string, Attack>> = {
  endless: {
    script: 'while :; do echo still here; sleep 0.3; done',
    // long enough to get there on a busy machine; the others are built meanwhile
    build: { timeout: '40s' },
    result: 'FailedToBuild',
    says: /it took longer than it may[^]*still here\n[^]*40 seconds/,
  },
  'fork-bomb': {
    script: `exec perl -e 'fork while 1'`,
    build: { limits: { processes: 100 } },
    result: 'FailedToBuild',
    says: /more processes than it may/,
  },
  'disk-filler': {
    script: 'i=0; while :; do i=$((i+1)); head -c 8M /dev/zero >/tmp/$i; sleep 0.05; done',
    build: { limits: { diskMiB: 64 } },
    result: 'FailedToBuild',
    says: /it has written more than 67108864 bytes/,
  },
  printer: {
    script: `exec perl -e '$x = "x" x 65535; print "$x\\n" while 1'`,
    result: 'FailedToBuild',
    says: /it printed more/,
  },
  'links-only': {
    // what is published in place of the package is none
    script: `mv ${made('links-only')} ../kept; ln -s /etc/passwd ${made('links-only')}`,
    after: 'dh_builddeb',
    result: 'FailedToBuild',
    says: /it has made no package/,
  },
  'links-beside': {
    script: 'ln -s /etc/shadow ../../secret_1.0_all.deb; mkfifo ../pipe_1.0_all.deb ../../fifo',
    after: 'dh_builddeb',
    result: 'Succeeded',
  },
  'odd-names': {
    script: `: >"../../$(printf 'a\\nb_1.0_all.deb')"`,
    after: 'dh_builddeb',
    result: 'FailedToBuild',
    says: /the build left a file with the name/,
  },
  'unpublishable-names': {
    script: `cp ${made('unpublishable-names')} '../../a@b=c_1.0_all.deb'`,
    after: 'dh_builddeb',
    result: 'FailedToUpload',
    says: /a@b=c_1\.0_all\.deb/,
  },
  'many-files': {
    script: 'i=0; while [ $i -lt 5000 ]; do : >../../$i.deb; i=$((i+1)); done',
    after: 'dh_builddeb',
    result: 'FailedToBuild',
    says: /the build left more than 1000 files/,
  },
  'many-packages': {
    script: `i=0; while [ $i -lt 600 ]; do cp ${made('many-packages')} ../../$i.deb; i=$((i+1)); done`,
    after: 'dh_builddeb',
    result: 'FailedToUpload',
    says: /500/,
  },
  'broken-ar': {
    script: `printf '!<arch>\\nnothing of it' >${made('broken-ar')}`,
    after: 'dh_builddeb',
    result: 'FailedToUpload',
    says: /broken-ar_1\.0\+1_all\.deb: /,
  },
  'broken-tar': {
    script: `cd ..; ar x *.deb; echo junk | gzip >control.tar.gz; rm -f control.tar.xz
      ar rc new debian-binary control.tar.gz data.tar.xz; mv new broken-tar_1.0+1_all.deb; rm data.tar.xz *.gz debian-binary`,
    after: 'dh_builddeb',
    result: 'FailedToUpload',
    says: /broken-tar_1\.0\+1_all\.deb: /,
  },
  bomb: {
    script: `cd ..; ar x *.deb; mkdir x; tar -xf control.tar.xz -C x; truncate -s 300M x/bomb
      tar -c -C x . | gzip -1 >control.tar.gz; ar rc new debian-binary control.tar.gz data.tar.xz
      mv new bomb_1.0+1_all.deb; rm -r x data.tar.xz *.gz control.tar.xz debian-binary`,
    after: 'dh_builddeb',
    result: 'FailedToUpload',
    says: /bomb_1\.0\+1_all\.deb: /,
  },
  truncated: {
    script: `head -c 700 ${made('truncated')} >x; mv x ${made('truncated')}`,
    after: 'dh_builddeb',
    result: 'FailedToUpload',
    says: /truncated_1\.0\+1_all\.deb: /,
  },
  liar: {
    // in the changelog of the binary packages; the source package is there by now
    script: `sed -i '1s/(.*)/(99:1)/' debian/changelog`,
    result: 'FailedToBuild',
    says: /liar_1_all\.deb says that it is of liar 99:1, and this is liar 1\.0\+1/,
  },
  'same-version': {
    script: 'true',
    binary: 'victim',
    result: 'FailedToUpload',
    says: /victim 1\.0\+1 all is there already.*with other bytes/,
  },
  daemon: {
    script: `(trap '' TERM HUP INT; setsid nohup sleep 1000 &) >/dev/null 2>&1; (setsid sleep 1000 &)`,
    result: 'Succeeded',
  },
  'odd-tree': {
    script: 'true',
    files: { 'data/-rf': 'x\n', 'data/a\nb': 'x\n' },
    result: 'FailedToBuild',
    says: /"data\/a\\nb": a file name has control characters/,
  },
  'odd-paths': {
    // dpkg-deb would not make it
    script: `cd ..; ar x *.deb; mkdir -p "$(printf 'x/usr/share/y\\nusr')"
      : >"$(printf 'x/usr/share/y\\nusr')/sudo  evil"; : >x/usr/share/--force-all
      tar -c -C x . | gzip >data.tar.gz; ar rc new debian-binary control.tar.xz data.tar.gz
      mv new odd-paths_1.0+1_all.deb; rm -r x data.tar.* control.tar.xz debian-binary`,
    after: 'dh_builddeb',
    result: 'Succeeded',
  },
};

/** Everything that listens on this machine, asked for in every way there is; what is served to builds is told as such. */
function reachScript(port: string, engine: string): string {
  return `
  for host in 127.0.0.1 localhost 172.17.0.1 169.254.169.254 '[::1]' '[fd00:ec2::254]' 0.0.0.0 metadata.google.internal cairn.internal; do
    for way in direct proxy connect; do
      for at in ${port} 80; do perl ./ask.pl "$way" "$host" $at /readyz && echo "REACHED $way $host $at"; done
    done
  done
  inside=/repositories/default/inner
  perl ./ask.pl proxy cairn.internal 80 $inside/dists/stable/InRelease && echo "SERVED"
  for path in /apis/cairn.build/v1alpha1/builds $inside/../../../metrics $inside/%2e%2e/tools/key.asc \\
    $inside/..%2f..%2f..%2fmetrics $inside//../../../../metrics '/repositories/default/inner\\..\\tools\\key.asc'; do
    for at in 'cairn.internal 80' '127.0.0.1 ${port}'; do perl ./ask.pl proxy $at "$path" && echo "REACHED $at $path"; done
  done
  for file in /run/docker.sock /var/run/docker.sock ${engine}; do test ! -e $file || echo "REACHED $file"; done
  ! env | grep -i 'bearer\\|token\\|cairn_'
  echo "asked for all"`;
}

describe('commits that mean harm', needsDocker, () => {
  const scope = suiteScope();
  let engine: World;
  let world: Product;
  let cairn: Cairn;
  let git: GitRepository;
  let apt: AptRoot;
  let reached: Build | undefined;

  const source = async (name: string) => objectOf<Source>(cairn, 'sources', name);
  const log = async ({ metadata }: Build) =>
    (await fetch(`${cairn.url}/builds/default/${metadata.name}/log`)).text();

  async function push(name: string, files: Readonly<Record<string, string>>): Promise<void> {
    await git.git('rm', '-rfq', '--ignore-unmatch', '.');
    await writeFiles(git.work, files);
    symlinkSync('/etc/shadow', join(git.work, 'secret'));
    await git.push(name);
  }

  function declare(name: string, { build = {}, into = 'tools' }: Partial<Attack> = {}): void {
    const limits = { memoryMiB: 512, diskMiB: 1024, processes: 300 };
    const own: { readonly limits?: object } = build;
    const spec = {
      url: `file://${git.bare}`,
      ref: { branch: name },
      interval: '2s',
      repositoryRef: { name: into },
      build: {
        ...{ base: { image: engine.image }, timeout: '10m' },
        ...{ ...build, limits: { ...limits, ...own.limits } },
      },
    };
    world.write(`${name}.yaml`, manifest('Source', name, spec));
  }

  async function finished(name: string): Promise<Build> {
    let found: Build | undefined;
    const check = async () => {
      const { build } = (await source(name))?.status ?? {};
      found = build === undefined ? undefined : await objectOf<Build>(cairn, 'builds', build);
      return found?.status.result !== undefined;
    };
    await eventually(check, `the Build of ${name} ends`, 600_000, 200).catch((error: unknown) => {
      throw new Error(`${JSON.stringify(found)}\n${cairn.logs.slice(-4000)}`, { cause: error });
    });
    if (!found) throw new Error('there is no Build');
    return found;
  }

  before(async () => {
    engine = await startWorld(scope);
    scope.after(async () => {
      await cairn?.kill('SIGKILL');
      // its layer is of this test's port, and never found again
      const image = reached?.status.inputs?.image;
      if (image !== undefined) await engine.docker.getImage(image).remove({ force: true });
    });
    world = await product(scope);
    nameBuilder(scope, world, { engine, owner });
    const { uri, suites, components, key } = engine.archive;
    const externalDependencies = [{ url: uri, suites, components, key }];
    const dependencies = [{ kind: 'Repository', name: 'inner' }];
    const tools = { public: true, externalDependencies };
    world.write('tools.yaml', manifest('Repository', 'tools', tools));
    world.write('inner.yaml', manifest('Repository', 'inner', {}));
    world.write('outer.yaml', manifest('Repository', 'outer', { ...tools, dependencies }));
    git = await GitRepository.create(scope, {});
    await push('victim', helloTools({ name: 'victim' }));
    declare('victim');
    cairn = await world.start({ args: ['--docker', engine.address, '--docker-concurrency', '3'] });
    await until(cairn, 'repository/tools', '--for=condition=Ready');
    await until(cairn, 'repository/inner', '--for=condition=Ready');
    apt = await world.apt(cairn, root);
    assert.equal((await finished('victim')).status.result, 'Succeeded');

    for (const [name, attack] of Object.entries(attacks)) {
      const { script, after = 'dh_auto_build', binary = name, files = {} } = attack;
      const rules = { [`execute_after_${after}`]: ['sh -eu ./attack'] };
      await push(name, { ...helloTools({ name, binary, rules }), attack: script, ...files });
      declare(name, attack);
    }
    const rules = { execute_after_dh_auto_build: ['sh -u ./attack'] };
    const script = reachScript(new URL(cairn.url).port, engine.address);
    for (const network of ['Archives', 'Full']) {
      const name = `reach-${network.toLowerCase()}`;
      const files = { attack: script, 'ask.pl': ask };
      await push(name, { ...helloTools({ name, rules }), ...files });
      declare(name, { build: { network }, into: 'outer' });
    }
  });

  for (const [name, { result, says }] of Object.entries(attacks)) {
    it(`${name}: ${result}`, async () => {
      const build = await finished(name);
      const { status } = build;

      assert.equal(status.result, result, `${JSON.stringify(status)}\n${await log(build)}`);
      if (says) assert.match(status.message ?? '', says);
      const condition = status.conditions?.find(({ type }) => type === 'Succeeded');
      assert.equal(condition?.reason, result);
      if (name === 'printer') assert.ok((status.log?.size ?? 0) < 90 * 2 ** 20);
    });
  }

  for (const network of ['archives', 'full']) {
    it(`reaches nothing but its archives, with network ${network}`, async () => {
      reached = await finished(`reach-${network}`);
      const text = await log(reached);

      assert.equal(reached.status.result, 'Succeeded', text);
      assert.match(text, /^asked for all$/m);
      assert.match(text, /^SERVED$/m);
      assert.doesNotMatch(text, /^REACHED/m);
      assert.ok(!text.includes(cairn.tokens.read));
    });
  }

  it('has changed nothing of what others have published', async () => {
    const status = (await objectOf<Repository>(cairn, 'repositories', 'tools'))?.status;
    assert.equal(status?.conditions?.[0]?.status, 'True');
    good(await apt.update());
    assert.equal(await apt.policy('victim'), '1.0+1');
    good(await apt.download('victim'));
    const { stdout } = await apt.apt('apt-cache', ['pkgnames']);
    const fine = Object.entries(attacks).filter(([, { result }]) => result === 'Succeeded');
    assert.deepEqual(
      stdout.trim().split('\n').sort(),
      ['victim', ...fine.map(([name]) => name)].sort(),
    );
  });

  it('has left no container, and no folder', async () => {
    const { docker } = engine;
    const filters = { label: [`build.cairn.owner=${owner}`] };
    await eventually(
      async () => (await docker.listContainers({ all: true, filters })).length === 0,
      'the containers are gone',
    );
    await eventually(
      () => readdirSync(join(world.data, 'builds')).length === 0,
      'the folders are gone',
    );
  });
});
