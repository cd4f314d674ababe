/** Indexes as no tool writes them. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { parseRelease } from '../../../apt/release.ts';
import { described } from '../../controller/http/fixture.ts';
import { clearsign, detachSign, testKey } from '../../world/keys.ts';
import { mirrorWorld } from './mirror-world.ts';

interface Listed {
  readonly path: string;
  readonly size?: number;
}

const content = 'the same content everywhere';

/** An upstream whose only index names these paths, at all of which is the same content. */
async function listing(t: TestContext, files: readonly Listed[], spec: object = {}) {
  const world = await mirrorWorld(t, { spec: { limits: { retries: 0 }, ...spec } });
  const write = (path: string, text: string) => {
    const file = join(world.archive.root, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  };
  const { sha256, size } = described(content);
  const stanzas = files.map(
    (file, at) =>
      `Package: p${at}\nFilename: ${file.path}\nSize: ${file.size ?? size}\nSHA256: ${sha256}\n`,
  );
  const packages = stanzas.join('\n');
  const index = 'main/binary-amd64/Packages';
  const listed = `SHA256:\n ${described(packages).sha256} ${packages.length} ${index}\n`;
  const date = new Date(Date.now() - 3_600_000).toUTCString().replace('GMT', 'UTC');
  const fields = `Date: ${date}\nComponents: main\nArchitectures: amd64\n`;
  write(`dists/stable/${index}`, packages);
  write('dists/stable/InRelease', await clearsign(fields + listed, await testKey('archive')));
  return { ...world, write };
}

test('a file below a file is a fault of the archive, and not of the depot', async (t) => {
  const files = [{ path: 'pool/x' }, { path: 'pool/x/y' }];
  const { refresh } = await listing(t, files, { download: 'Lazy' });

  await assert.rejects(refresh(), { reason: 'UpstreamInconsistent', message: /pool\/x\/y/ });
});

test('one content listed with two sizes is kept where the size is right', async (t) => {
  const files = [{ path: 'pool/right' }, { path: 'pool/wrong', size: 5 }];
  const missingFiles = { pool: 'Record' };
  const { refresh, read, write } = await listing(t, files, { missingFiles });
  for (const { path } of files) write(path, content);

  const { state } = await refresh();

  assert.deepEqual(state.missing, ['pool/wrong']);
  assert.equal((await read('pool/right'))?.toString(), content);
  assert.equal(await read('pool/wrong'), undefined);
});

test('indexes of the same content in one folder share a name in by-hash', async (t) => {
  const architectures = ['amd64', 'arm64'];
  const empty = { translations: ['de', 'en'], contents: true, architectures };
  const { archive, refresh, read } = await mirrorWorld(t, { archive: empty });
  await archive.publish();

  await refresh();

  const { sha256 } = described('');
  for (const name of ['i18n/Translation-de', 'Contents-arm64', `i18n/by-hash/SHA256/${sha256}`]) {
    assert.equal((await read(`dists/stable/main/${name}`))?.length, 0, name);
  }
});

const ofBefore = ['Release', 'InRelease', 'Release.gpg'];

for (const [what, content] of [
  ['empty', ''],
  ['of other content', 'Date: of before'],
] as const) {
  for (const inline of [true, false]) {
    test(`a Release that lists Release files, ${what}, is mirrored ${inline ? 'in' : 'without'} InRelease`, async (t) => {
      const key = await testKey('archive');
      const { archive, refresh, read, original } = await mirrorWorld(t, {
        archive: { suite: './', flat: true, inRelease: inline },
        spec: { suites: ['./'], missingFiles: { indexes: 'Fail' } },
      });
      archive.add({ name: 'hello', version: '1.0' });
      await archive.publish();
      const { sha256, size } = described(content);
      const more = ofBefore.map((name) => ` ${sha256} ${size} ${name}\n`).join('');
      const text = original('Release').toString() + more;
      assert.ok(parseRelease(text).files.has('Release'), 'it lists itself');
      const files = inline
        ? { InRelease: await clearsign(text, key) }
        : { Release: text, 'Release.gpg': await detachSign(text, key) };
      for (const [name, body] of Object.entries(files))
        writeFileSync(join(archive.root, name), body);

      const { state } = await refresh();

      assert.equal(state.packages, 1);
      for (const name of Object.keys(files)) assert.deepEqual(await read(name), original(name));
      if (inline) assert.equal(await read('Release'), undefined);
    });
  }
}
