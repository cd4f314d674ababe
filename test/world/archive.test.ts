import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { createAptRoot } from './apt.ts';
import type { ArchiveOptions } from './archive-options.ts';
import { Archive } from './archive.ts';
import { exportPublic, testKey, type Key } from './keys.ts';
import { startNginx, type Nginx } from './nginx.ts';
import { mustRun } from './process.ts';
import { tempDir } from './temp.ts';

describe('an archive of the test world, as apt sees it', () => {
  const root = tempDir({ after });
  let nginx: Nginx;
  let key: Key;

  before(async () => {
    nginx = await startNginx(root);
    key = await testKey('archive', { subkey: true });
  });
  after(() => nginx.stop());

  const makeArchive = (name: string, options: ArchiveOptions) =>
    new Archive(path.join(root, name), { signWith: key, ...options });

  async function aptRoot(context: TestContext, sources: string, languages: string[] = []) {
    const apt = createAptRoot(tempDir(context), { languages });
    const keyring = apt.writeKeyring('archive', await exportPublic(key));
    apt.writeSources(
      sources.replaceAll('URL', nginx.url).replaceAll('[', `[signed-by=${keyring} `),
    );
    return apt;
  }

  it('gives packages, sources and translations of an ordinary suite', async (t) => {
    const archive = makeArchive('ordinary', {
      suite: 'bookworm',
      components: ['main', 'contrib'],
      architectures: ['amd64', 'arm64'],
      compressions: ['.gz', '.xz', '.bz2', '.zst'],
      hashes: ['MD5Sum', 'SHA1', 'SHA256', 'SHA512'],
      translations: ['en', 'de'],
      contents: true,
      dep11: true,
      commandNotFound: true,
      installerImages: true,
      allIndex: true,
    });
    const hello = archive.add({ name: 'hello', version: '1:2.10-3+b1', size: 5000 });
    archive.add({ name: 'hello-doc', version: '2.10-3', architecture: 'all', source: 'hello' });
    archive.add({ name: 'extra', version: '1', component: 'contrib' });
    archive.add({ name: 'hello-udeb', version: '2.10-3', udeb: true });
    archive.addSource({ name: 'hello', version: '2.10-3', binaries: ['hello', 'hello-doc'] });
    await archive.publish({ validUntil: new Date(Date.now() + 86_400_000) });
    const lines = ['deb', 'deb-src'].map((type) => `${type} [] URL/ordinary bookworm main contrib`);
    const apt = await aptRoot(t, lines.join('\n'), ['de', 'en']);

    const update = await apt.update();

    assert.equal(update.code, 0, update.output);
    assert.doesNotMatch(update.output, /^[WE]:|^Ign/m);
    assert.equal(await apt.policy('hello'), '1:2.10-3+b1');
    assert.equal(await apt.policy('extra'), '1');
    assert.equal(await apt.policy('hello-doc'), '2.10-3');
    assert.equal(await apt.policy('hello-udeb'), undefined);
    assert.match(
      (await apt.apt('apt-cache', ['show', 'hello'])).output,
      /\[de\] the package hello/,
    );
    const download = await apt.download('hello');
    assert.deepEqual(
      readFileSync(download.file ?? ''),
      readFileSync(path.join(archive.root, hello.path)),
    );
    const source = await apt.source('hello');
    assert.deepEqual(source.files.map((file) => path.basename(file)).sort(), [
      'hello_2.10-3.dsc',
      'hello_2.10-3.tar.gz',
    ]);
  });

  const shapes: readonly [string, ArchiveOptions, string][] = [
    ['a flat archive', { suite: './', flat: true }, 'deb [] URL/SHAPE ./'],
    ['a flat archive in a subfolder', { suite: 'jammy/', flat: true }, 'deb [] URL/SHAPE jammy/'],
    ['a nested suite', { suite: 'bookworm/updates' }, 'deb [] URL/SHAPE bookworm/updates main'],
    [
      'components with a prefix',
      { suite: 'stable/updates', componentPrefix: 'updates' },
      'deb [] URL/SHAPE stable/updates main',
    ],
    ['a suite without by-hash', { suite: 'sid', byHash: false }, 'deb [] URL/SHAPE sid main'],
    ['a suite without InRelease', { suite: 'sid', inRelease: false }, 'deb [] URL/SHAPE sid main'],
    [
      'a suite with only xz and SHA512',
      { suite: 'sid', compressions: ['.xz'], hashes: ['SHA512'] },
      'deb [] URL/SHAPE sid main',
    ],
  ];
  for (const [title, options, source] of shapes) {
    it(`gives packages of ${title}`, async (t) => {
      const name = title.replaceAll(' ', '-');
      const archive = makeArchive(name, options);
      archive.add({ name: 'hello', version: '1.0' });
      await archive.publish();
      const apt = await aptRoot(t, source.replace('SHAPE', name));

      const update = await apt.update();
      const download = await apt.download('hello');

      assert.equal(update.code, 0, update.output);
      assert.equal(download.code, 0, download.output);
      assert.ok(download.file, 'a .deb was downloaded');
    });
  }

  it('shows a new publication, and keeps the indexes before it by hash', async (t) => {
    const archive = makeArchive('moving', { suite: 'sid' });
    archive.add({ name: 'hello', version: '1.0' });
    await archive.publish();
    const apt = await aptRoot(t, 'deb [] URL/moving sid main');
    await apt.update();

    archive.remove('hello', '1.0');
    archive.add({ name: 'hello', version: '2.0' });
    await archive.publish();
    await apt.update();

    assert.equal(await apt.policy('hello'), '2.0');
    const place = path.join(archive.root, 'dists/sid/main/binary-amd64/by-hash/SHA256');
    assert.equal(readdirSync(place).length, 5); // Packages and Packages.gz twice, Release once
    await archive.publish();
    await archive.publish();
    assert.equal(readdirSync(place).length, 3);
  });

  it('is refused when it is signed by another key', async (t) => {
    const archive = makeArchive('foreign', { suite: 'sid' });
    await archive.publish({ signWith: await testKey('stranger') });
    const apt = await aptRoot(t, 'deb [] URL/foreign sid main');

    const update = await apt.update();

    assert.equal(update.code, 100);
    assert.match(update.output, /NO_PUBKEY/);
  });

  it('is refused when it has expired', async (t) => {
    const archive = makeArchive('expired', { suite: 'sid' });
    await archive.publish({ validUntil: new Date(Date.now() - 60_000) });
    const apt = await aptRoot(t, 'deb [] URL/expired sid main');

    const update = await apt.update();

    assert.equal(update.code, 100);
    assert.match(update.output, /is expired/);
  });
});

