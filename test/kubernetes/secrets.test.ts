/** Keys, tokens and credentials of the product on a cluster, where no data directory lasts. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { environment, eventually, good, mirrorSet, snapshot } from '../e2e/product.ts';
import { createAptRoot, type AptRoot } from '../world/apt.ts';
import type { Cairn } from '../world/cairn.ts';
import { needsKubernetes } from '../world/kubernetes-programs.ts';
import { needsS3, startS3, type S3 } from '../world/s3.ts';
import { suiteScope, tempDir } from '../world/temp.ts';
import { startWorld, type ProductWorld } from './product-world.ts';

async function keyOf(cairn: Cairn): Promise<string> {
  const answer = await fetch(`${cairn.url}/environments/production/key.asc`);
  return `${answer.status} ${await answer.text()}`;
}

async function sourcesOf(cairn: Cairn): Promise<string> {
  return (await fetch(`${cairn.url}/environments/production/client.sources`)).text();
}

const isMissing = needsKubernetes.skip === false ? needsS3 : needsKubernetes;

describe('replicas without a volume', isMissing, () => {
  const scope = suiteScope();
  let world: ProductWorld;
  let s3: S3;
  let apt: AptRoot;
  let old: Readonly<Record<'key' | 'sources', string>> & Pick<Cairn, 'tokens'>;
  const running: Cairn[] = [];

  before(async () => {
    world = await startWorld(scope);
    s3 = await startS3(scope);
    apt = createAptRoot(tempDir(scope));
  });

  /** A Pod with an empty directory, and what it has in there. */
  async function start(): Promise<Cairn> {
    const { accessKeyId, secretAccessKey, region } = s3.keys;
    const data = join(tempDir(scope), 'data');
    const cairn = await world.product.start({
      config: undefined,
      data,
      env: {
        KUBECONFIG: world.kubernetes.kubeconfig,
        AWS_ACCESS_KEY_ID: accessKeyId,
        AWS_SECRET_ACCESS_KEY: secretAccessKey,
      },
      args: [
        ...['--kubernetes', '--elect', '--bucket', `s3://${s3.bucket}/depot`],
        ...['--bucket-region', region, '--bucket-endpoint', s3.endpoint],
      ],
    });
    assert.deepEqual(
      readdirSync(data).filter((name) => /keys|tokens|secrets/.test(name)),
      [],
    );
    running.push(cairn);
    return cairn;
  }

  const inRelease = (cairn: Cairn, area: string) =>
    `${cairn.url}/${area}/${world.product.mount}/dists/stable/InRelease`;

  it('have the same keys and tokens, though they start at the same time', async () => {
    const replicas = await Promise.all([start(), start(), start()]);
    const { apply, ready } = world;
    await apply(world.mirror({ public: true }));
    await apply(mirrorSet);
    await apply(snapshot('base-1'));
    await apply(environment('base-1'));
    await ready('environment/production');

    const { tokens } = replicas[0];
    for (const cairn of replicas) {
      await eventually(async () => (await keyOf(cairn)).startsWith('200 '), 'it has the key');
      assert.equal(await keyOf(cairn), await keyOf(replicas[0]));
      assert.deepEqual(cairn.tokens, tokens);
    }
    const first = replicas[0];
    old = { key: await keyOf(first), tokens, sources: await sourcesOf(first) };
    apt.writeSources(old.sources);
    good(await apt.update());
  });

  it('that are replaced sign with the same key, and know the same tokens', async () => {
    await Promise.all(running.splice(0).map((cairn) => cairn.kill()));
    const cairn = await start();
    const { archive } = world.product;
    archive.add({ name: 'hello', version: '2.0' });
    await archive.publish();
    const reconciled = await cairn.cli('reconcile', 'mirror/demo', '--wait');
    assert.equal(reconciled.code, 0, reconciled.output);
    await world.apply(snapshot('base-2'));
    await world.apply(environment('base-2'));
    const serves = '--for=jsonpath={.status.published.snapshot}=base-2';
    await world.kubectl(['wait', serves, 'environment/production', '--timeout=120s']);

    assert.equal(await keyOf(cairn), old.key);
    assert.deepEqual(cairn.tokens, old.tokens);
    apt.writeSources(old.sources.replaceAll(/http:\/\/[^/]+/g, cairn.url)); // the key stays
    good(await apt.update());
    assert.equal(await apt.policy('hello'), '2.0');
  });

  it('open private archives by the token of the cluster, and by none that is gone', async () => {
    const [cairn] = running;
    assert.ok(cairn);
    await world.apply(world.mirror({ public: false }));
    const url = inRelease(cairn, 'environments/production');
    const status = async (token?: string) => {
      const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
      return (await fetch(url, { headers })).status;
    };
    await world.apply(snapshot('base-3'));
    await world.apply(environment('base-3'));
    await eventually(async () => (await status()) === 401, 'it is private');
    assert.equal(await status('wrong'), 401);
    assert.equal(await status(old.tokens.read), 200);
  });

  it('say nothing of what they keep', async () => {
    const events = await world.kubectl(['get', 'events', '-A', '-o', 'yaml']);
    const objects = await world.kubectl(['get', 'cairn', '-A', '-o', 'yaml']);
    const secret = await world.kubectl(['get', 'secret', 'cairn-keys-b', '-o', 'json']);
    const values = Object.values<string>(JSON.parse(secret).data).map((value) => {
      const text = Buffer.from(value, 'base64').toString('utf8');
      return text.split('\n').find((line) => /^[A-Za-z0-9+/]{40,}$/.test(line)) ?? text;
    });
    assert.equal(values.length, 1);
    const told = [events, objects, ...running.map(({ logs }) => logs)].join('\n');
    for (const canary of [...values, ...Object.values(old.tokens), 'PRIVATE KEY']) {
      assert.ok(!told.includes(canary), `something tells ${canary.slice(0, 3)}…`);
    }
  });
});
