import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { mirrorNames } from '../../../controller/cli/mirror-names.ts';
import { validatePath } from '../../../controller/sources/paths.ts';
import type { Mirror } from '../../../crds/mirror.ts';
import { exportPublic, testKey } from '../../world/keys.ts';
import { mustRun } from '../../world/process.ts';
import { tempDir, type Scope } from '../../world/temp.ts';
import { cairn } from './in-process.ts';

/** A machine's /etc/apt, below a root of its own. */
function machine(t: Scope, files: Readonly<Record<string, string | Buffer>>): string {
  const root = tempDir(t);
  for (const [file, content] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    writeFileSync(path.join(root, file), content);
  }
  return path.join(root, 'etc/apt');
}

async function specsOf(config: string): Promise<Readonly<Record<string, Mirror['spec']>>> {
  const { manifests, problems } = await validatePath(config);
  assert.deepEqual(problems, []);
  const mirrors = manifests.filter(({ manifest }) => manifest.kind === 'Mirror');
  return Object.fromEntries(
    mirrors.map(({ manifest }) => [manifest.metadata.name, manifest.spec as Mirror['spec']]),
  );
}

describe('cairn init', () => {
  it('writes an example that is valid as it is, where the machine has the keys of Debian', async (t) => {
    const cwd = tempDir(t);
    const { status, out } = await cairn(['init', 'config'], { cwd });
    assert.equal(status, 0);
    assert.match(out, /^config\/mirrors\/debian\.yaml$/m);
    if (!existsSync('/usr/share/keyrings/debian-archive-keyring.gpg')) return;
    assert.equal((await cairn(['validate', 'config'], { cwd })).status, 0);
  });

  it('overwrites nothing unless it is told to', async (t) => {
    const cwd = tempDir(t);
    writeFileSync(path.join(cwd, 'snapshot.yaml'), 'mine');
    const { status, err } = await cairn(['init'], { cwd });
    assert.equal(status, 1);
    assert.match(err, /^cairn: snapshot\.yaml in .* would be overwritten; --force allows it$/);
    assert.deepEqual(readdirSync(cwd), ['snapshot.yaml']);
    assert.equal((await cairn(['init', '--force'], { cwd })).status, 0);
    assert.notEqual(readFileSync(path.join(cwd, 'snapshot.yaml'), 'utf8'), 'mine');
  });
});

