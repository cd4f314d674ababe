/**
 * Six projects, each a git repository of its own kind, become packages of one repository: they are installed into a
 * clean Debian with every check of signatures, run, and are upgraded to what their next commits say.
 */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { after, before, describe, it } from 'node:test';
import type { Build } from '../../crds/build.ts';
import type { Repository } from '../../crds/repository.ts';
import type { Source } from '../../crds/source.ts';
import { agreeOnPackages, agreeOnSources } from '../apt/index-oracles.ts';
import { startWorld, type World } from '../builders/docker/world.ts';
import { GitRepository } from '../controller/sources/git-repository.ts';
import { buildRoot } from '../packaging/build-root.ts';
import * as samples from '../packaging/samples.ts';
import { writeFiles, type Files } from '../packaging/trees.ts';
import type { Cairn } from '../world/cairn.ts';
import { cleanRoot, type CleanRoot } from '../world/clean-root.ts';
import { cowsay, unpackSource } from '../world/debian-source.ts';
import { needsDocker } from '../world/docker.ts';
import { suiteScope, tempDir } from '../world/temp.ts';
import { manifest, nameBuilder } from './building.ts';
import { eventually, objectOf, product, until, type Product } from './product.ts';

const owner = 'packages-e2e';

interface Project {
  /** What it is found to be. */
  readonly kind: string;
  /** Nothing: the source package of Debian. */
  readonly files?: Files;
  /** The package. */
  readonly binary: string;
  /** The version of the project itself, as the package says it. */
  readonly version: string;
  readonly revision?: string;
  /** Run where the package is installed. */
  readonly command: string;
  readonly says: string;
  /** What the next commit changes in which file, and what is said then. */
  readonly next: readonly [file: string, from: string, to: string];
  readonly saysNext: string;
}

const projects: Readonly<Record<string, Project>> = {
  cowsay: {
    kind: 'Debian',
    binary: 'cowsay',
    version: '3.03+dfsg2',
    revision: '-8',
    command: "/usr/games/cowsay Ada | sed -n '2p;4p'",
    says: '< Ada >\n        \\   ^__^\n',
    next: ['cows/default.cow', '^__^', '^~~^'],
    saysNext: '< Ada >\n        \\   ^~~^\n',
  },
  python: {
    kind: 'Python',
    files: samples.python,
    binary: 'greet-er',
    version: '1.4.0~rc2',
    command: 'greet-py Ada',
    says: 'Hello Ada\n',
    next: ['src/greeter/cli.py', 'Hello', 'Welcome'],
    saysNext: 'Welcome Ada\n',
  },
  go: {
    kind: 'Go',
    files: samples.go,
    binary: 'greet-go',
    version: '0',
    command: 'greet-go Ada',
    says: 'Hello Ada\n',
    next: ['vendor/example.com/words/words.go', '"Hello"', '"Welcome"'],
    saysNext: 'Welcome Ada\n',
  },
  node: {
    kind: 'Node',
    files: samples.node,
    binary: 'team-greet-node',
    version: '2.1.0~beta.3',
    command: 'greet-node Ada',
    says: 'Hello Ada true\n',
    next: ['lib/hello.js', 'Hello', 'Welcome'],
    saysNext: 'Welcome Ada true\n',
  },
  cmake: {
    kind: 'CMake',
    files: samples.cmake,
    binary: 'greetcmake',
    version: '3.2',
    command: 'greet-cmake Ada',
    says: 'Hello Ada 1\n',
    next: ['src/main.c', 'Hello', 'Welcome'],
    saysNext: 'Welcome Ada 1\n',
  },
  autotools: {
    kind: 'Autotools',
    files: samples.autotools,
    binary: 'greet-auto',
    version: '1.9.2',
    command: 'greet-auto Ada',
    says: 'Hello Ada 1\n',
    next: ['src/main.c', 'Hello', 'Welcome'],
    saysNext: 'Welcome Ada 1\n',
  },
};

/** Built twice from the same commit: one with a debian/ of its own, one without. */
const again = ['cowsay', 'autotools'];

