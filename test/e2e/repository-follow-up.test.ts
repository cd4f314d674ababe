/** What follows a publication, as apt sees it, and through the death of a controller. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Repository } from '../../crds/repository.ts';
import type { Cairn } from '../world/cairn.ts';
import { controlFields, makeDeb } from '../world/deb.ts';
import { freePort } from '../world/port.ts';
import { tempDir } from '../world/temp.ts';
import { checkedBlobs, treeFiles } from './depot-files.ts';
import { eventually, good, objectOf, product, until } from './product.ts';

const repository = `apiVersion: cairn.build/v1alpha1
kind: Repository
metadata: { name: tools }
spec: { public: true }
`;
/** It gives way to all else that runs here. */
const slowMs = 180_000;
/** Contents as apt-file has them; apt says what it asks for. */
const config = `Debug::Acquire::http "true";
Acquire::IndexTargets::deb::Contents-deb {
  MetaKey "$(COMPONENT)/Contents-$(ARCHITECTURE)";
  ShortDescription "Contents-$(ARCHITECTURE)";
  Description "$(RELEASE)/$(COMPONENT) $(ARCHITECTURE) Contents (deb)";
};`;

test('what follows a publication', async (t) => {
  const world = await product(t);
  world.write('repository.yaml', repository);
  const folder = tempDir(t);
  const listen = `127.0.0.1:${await freePort()}`;
  let cairn = await world.start({ listen });
  await until(cairn, 'repository/tools', '--for=condition=Ready');
  const apt = await world.apt(cairn, '/repositories/default/tools', { config });
  const packages = 'main/binary-amd64/Packages';

  await t.test('comes although the controller is killed before and meanwhile', async () => {
    const many = Array.from({ length: 40 }, (_, at) => `package-${at}`);
    await publish(cairn, folder, many);
    const { state } = (await statusOf(cairn)) ?? {};
    assert.ok(state?.owedSince);
    for (const waitMs of [0, 1000]) {
      // the second time what is due at once after a start is being made
      const due = Date.parse(state.date) + 5000 + state.packages;
      if (waitMs > 0) await eventually(() => Date.now() > due + waitMs, 'it is due');
      await cairn.kill('SIGKILL');
      cairn = await world.start({ listen });
    }

    await settled(cairn);

    await assertFetched(`${packages}.xz`);
    const text = await contentsOf();
    assert.equal(text.match(/ misc\/package-\d+$/gm)?.length, many.length);
    const { state: now } = (await statusOf(cairn)) ?? {};
    const blobs = checkedBlobs(world.data);
    for (const tree of [now?.tree, now?.fileLists]) {
      for (const { sha256 } of treeFiles(world.data, tree ?? '')) assert.ok(blobs.has(sha256));
    }
  });

  await t.test('leaves apt with what is right meanwhile', async () => {
    const name = await publishedAlone(async (name) => {
      await assertFetched(`${packages}.gz`);
      assert.equal(await apt.policy(name), '1.0');
      assert.doesNotMatch(await contentsOf(), new RegExp(` misc/${name}$`, 'm'));
    });

    await settled(cairn);
    good(await apt.update()); // it has these Packages
    const line = new RegExp(`^usr/share/doc/${name}/content +misc/${name}$`, 'm');
    assert.match(await contentsOf(), line);
  });

  /** Publishes a package, and checks what is so until what follows has come: once more where that came too soon. */
  async function publishedAlone(check: (name: string) => Promise<void>): Promise<string> {
    for (let attempt = 0; ; attempt += 1) {
      const name = `after-${attempt}`;
      await publish(cairn, folder, [name]);
      const failure: unknown = await check(name).catch((error: unknown) => error);
      const isAlone = (await statusOf(cairn))?.state?.owedSince !== undefined;
      if (isAlone && failure === undefined) return name;
      if (isAlone || attempt === 5) throw failure ?? new Error('what follows always came too soon');
      await settled(cairn);
    }
  }

  /** An update asks for that form of an index, by its hash. */
  async function assertFetched(path: string): Promise<void> {
    const release = `${cairn.url}/repositories/default/tools/dists/stable/Release`;
    const text = await (await fetch(release)).text();
    const hash = new RegExp(`^ ([0-9a-f]{128}) +\\d+ ${path}$`, 'm').exec(text)?.[1];
    assert.ok(hash, `${path} is not listed`);
    const updated = await apt.update();
    good(updated);
    assert.match(updated.output, new RegExp(`^GET \\S+/by-hash/SHA512/${hash} `, 'm'));
  }

  async function contentsOf(): Promise<string> {
    const format = ['--format', '$(FILENAME)', 'Created-By: Contents-deb'];
    const { stdout: file } = await apt.apt('apt-get', ['indextargets', ...format]);
    const read = await apt.apt('/usr/lib/apt/apt-helper', ['cat-file', file.trim()]);
    good(read);
    return read.stdout;
  }
});

async function publish(cairn: Cairn, folder: string, names: readonly string[]): Promise<void> {
  const files = names.map((name) => {
    const spec = { name, version: '1.0' };
    const file = join(folder, `${name}_1.0_amd64.deb`);
    writeFileSync(file, makeDeb(spec, controlFields(spec)));
    return file;
  });
  const published = await cairn.cli('publish', 'tools', ...files);
  assert.equal(published.code, 0, published.output);
}

async function statusOf(cairn: Cairn): Promise<Repository['status'] | undefined> {
  return (await objectOf<Repository>(cairn, 'repositories', 'tools'))?.status;
}

function settled(cairn: Cairn): Promise<void> {
  return eventually(
    async () => {
      const { fileLists, owedSince } = (await statusOf(cairn))?.state ?? {};
      return fileLists !== undefined && owedSince === undefined;
    },
    'what takes long has followed',
    slowMs,
  );
}
