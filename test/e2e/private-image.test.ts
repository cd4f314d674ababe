/** Builds in an image of a registry that wants a password, by the whole product. */
import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { run } from '../world/process.ts';
import { needsRegistry, pushImage, startRegistry, type Registry } from '../world/registry.ts';
import { suiteScope } from '../world/temp.ts';
import { BuildWorld } from './build-world.ts';
import { manifest } from './building.ts';
import { eventually } from './product.ts';
import { tinyPackage } from './tiny-package.ts';

const login = { username: 'me', password: 'canary-one' };

describe('a Source that is built in a private image', needsRegistry, () => {
  const scope = suiteScope();
  let world: BuildWorld;
  let registry: Registry;
  let image: string;
  let first: string;

  /** What `docker login` and `kubectl create secret docker-registry` write. */
  const config = (password: string) => {
    const auth = Buffer.from(`${login.username}:${password}`).toString('base64');
    return JSON.stringify({ auths: { [registry.host]: { auth } } });
  };

  function writeSecret(values: Readonly<Record<string, string>>): void {
    const folder = join(world.product.data, 'secrets/reg');
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    for (const [key, value] of Object.entries(values)) writeFileSync(join(folder, key), value);
  }

  const sourceOf = (base: object) => ({
    ...{ url: `file://${world.git.bare}`, interval: '1s', repositoryRef: { name: 'tools' } },
    build: { base },
  });

  before(async () => {
    registry = await startRegistry(scope, login);
    image = `${registry.host}/team/base:1`;
    const name = `${registry.host}/team/base`;
    world = await BuildWorld.open(scope, 256, ({ docker, image: tinyBase }) =>
      pushImage(docker, tinyBase, { name, tag: '1', login }),
    );
    await world.declare('Repository', 'tools', {});
    await world.declare('Source', 'tiny', sourceOf({ image, secretRef: { name: 'reg' } }));
    first = (await world.git.git('rev-parse', 'HEAD')).trim();
  });

  it('says what is wrong with its secret, and goes on by itself when that is mended', async () => {
    const waiting = await world.waitsBecause(first, 'SecretMissing', /there is no secret reg$/);
    writeSecret({ '.dockerconfigjson': '{"canary' });
    await world.waitsBecause(first, 'SecretMissing', /secret reg has a \S+ that is no object/);
    writeSecret({ '.dockerconfigjson': config('canary-wrong') });
    const refused = /unauthorized: authentication required \(with the secret reg\)/;
    await world.waitsBecause(first, 'UpstreamRefused', refused);
    writeSecret({ '.dockerconfigjson': config(login.password) });

    const { metadata, status } = await world.finished(first);
    assert.equal(status.result, 'Succeeded', JSON.stringify(status));
    assert.equal(metadata.uid, waiting.metadata.uid);
    const base = status.inputs?.base ?? '';
    assert.equal((await world.engine.docker.getImage(base).inspect()).Id, base);
  });

  it('leaves nothing of that to another namespace', async () => {
    const object = (kind: string, name: string, spec: object) => {
      const made = JSON.parse(manifest(kind, name, spec));
      made.metadata.namespace = 'other';
      return `${JSON.stringify(made)}\n`;
    };
    world.product.write('tools.yaml', object('Repository', 'tools', {}));
    world.product.write('tiny.yaml', object('Source', 'tiny', sourceOf({ image })));
    const path = 'apis/cairn.build/v1alpha1/namespaces/other/builds';
    await eventually(
      async () => {
        const answer = await fetch(`${world.cairn.url}/${path}`);
        const { items } = (await answer.json()) as { items: { status: Record<string, string> }[] };
        const { result, message } = items[0]?.status ?? {};
        if (result !== undefined) assert.equal(result, 'ChrootProblem', message ?? '');
        return /can't be pulled: .*no basic auth credentials/.test(message ?? '');
      },
      'the Build of the other namespace is refused',
      60_000,
    );
  });

  it('asks the registry each time, whatever the engine has', async () => {
    const changed = { ...login, password: 'canary-two' };
    await registry.letIn(changed);
    const commit = await world.git.commit(tinyPackage('second'));
    await world.waitsBecause(commit, 'UpstreamRefused', /unauthorized/);
    writeSecret(changed);

    const { status } = await world.finished(commit);
    assert.equal(status.result, 'Succeeded', JSON.stringify(status));
  });

  it('shows its credentials nowhere', async () => {
    const { cairn, product, engine } = world;
    const objects = await Promise.all(
      ['sources', 'builds', 'repositories'].map(async (plural) =>
        (await fetch(`${cairn.url}/apis/cairn.build/v1alpha1/${plural}`)).text(),
      ),
    );
    const events = await (await fetch(`${cairn.url}/api/v1/events`)).text();
    const images = JSON.stringify(await engine.docker.listImages({ all: true }));
    const encoded = Buffer.from(`${login.username}:canary`).toString('base64').slice(0, -2);
    const canaries = new RegExp(`canary|${encoded}`);
    assert.doesNotMatch([...objects, events, images, cairn.logs].join('\n'), canaries);
    const pattern = ['--text', '--recursive', '--files-with-matches', '--extended-regexp'];
    const found = await run('grep', [
      ...pattern,
      ...['--exclude-dir=secrets', canaries.source, product.data],
    ]);
    assert.deepEqual([found.code, found.stdout], [1, '']);
  });
});