describe('cairn init --from-apt', () => {
  it('declares both styles of sources, with the keys of each', async (t) => {
    const [first, second, third] = await Promise.all(
      ['one', 'two', 'three'].map(async (name) => exportPublic(await testKey(name))),
    );
    const embedded = (third ?? '')
      .trim()
      .split('\n')
      .map((line) => ` ${line || '.'}`)
      .join('\n');
    const aptDir = machine(t, {
      'etc/apt/sources.list':
        'deb [arch=amd64] http://deb.example.org/debian bookworm main contrib\n' +
        'deb-src [arch=amd64] http://deb.example.org/debian/ bookworm main contrib\n' +
        'deb [arch=amd64] http://deb.example.org/debian bookworm-updates main contrib\n',
      'etc/apt/sources.list.d/docker.list':
        'deb [arch=amd64,arm64 signed-by=/usr/share/keyrings/docker.asc] https://download.docker.com/linux/debian bookworm stable\n',
      'etc/apt/sources.list.d/flat.sources': `Types: deb\nURIs: https://flat.example.net/tools\nSuites: ./\nArchitectures: amd64\nSigned-By:\n${embedded}\n`,
      'etc/apt/sources.list.d/off.sources':
        'Types: deb\nURIs: http://off.example.net/\nSuites: ./\nEnabled: no\n',
      'etc/apt/trusted.gpg.d/debian.asc': first ?? '',
      'usr/share/keyrings/docker.asc': second ?? '',
    });
    const config = path.join(tempDir(t), 'config');
    const { status, err } = await cairn(['init', config, '--from-apt', '--apt-dir', aptDir]);
    assert.equal(status, 0, err);
    assert.doesNotMatch(err, /warning/);
    const specs = await specsOf(config);
    assert.deepEqual(Object.keys(specs).sort(), ['debian', 'docker', 'tools']);
    const { debian, docker, tools } = specs;
    assert.deepEqual(
      [debian?.url, debian?.components, debian?.architectures, debian?.download, debian?.public],
      ['http://deb.example.org/debian', ['main', 'contrib'], ['amd64'], 'Lazy', true],
    );
    assert.deepEqual(docker?.architectures, ['amd64', 'arm64']);
    assert.deepEqual([tools?.suites, tools?.components], [['./'], undefined]);
    assert.deepEqual(debian?.include.translations, ['en']);
    assert.deepEqual([docker?.include.sources, docker?.include.contents], [false, false]);
    for (const [name, key] of [
      ['debian', first],
      ['docker', second],
      ['tools', third],
    ]) {
      const file = path.join(config, `keys/${name}.asc`);
      const shown = (input: string) => mustRun('gpg', ['--show-keys', '--with-colons'], { input });
      assert.equal(await shown(readFileSync(file, 'utf8')), await shown(key ?? ''));
    }
  });

  it('keeps suites apart that are set up differently, and merges components', async (t) => {
    const aptDir = machine(t, {
      'etc/apt/sources.list':
        'deb [trusted=yes] http://archive.ubuntu.com/ubuntu jammy main\n' +
        'deb [trusted=yes] http://archive.ubuntu.com/ubuntu jammy universe # more\n' +
        'deb [trusted=yes] http://archive.ubuntu.com/ubuntu jammy-backports main\n' +
        'deb [trusted=yes] http://security.ubuntu.com/ubuntu jammy-security main\n',
    });
    const config = tempDir(t);
    assert.equal((await cairn(['init', config, '--from-apt', '--apt-dir', aptDir])).status, 0);
    const specs = await specsOf(config);
    assert.deepEqual(
      Object.entries(specs).map(([name, { suites, components, allowUnsigned }]) => [
        name,
        suites,
        components,
        allowUnsigned,
      ]),
      [
        ['ubuntu-jammy-backports', ['jammy-backports'], ['main'], true],
        ['ubuntu-security', ['jammy-security'], ['main'], true],
        ['ubuntu', ['jammy'], ['main', 'universe'], true],
      ],
    );
  });

  it('leaves out what can not be mirrored, says where it stands, and shows no password', async (t) => {
    const aptDir = machine(t, {
      'etc/apt/sources.list':
        'deb cdrom:[Debian]/ bookworm main\n' +
        'deb [trusted=yes] file:/srv/debs ./\n' +
        'deb [trusted=yes] mirror+https://mirrors.example.org/list bookworm main\n' +
        'deb [trusted=yes] https://me:hunter2@private.example.org/debian bookworm main\n' +
        'deb https://unsigned.example.org/debian bookworm main\n' +
        'rpm https://fedora.example.org/ x y\n' +
        'deb [trusted=yes] https://good.example.org/tools bookworm main\n',
      'etc/apt/sources.list.d/broken.sources':
        'Types: deb\nURIs: https://x.example.org\n\nTypes: deb\nURIs: https://y.example.org/yy\nSuites: ./\nTrusted: yes\n',
    });
    const config = tempDir(t);
    const { status, err } = await cairn(['init', config, '--from-apt', '--apt-dir', aptDir]);
    assert.equal(status, 0);
    const list = path.join(aptDir, 'sources.list');
    for (const [line, why] of [
      [1, /cdrom: is no archive on the web/],
      [2, /file: is no archive/],
      [3, /mirror\+https: is no archive/],
      [4, /holds a password: .*secretRef/],
      [5, /no Signed-By, and there is no usable key/],
      [6, /type "rpm" is neither deb nor deb-src/],
    ] as const) {
      const warning = err.split('\n').find((text) => text.startsWith(`warning: ${list}:${line}:`));
      assert.match(warning ?? err, why);
      assert.match(warning ?? '', /left out/);
    }
    assert.match(err, /broken\.sources:1: no Suites field; left out/);
    assert.doesNotMatch(err, /hunter2/);
    assert.deepEqual(Object.keys(await specsOf(config)).sort(), ['tools', 'yy']);
    const everything = await mustRun('grep', ['-r', '-c', '', config]);
    assert.doesNotMatch(everything, /hunter2/);
  });

  it('writes nothing when nothing is left', async (t) => {
    const aptDir = machine(t, { 'etc/apt/sources.list': 'deb cdrom:[Debian]/ bookworm main\n' });
    const config = path.join(tempDir(t), 'config');
    const { status, err } = await cairn(['init', config, '--from-apt', '--apt-dir', aptDir]);
    assert.equal(status, 1);
    assert.match(err, /there is no APT source in .* that Cairn can mirror/);
    assert.equal(existsSync(config), false);
  });

  it('makes a git repository with a first commit', async (t) => {
    const aptDir = machine(t, {
      'etc/apt/sources.list': 'deb [trusted=yes] https://x.example.org/tools ./\n',
    });
    const config = path.join(tempDir(t), 'config');
    const ran = await cairn(['init', config, '--from-apt', '--git', '--apt-dir', aptDir]);
    assert.equal(ran.status, 0, ran.err);
    const git = (...args: string[]) => mustRun('git', ['-C', config, ...args]);
    assert.equal(await git('status', '--porcelain'), '');
    assert.equal((await git('rev-list', '--count', 'HEAD')).trim(), '1');
    assert.equal((await git('branch', '--show-current')).trim(), 'main');
  });
});

describe('the names of mirrors', () => {
  it('come from the archive, and are all different', () => {
    const urls = [
      'http://ftp.debian.org/debian',
      'http://security.debian.org/debian-security',
      'http://archive.ubuntu.com/ubuntu',
      'http://security.ubuntu.com/ubuntu',
      'https://ppa.launchpadcontent.net/deadsnakes/ppa/ubuntu',
      'https://download.docker.com/linux/debian',
      'https://apt.postgresql.org/pub/repos/apt',
      'https://deb.vendor.example/node_20.x',
      'http://127.0.0.1:8080/debian',
      'http://127.0.0.1:8080/',
    ];
    assert.deepEqual(mirrorNames(urls.map((url) => ({ url, suites: ['stable'] }))), [
      'debian',
      'debian-security',
      'ubuntu',
      'ubuntu-security',
      'deadsnakes',
      'docker',
      'postgresql',
      'node-20.x',
      'debian-stable',
      'archive',
    ]);
  });
});
