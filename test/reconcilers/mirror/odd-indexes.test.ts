/** Indexes as no tool writes them. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { described } from '../../controller/http/fixture.ts';
import { clearsign, testKey } from '../../world/keys.ts';
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
