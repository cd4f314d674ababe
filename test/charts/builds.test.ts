/** What the chart renders for builds, on a real engine that lets nobody in without a certificate. */
import assert from 'node:assert/strict';
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import type { Build } from '../../crds/build.ts';
import { conditionOf } from '../../crds/object.ts';
import type { Source } from '../../crds/source.ts';
import { GitRepository } from '../controller/sources/git-repository.ts';
import { manifest } from '../e2e/building.ts';
import { eventually, objectOf, product } from '../e2e/product.ts';
import { tinyPackage } from '../e2e/tiny-package.ts';
import { makeAuthority, type Certificate } from '../world/certificates.ts';
import { needsDocker, startOwnDocker } from '../world/docker.ts';
import { helmOf, needsHelm } from '../world/helm.ts';
import { freePort } from '../world/port.ts';
import { tempDir } from '../world/temp.ts';
import { argsOf, podTemplate, rendered } from './chart.ts';

const isMissing = needsHelm.skip === false ? needsDocker : needsHelm;
const image = `sha256:${'0'.repeat(64)}`;

describe('builds of the chart', isMissing, () => {
  it('are on an engine that both ends have a certificate for, which may be renewed', async (t) => {
    const [ours, others] = [await makeAuthority(t), await makeAuthority(t)];
    const port = await freePort();
    const files = ['ca', 'server', 'server-key'].map((one) => path.join(ours.folder, `${one}.pem`));
    const [ca = '', cert = '', key = ''] = files;
    await startOwnDocker(t, [
      ...['--host', `tcp://127.0.0.1:${port}`, '--tlsverify'],
      ...['--tlscacert', ca, '--tlscert', cert, '--tlskey', key],
    ]);
    const host = `tcp://127.0.0.1:${port}`;
    const builds = { docker: { host, tlsSecretName: 'engine' }, concurrency: 3 };
    const objects = await rendered(helmOf(t), { builds });
    const mounts = podTemplate(objects).spec.containers[0]?.volumeMounts ?? [];
    const mount = mounts.find(({ name }) => name === 'docker-tls')?.mountPath ?? '';
    const folder = path.join(tempDir(t), 'engine');
    const args = argsOf(objects)
      .filter((arg) => arg.startsWith('--docker'))
      .map((arg) => arg.replace(mount, folder));
    /** All at once, as Kubernetes writes a Secret into a Pod. */
    const mountSecret = (client: Certificate) => {
      mkdirSync(`${folder}.new`);
      const secret = { 'ca.crt': ours.ca, 'tls.crt': client.cert, 'tls.key': client.key };
      for (const [name, text] of Object.entries(secret)) {
        writeFileSync(path.join(`${folder}.new`, name), text, { mode: 0o440 });
      }
    };
    mountSecret(others.client);
    renameSync(`${folder}.new`, folder);

    const world = await product(t);
    const git = await GitRepository.create(t, tinyPackage('first'));
    world.write('tools.yaml', manifest('Repository', 'tools', {}));
    const source = { url: `file://${git.bare}`, repositoryRef: { name: 'tools' } };
    world.write('tiny.yaml', manifest('Source', 'tiny', { ...source, build: { base: { image } } }));
    const cairn = await world.start({ args });
    const build = async () => {
      const named = (await objectOf<Source>(cairn, 'sources', 'tiny'))?.status.build;
      return named === undefined ? undefined : await objectOf<Build>(cairn, 'builds', named);
    };
    const reason = async () => {
      const found = await build();
      return found && conditionOf(found, 'Ready')?.reason;
    };
    await eventually(() => /no builds for now/.test(cairn.logs), 'the engine refuses', 30_000);
    await eventually(async () => (await reason()) === 'BuilderUnavailable', 'it waits', 30_000);

    mountSecret(ours.client);
    renameSync(folder, `${folder}.old`);
    renameSync(`${folder}.new`, folder);
    const ended = async () => (await build())?.status.result !== undefined;
    await eventually(ended, 'the engine answers', 60_000).catch(async (error: unknown) => {
      const told = JSON.stringify((await build())?.status);
      throw new Error(`${told}\n${cairn.logs}`, { cause: error });
    });
    const { status } = (await build()) ?? {};
    assert.equal(status?.result, 'ChrootProblem');
    assert.match(status.message ?? '', new RegExp(`there is no image ${image}`));
    assert.doesNotMatch(cairn.logs, /PRIVATE KEY/);
    await cairn.kill('SIGTERM');
    const again = await world.start({ args });
    await eventually(() => /Docker is there for builds/.test(again.logs), 'it is told', 30_000);
  });
});
