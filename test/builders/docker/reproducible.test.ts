import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { spawn } from 'node:child_process';
import { before, describe, it } from 'node:test';
import { needsDocker } from '../../world/docker.ts';
import { mustRun } from '../../world/process.ts';
import { suiteScope, tempDir, type Scope } from '../../world/temp.ts';
import { defaultLimits, buildPackage } from '../../../builders/docker/request.ts';
import { keep, never, openBuilder, scriptRequest, startWorld, type World } from './world.ts';

const cache = path.resolve(import.meta.dirname, '../../../.cache/test/sources');
/** A package that every Debian has, and that is built in seconds. */
const tarball = {
  path: 'pool/main/h/hostname/hostname_3.23+nmu1.tar.xz',
  sha256: 'f3fb39f30b00ba7dba2cec013195d7e1bb215f241153208ccd52da3eedfe7a7d',
};

describe('a package of Debian', needsDocker, () => {
  const scope = suiteScope();
  let world: World;
  before(async () => {
    world = await startWorld(scope);
  });

  it('is the same to the byte when it is built again, whoever checked it out and when', async (t) => {
    const builder = openBuilder(t, world, 'cairn-test-again');
    const source = await fetchSource(world.archive.uri, t);
    const control = readFileSync(path.join(source, 'debian/control'), 'utf8');
    const prepared = await world.maker.prepare(
      {
        key: 'test',
        base: { kind: 'archives' },
        archives: [world.archive],
        dependencies: { control },
        architecture: 'amd64',
      },
      never,
    );
    assert.ok(prepared.result === 'Prepared', JSON.stringify(prepared));
    const build = async (...options: string[]) => {
      const kept = keep(() => {
        const words = ['--create', '--directory', source, ...options, '.'];
        return spawn('tar', words, { stdio: ['ignore', 'pipe', 'inherit'] }).stdout;
      });
      const request = {
        ...scriptRequest(prepared.image, '', { limits: defaultLimits }),
        command: buildPackage,
      };
      const result = await builder.run(request, kept, never);
      assert.equal(result.result, 'Succeeded', kept.log);
      return kept.files;
    };

    const one = await build('--owner=7', '--sort=name');
    const two = await build('--owner=1000', '--mtime=2001-01-01', '--mode=g+w');

    const deb = 'hostname_3.23+nmu1_amd64.deb';
    assert.deepEqual(
      Object.keys(one).sort(),
      [
        'hostname-dbgsym_3.23+nmu1_amd64.deb',
        deb,
        'hostname_3.23+nmu1_amd64.buildinfo',
        'hostname_3.23+nmu1_amd64.changes',
      ].sort(),
    );
    for (const name of Object.keys(one).filter((file) => file.endsWith('.deb'))) {
      assert.ok(one[name]?.equals(two[name] ?? Buffer.alloc(0)), `${name} differs`);
    }
    const contents = await mustRun('dpkg-deb', ['--contents', '-'], {
      input: one[deb] ?? '',
    });
    assert.match(contents, /^-rwxr-xr-x root\/root +\d+ 2023-11-14 22:13 \.\/bin\/hostname$/m);
  });
});

/** The unpacked source; its tarball is fetched once, by the machine's apt. */
async function fetchSource(archive: string, scope: Scope): Promise<string> {
  const file = path.join(cache, path.basename(tarball.path));
  if (!existsSync(file)) {
    mkdirSync(cache, { recursive: true });
    const url = `${archive.replace(/\/$/, '')}/${tarball.path}`;
    await mustRun('/usr/lib/apt/apt-helper', [
      'download-file',
      url,
      file,
      `SHA256:${tarball.sha256}`,
    ]);
  }
  const folder = tempDir(scope);
  await mustRun('tar', [
    '--extract',
    '--file',
    file,
    '--directory',
    folder,
    '--strip-components=1',
  ]);
  return folder;
}
