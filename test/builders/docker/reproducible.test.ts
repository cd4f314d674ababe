import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { spawn } from 'node:child_process';
import { before, describe, it } from 'node:test';
import { hostname, unpackSource } from '../../world/debian-source.ts';
import { needsDocker } from '../../world/docker.ts';
import { mustRun } from '../../world/process.ts';
import { suiteScope, tempDir } from '../../world/temp.ts';
import { defaultLimits, buildPackage } from '../../../builders/docker/request.ts';
import { keep, never, openBuilder, scriptRequest, startWorld, type World } from './world.ts';

describe('a package of Debian', needsDocker, () => {
  const scope = suiteScope();
  let world: World;
  before(async () => {
    world = await startWorld(scope);
  });

  it('is the same to the byte when it is built again, whoever checked it out and when', async (t) => {
    const builder = openBuilder(t, world, 'cairn-test-again');
    const source = tempDir(t);
    await unpackSource(hostname, { archive: world.archive.uri, folder: source });
    const file = path.join(source, 'debian/control');
    const given = readFileSync(file, 'utf8');
    // It gives files to root, for which older Debians took fakeroot without being asked to.
    const control = given.replace(/^Source: .*\n/, '$&Rules-Requires-Root: binary-targets\n');
    writeFileSync(file, control);
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
