import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { it } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { Repository } from '../../../crds/repository.ts';
import { Trees } from '../../../depot/tree-reader.ts';
import { highestVersion } from '../../../reconcilers/repository/highest-version.ts';
import { repositoryWorld, specOf, type Files } from './repository-world.ts';

/** A source package of the form that `3.0 (native)` has. */
function source(name: string, version: string): Files {
  const plain = version.replace(/^\d+:/, '');
  const tarball = `${name}_${plain}.tar.gz`;
  const content = gzipSync(Buffer.alloc(10_240), { level: 1 });
  const listed = (algorithm: string) =>
    ` ${hash(algorithm, content)} ${content.length} ${tarball}\n`;
  const dsc = [
    `Format: 3.0 (native)\nSource: ${name}\nBinary: ${name}\nArchitecture: any\n`,
    `Version: ${version}\nMaintainer: A <a@example.com>\nStandards-Version: 4.7.0\n`,
    `Checksums-Sha1:\n${listed('sha1')}Checksums-Sha256:\n${listed('sha256')}Files:\n${listed('md5')}`,
  ];
  return { [`${name}_${plain}.dsc`]: Buffer.from(dsc.join('')), [tarball]: content };
}

it('the highest version of a source package is found, in whichever suite and component', async (t) => {
  const fields = {
    suites: ['stable', 'next'].map((name) => ({ name, components: ['main', 'extra'] })),
  };
  const world = await repositoryWorld(t, fields);
  const trees = new Trees(world.blobs);
  t.after(() => trees.close());
  const highest = (name: string) => {
    const { state } = world;
    const repository = { spec: specOf(fields), status: { ...(state && { state }) } };
    return highestVersion(repository as Repository, name, { blobs: world.blobs, trees });
  };
  const publish = async (name: string, version: string, more: object) => {
    const told = await world.publish(source(name, version), more);
    assert.equal(told.result, 'Published', JSON.stringify(told));
  };

  assert.equal(await highest('hello'), undefined);
  await publish('hello', '1.0+9', { suite: 'stable', component: 'main' });
  await publish('hello', '1.0+10', { suite: 'next', component: 'extra' });
  await publish('hello', '1.0~rc1', { suite: 'next', component: 'main' });
  await publish('hello2', '1:0.1', {});
  assert.equal(await highest('hello'), '1.0+10');
  assert.equal(await highest('hello2'), '1:0.1');
  assert.equal(await highest('hell'), undefined);
});
