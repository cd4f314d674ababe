/** Images of a registry that wants a password: who gets one, and who does not although the engine has it. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import type Docker from 'dockerode';
import { readPrograms, type Context } from '../../../builders/docker/context.ts';
import { parseImageName } from '../../../builders/docker/image-name.ts';
import { commitImage, followToEnd } from '../../../builders/docker/images.ts';
import { resolveImage, type NamedImage } from '../../../builders/docker/named-image.ts';
import { Pulled } from '../../../builders/docker/pulled.ts';
import { askRegistry, pullImage } from '../../../builders/docker/registry.ts';
import { startOwnDocker, type OwnDocker } from '../../world/docker.ts';
import { needsRegistry, pushImage, startRegistry, type Registry } from '../../world/registry.ts';
import { suiteScope, tempDir, type Scope } from '../../world/temp.ts';
import { treeOf } from './world.ts';

const good = { username: 'me', password: 'canary+/~?é' };
const bad = { username: 'me', password: 'canary of somebody else' };
const dayMs = 86_400_000;

describe('the name of an image', () => {
  it('is taken apart as engines do it', () => {
    const full = (name: string) => parseImageName(name)?.full;
    const digest = `sha256:${'0'.repeat(64)}`;
    assert.equal(full('debian'), 'docker.io/library/debian:latest');
    assert.equal(full('team/base:1'), 'docker.io/team/base:1');
    assert.equal(full('docker.io/debian:12'), 'docker.io/library/debian:12');
    assert.equal(full('localhost/base'), 'localhost/base:latest');
    assert.equal(full('reg.example.com:5000/a/b_c'), 'reg.example.com:5000/a/b_c:latest');
    assert.equal(full(`reg:5000/base:1@${digest}`), `reg:5000/base@${digest}`);
    assert.equal(parseImageName('reg:5000/base:1')?.repository, 'reg:5000/base');
    assert.equal(parseImageName('reg:5000/base:1')?.registry, 'reg:5000');
  });

  it('leads nowhere else', () => {
    const names = ['a/../../containers', 'a//b', '/a', 'a/', 'A', 'a:', 'a@sha256:0', 'a?x=1', ''];
    for (const name of names) assert.equal(parseImageName(name), undefined, name);
  });
});

describe('an image of a private registry', needsRegistry, () => {
  const scope = suiteScope();
  let engine: OwnDocker;
  let registry: Registry;
  let context: Context;
  let name: string;

  /** Makes another image, and leaves it to the registry alone. Gives its id. */
  async function push(content: string, tag = '1'): Promise<string> {
    const { docker } = engine;
    await followToEnd(docker, await docker.importImage(treeOf({ content }), { repo: 'made' }));
    const { Id } = await docker.getImage('made').inspect();
    await pushImage(docker, 'made', { name, tag, login: good });
    await docker.getImage('made').remove();
    assert.deepEqual(await ids(), []);
    return Id;
  }

  const ids = async () => (await engine.docker.listImages({ all: true })).map(({ Id }) => Id);
  const resolve = (request: NamedImage, by = context) => resolveImage(by, request);

  before(async () => {
    engine = await startOwnDocker(scope);
    registry = await startRegistry(scope, good);
    name = `${registry.host}/team/base`;
    context = contextOf(scope, engine.docker);
  });

  /** No test finds what another one has left. */
  async function clear(): Promise<void> {
    for (let left = await ids(); left.length > 0; left = await ids()) {
      const gone = left.map((id) => engine.docker.getImage(id).remove({ force: true }));
      const ends = await Promise.allSettled(gone); // of one that others are made of, in the next round
      assert.ok(ends.some(({ status }) => status === 'fulfilled'));
    }
  }

  it('is for those whose credentials the registry takes', async () => {
    const id = await push('one');
    await assert.rejects(resolve({ name: `${name}:1` }), isDenied(/no basic auth credentials/));
    await assert.rejects(
      resolve({ name: `${name}:1`, logins: [bad] }),
      isDenied(/unauthorized: authentication required/),
    );
    assert.deepEqual(await ids(), []);
    assert.equal(await resolve({ name: `${name}:1`, logins: [bad, good] }), id);
    await clear();
  });

  it('stays theirs when the engine has it, under whatever name', async () => {
    const id = await push('two');
    assert.equal(await resolve({ name: `${name}:1`, logins: [good] }), id);
    const { RepoDigests } = await engine.docker.getImage(id).inspect();
    const [reference = ''] = RepoDigests;
    const other = `${registry.host}/somebody/else`;
    await engine.docker.getImage(id).tag({ repo: other, tag: '1' });

    for (const one of [`${name}:1`, reference, `${other}:1`, id]) {
      await assert.rejects(resolve({ name: one }), { name: 'BaseProblem' }, one);
    }
    await assert.rejects(resolve({ name: reference, logins: [bad] }), isDenied(/unauthorized/));
    const told = await resolve({ name: id }).catch(String);
    const unknown = `sha256:${'0'.repeat(64)}`;
    const same = await resolve({ name: unknown }).catch(String);
    assert.equal(told.replace(id, ''), same.replace(unknown, ''));
    assert.equal(await resolve({ name: reference, logins: [good] }), id);
    await clear();
  });

  it('is none that was made here for builds: who may read what it is made of is another question', async () => {
    const id = await push('three');
    await resolve({ name: `${name}:1`, logins: [good] });
    const { docker } = engine;
    const container = await docker.createContainer({ Image: id, Cmd: ['true'] });
    const layer = await commitImage(context, { kind: 'layer', key: 'a'.repeat(64) }, container);
    await container.remove();
    const [tag = ''] = (await docker.getImage(layer).inspect()).RepoTags;

    for (const one of [layer, tag]) {
      await assert.rejects(resolve({ name: one }), { message: `there is no image ${one}` });
    }
    await clear();
  });

  it('stays theirs when Cairn ended in the middle of the pull', async () => {
    const id = await push('four');
    const image = parseImageName(`${name}:1`);
    assert.ok(image);
    const full = `${name}@${await askRegistry(context, image, good)}`;
    new Pulled(context).noteManifest(full);
    await pullImage(context, { ...image, full }, good);
    assert.deepEqual(await ids(), [id]);
    await assert.rejects(resolve({ name: id }), { message: `there is no image ${id}` });
    await clear();
  });

  it('is what its tag names now, and goes when it is not used any more', async () => {
    const first = await push('five');
    assert.equal(await resolve({ name: `${name}:1`, logins: [good] }), first);
    await clear();
    const second = await push('six');
    assert.equal(await resolve({ name: `${name}:1`, logins: [good] }), second);

    const kept = new Pulled(context);
    assert.equal(await kept.prune(30, Date.now()), 0);
    assert.deepEqual(await ids(), [second]);
    assert.equal(await kept.prune(30, Date.now() + 31 * dayMs), 1);
    assert.deepEqual(await ids(), []);
    await kept.prune(30, Date.now() + 61 * dayMs);
    assert.deepEqual(readdirSync(join(context.folder, 'pulled')), []);
  });

  it('that is there without credentials is for everybody', async () => {
    await push('seven');
    const { docker } = engine;
    const authconfig = { ...good, serveraddress: registry.host };
    await followToEnd(docker, await docker.pull(`${name}:1`, { authconfig }));
    const [id = ''] = await ids();

    assert.equal(await resolve({ name: `${name}:1`, logins: [good] }), id);
    assert.equal(await resolve({ name: `${name}:1` }), id);
    assert.equal(await resolve({ name: id }), id);
    await clear();
  });

  it('says what is wrong with the registry, and nothing of the credentials', async () => {
    const missing = resolve({ name: `${name}:none`, logins: [good] });
    await assert.rejects(missing, { name: 'BaseProblem', message: /manifest unknown/ });
    const gone = `127.0.0.1:1/team/base`;
    const told = await resolve({ name: gone, logins: [good] }).catch(String);
    assert.match(told, /127\.0\.0\.1:1\/team\/base:latest can't be pulled: .*connection refused/);
    const kept = readdirSync(join(context.folder, 'pulled'));
    const texts = kept.map((one) => readFileSync(join(context.folder, 'pulled', one), 'utf8'));
    assert.doesNotMatch([told, ...texts].join('\n'), /canary/);
  });
});

function contextOf(scope: Scope, docker: Docker): Context {
  return {
    ...{ docker, address: 'test', owner: 'test', folder: tempDir(scope) },
    ...{ programs: readPrograms(), workshops: new Set(), making: new Map() },
  };
}

function isDenied(words: RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof Error);
    assert.equal(error.constructor.name, 'RegistryDenied');
    assert.match(error.message, words);
    assert.doesNotMatch(error.message, /canary/);
    return true;
  };
}