describe('a package of the test world', () => {
  it('is one that dpkg-deb understands', async (t) => {
    const archive = new Archive(tempDir(t), { suite: 'sid' });
    const { path: place, size } = archive.add({
      name: 'hello',
      version: '1.0',
      depends: 'libc6 (>= 2.36)',
      description: 'greets\nA paragraph.\n\nAnother one.',
      size: 10_000,
    });
    const file = path.join(archive.root, place);

    const info = await mustRun('dpkg-deb', ['--info', file]);
    const content = await mustRun('dpkg-deb', ['--contents', file]);

    assert.match(info, / Depends: libc6 \(>= 2\.36\)\n/);
    assert.match(info, / Description: greets\n {2}A paragraph\.\n {2}\.\n {2}Another one\.\n/);
    assert.match(content, /\.\/usr\/share\/doc\/hello\/content/);
    assert.ok(Math.abs(size - 10_000) < 500, `${size} is about 10000`);
  });

  it('is the same bytes whenever it is made', (t) => {
    const [one, two] = [tempDir(t), tempDir(t)].map((root) =>
      new Archive(root, { suite: 'sid' }).add({ name: 'hello', version: '1.0', size: 3000 }),
    );

    assert.equal(one?.sha256, two?.sha256);
  });

  it('leaves the pool when it is told to', (t) => {
    const archive = new Archive(tempDir(t), { suite: 'sid' });
    const hello = archive.add({ name: 'hello', version: '1.0' });

    archive.deleteFile(hello);

    assert.equal(existsSync(path.join(archive.root, hello.path)), false);
  });
});