describe('real projects', needsDocker, () => {
  const scope = suiteScope();
  const repositories = new Map<string, GitRepository>();
  const commits = new Map<string, string>();
  let engine: World;
  let world: Product;
  let cairn: Cairn;
  let root: CleanRoot;

  const source = async (name: string) => objectOf<Source>(cairn, 'sources', name);

  function declare(name: string, repository: string, branch: string, into: string): void {
    const spec = {
      url: `file://${repositories.get(repository)?.bare}`,
      ref: { branch },
      interval: '1s',
      repositoryRef: { name: into },
      build: { base: { image: engine.image } },
    };
    world.write(`${name}.yaml`, manifest('Source', name, spec));
  }

  /** The Builds of these commits, when all of them have ended; each has to have succeeded. */
  async function built(wanted: ReadonlyMap<string, string>): Promise<ReadonlyMap<string, Build>> {
    const builds = new Map<string, Build>();
    await eventually(
      async () => {
        for (const [name, commit] of wanted) {
          const { status } = (await source(name)) ?? {};
          if (status?.build === undefined) continue;
          const build = await objectOf<Build>(cairn, 'builds', status.build);
          if (build?.spec.commit === commit && build.status.result !== undefined) {
            builds.set(name, build);
          }
        }
        return builds.size === wanted.size;
      },
      'all are built',
      800_000,
      500,
    );
    for (const { metadata, status } of builds.values()) {
      const log = await (await fetch(`${cairn.url}/builds/default/${metadata.name}/log`)).text();
      assert.equal(status.result, 'Succeeded', `${log.slice(-6000)}\n${JSON.stringify(status)}`);
    }
    return builds;
  }

  async function must(command: string): Promise<string> {
    const { code, stdout, output } = await root.shell(command);
    assert.equal(code, 0, output);
    assert.doesNotMatch(output, /^[EW]:/m);
    return stdout;
  }

  const installedVersion = (binary: string) =>
    must(`dpkg-query --show --showformat='\${Version}' ${binary}`);

  before(async () => {
    engine = await startWorld(scope);
    world = await product(scope);
    nameBuilder(scope, world, { engine, owner });
    const { uri, suites, components, key } = engine.archive;
    const externalDependencies = [{ url: uri, suites, components, key }];
    for (const name of ['tools', 'again']) {
      const spec = { public: true, externalDependencies };
      world.write(`${name}.yaml`, manifest('Repository', name, spec));
    }
    for (const [name, { files }] of Object.entries(projects)) {
      const repository = await GitRepository.create(scope, {});
      if (files) writeFiles(repository.work, files);
      else await unpackSource(cowsay, { archive: uri, folder: repository.work });
      commits.set(name, await repository.push('main'));
      repositories.set(name, repository);
      declare(name, name, 'main', 'tools');
    }
    for (const name of again) {
      const repository = repositories.get(name);
      await repository?.git('push', '--quiet', repository.bare, 'HEAD:refs/heads/first');
      declare(`${name}-again`, name, 'first', 'again');
    }
    cairn = await world.start({ args: ['--docker', engine.address] });
    await until(cairn, 'repository/tools', '--for=condition=Ready');
    root = await cleanRoot(scope);
  });

  it('are built, each as what it is', async () => {
    const builds = await built(commits);
    for (const [name, { kind, version, revision = '' }] of Object.entries(projects)) {
      const { status } = builds.get(name) ?? {};
      assert.deepEqual([status?.kind, status?.version], [kind, `${version}+1${revision}`]);
    }
  });

  it('are installed by apt with every check, and run', async () => {
    const status = (await objectOf<Repository>(cairn, 'repositories', 'tools'))?.status;
    const key = await (await fetch(status?.keyUrl ?? '')).text();
    await root.write('/etc/apt/keyrings/tools.asc', key);
    const { binarySourceList, sourceSourceList } = status ?? {};
    await root.write(
      '/etc/apt/sources.list.d/tools.list',
      `${binarySourceList}\n${sourceSourceList}\n`,
    );
    await must('apt-get update');
    const binaries = Object.values(projects).map(({ binary }) => binary);
    await must(`apt-get install --yes ${binaries.join(' ')}`);
    for (const { binary, version, revision = '', command, says } of Object.values(projects)) {
      assert.equal(await installedVersion(binary), `${version}+1${revision}`);
      assert.equal(await must(command), says);
    }
  });

  it('are the same to the byte when another Source builds the same commit', async () => {
    const both = new Map(again.map((name) => [`${name}-again`, commits.get(name) ?? '']));
    const builds = await built(both);
    for (const name of again) {
      const first = await objectOf<Build>(
        cairn,
        'builds',
        (await source(name))?.status.build ?? '',
      );
      const second = builds.get(`${name}-again`);
      const digests = (build: Build | undefined) =>
        (build?.status.artifacts ?? [])
          .filter((one) => /\.(deb|dsc|tar\.xz)$/.test(one.name))
          .map((one) => `${one.sha256} ${one.name}`);
      assert.ok(digests(first).length >= 4, digests(first).join());
      assert.deepEqual(digests(second), digests(first));
    }
  });

  it('are upgraded to their next commits', async () => {
    for (const [name, { next }] of Object.entries(projects)) {
      const [file, from, to] = next;
      const repository = repositories.get(name);
      const path = join(repository?.work ?? '', file);
      const before = readFileSync(path, 'utf8');
      assert.ok(before.includes(from), name);
      writeFileSync(path, before.replace(from, to));
      commits.set(name, (await repository?.push('main')) ?? '');
    }
    const builds = await built(commits);
    await must('apt-get update');
    const upgraded = await must('apt-get upgrade --yes');
    assert.match(upgraded, /^6 upgraded, 0 newly installed/m);
    for (const [name, { binary, version, revision = '', command, saysNext }] of Object.entries(
      projects,
    )) {
      assert.equal(builds.get(name)?.status.version, `${version}+2${revision}`);
      assert.equal(await installedVersion(binary), `${version}+2${revision}`);
      assert.equal(await must(command), saysNext);
    }
  });

  it('are what apt-ftparchive and dpkg-scanpackages find, and lintian no error in', async () => {
    const at = `${cairn.url}/repositories/default/tools`;
    const get = async (path: string) =>
      Buffer.from(await (await fetch(`${at}/${path.replaceAll('+', '%2b')}`)).arrayBuffer());
    const index = async (path: string) =>
      gunzipSync(await get(`dists/stable/main/${path}.gz`)).toString();
    const packages = await index('binary-amd64/Packages');
    const sources = await index('source/Sources');

    const pool = tempDir(scope);
    const files = [...packages.matchAll(/^Filename: (.*)$/gm)].map(([, name = '']) => name);
    for (const text of sources.split(/\n\n/)) {
      const [, directory = ''] = /^Directory: (.*)$/m.exec(text) ?? [];
      const [, list = ''] = /^Checksums-Sha256:\n((?: .+\n?)+)/m.exec(text) ?? [];
      for (const [, name = ''] of list.matchAll(/(\S+)$/gm)) files.push(`${directory}/${name}`);
    }
    for (const file of files) {
      mkdirSync(dirname(join(pool, file)), { recursive: true });
      writeFileSync(join(pool, file), await get(file));
    }
    agreeOnPackages(pool, 'amd64', packages);
    agreeOnSources(pool, sources);

    const tools = await buildRoot(scope);
    const place = mkdtempSync(join(tools.folder, 'build/lintian-'));
    scope.after(() => rmSync(place, { recursive: true, force: true }));
    for (const file of files) cpSync(join(pool, file), join(place, basename(file)));
    const { code, output } = await tools.shell(
      `cd ${place.slice(tools.folder.length)} && lintian --allow-root --fail-on error --tag-display-limit 0 *.deb *.dsc`,
    );
    assert.equal(code, 0, output);
  });

  after(async () => {
    await cairn?.kill('SIGKILL');
  });
});
