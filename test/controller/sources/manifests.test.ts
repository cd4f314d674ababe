import assert from 'node:assert/strict';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { readManifests } from '../../../controller/sources/manifests.ts';
import { mustRun } from '../../world/process.ts';
import { tempDir } from '../../world/temp.ts';
import { documentYaml, mirrorYaml, told, writeFiles } from './folder.ts';

type Files = Readonly<Record<string, string | Uint8Array>>;

async function read(t: TestContext, files: Files, path?: string) {
  const root = tempDir(t);
  await writeFiles(root, files);
  const reading = await readManifests(root, path === undefined ? {} : { path });
  return {
    ...reading,
    root,
    names: reading.manifests.map(({ manifest }) => manifest.metadata.name),
    told: told(reading.problems),
  };
}

/** A Mirror that is signed by the keys of a file. */
const signedBy = (keys: object) => mirrorYaml('m', { allowUnsigned: false, signedBy: keys });
const signed = (file: string) => signedBy({ file });

async function publicKey(
  t: TestContext,
): Promise<{ binary: Buffer; armored: string; secret: string }> {
  const env = { GNUPGHOME: tempDir(t) };
  const gpg = ['--batch', '--quiet', '--passphrase', ''];
  await mustRun('gpg', [...gpg, '--quick-gen-key', 'test@example.com', 'ed25519', 'sign'], { env });
  const armored = await mustRun('gpg', [...gpg, '--armor', '--export'], { env });
  const secret = await mustRun('gpg', [...gpg, '--armor', '--export-secret-keys'], { env });
  const output = join(env.GNUPGHOME, 'keys.gpg');
  await mustRun('gpg', [...gpg, '--output', output, '--export'], { env });
  t.after(() => mustRun('gpgconf', ['--kill', 'all'], { env }));
  return { binary: await readFile(output), armored, secret };
}

describe('the manifests of a directory', () => {
  it('are those of all YAML files below it, in the order of their names', async (t) => {
    const { names, manifests, complete } = await read(t, {
      'b.yml': mirrorYaml('b1') + mirrorYaml('b2'),
      'a/z.yaml': mirrorYaml('a'),
      'README.md': 'no: [yaml',
      'empty.yaml': '# nothing\n',
      '.git/x.yaml': 'not: [yaml',
      'node_modules/x.yaml': 'not: [yaml',
      '.hidden.yaml': 'not: [yaml',
    });

    assert.deepEqual(names, ['a', 'b1', 'b2']);
    assert.deepEqual(
      manifests.map(({ file, line }) => `${file}:${line}`),
      ['a/z.yaml:2', 'b.yml:2', 'b.yml:4'],
    );
    assert.equal(complete, true);
  });

  it('may be those of one directory or file below the root', async (t) => {
    const files = {
      'a/x.yaml': mirrorYaml('x'),
      'a/y.yaml': mirrorYaml('y'),
      'b.yaml': mirrorYaml('z'),
    };
    assert.deepEqual((await read(t, files, 'a')).names, ['x', 'y']);
    assert.deepEqual((await read(t, files, 'a/y.yaml')).names, ['y']);
    await assert.rejects(read(t, files, 'c'), /ENOENT/);
  });

  it('may be items of a List, as kubectl get writes them', async (t) => {
    const items = [mirrorYaml('a'), mirrorYaml('b'), '---\n{"kind": 3}'].map((text) =>
      JSON.parse(text.slice(4)),
    );
    const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', metadata: {}, items }, null, 1);
    const { names, told, complete } = await read(t, { 'list.yaml': list });
    assert.deepEqual(names, ['a', 'b']);
    assert.match(told[0] ?? '', /^list.yaml:\d+:\d+: apiVersion: expected .* it is missing$/);
    assert.equal(complete, false);
  });

  it('have a digest that changes with any of them', async (t) => {
    const one = await read(t, { 'a.yaml': mirrorYaml('a') });
    const same = await read(t, { 'a.yaml': mirrorYaml('a'), 'README.md': 'x' });
    const other = await read(t, { 'a.yaml': mirrorYaml('b') });
    assert.match(one.digest, /^sha256:[0-9a-f]{64}$/);
    assert.equal(one.digest, same.digest);
    assert.notEqual(one.digest, other.digest);
  });
});

describe('problems', () => {
  it('are told all at once, by file, line and column, and do not harm other documents', async (t) => {
    const bad = `apiVersion: cairn.build/v1alpha1
kind: Mirror
metadata:
  name: bad
spec:
  url: http://archive.test/bad
  suitess:
    - stable
  download: eager
  public: yes
`;
    const {
      names,
      told,
      bad: meant,
      complete,
    } = await read(t, {
      'z.yaml': mirrorYaml('good'),
      'a.yaml': bad,
    });

    assert.deepEqual(names, ['good']);
    assert.deepEqual(told, [
      'a.yaml:5:1: spec.suites: expected a list of strings; it is missing',
      'a.yaml:7:3: spec.suitess: unknown field; did you mean `suites`?',
      'a.yaml:9:13: spec.download: expected one of Eager, Lazy; found "eager"',
      'a.yaml:10:11: yes is true in YAML 1.1 and text in YAML 1.2: write true, or put it in quotes if you mean the text',
    ]);
    assert.deepEqual(meant, [{ kind: 'Mirror', namespace: 'default', name: 'bad' }]);
    assert.equal(complete, true);
  });

  it('leave the reading incomplete where nobody can tell what a document is about', async (t) => {
    for (const text of [
      'a: [',
      'just text',
      '{apiVersion: cairn.build/v1alpha1, kind: Mirror}',
      'a: 1\na: 2',
    ]) {
      const { complete, names } = await read(t, { 'a.yaml': text, 'b.yaml': mirrorYaml('b') });
      assert.equal(complete, false, text);
      assert.deepEqual(names, ['b']);
    }
  });

  it('include other kinds, and kinds that only Cairn makes', async (t) => {
    const { told, complete } = await read(t, {
      'a.yaml': '{apiVersion: v1, kind: ConfigMap, metadata: {name: x}}',
      'b.yaml': documentYaml('ConfigSource', 'x', { location: '/' }),
    });
    assert.match(
      told[0] ?? '',
      /^a.yaml:1:14: apiVersion: unknown kind "ConfigMap" of "v1"; known kinds are Mirror/,
    );
    assert.match(
      told[1] ?? '',
      /^b.yaml:2:\d+: kind: ConfigSource objects are made by Cairn itself/,
    );
    assert.equal(complete, true);
  });

  it('include a second manifest of the same object, which names the first', async (t) => {
    const { names, told, bad } = await read(t, {
      'a.yaml': mirrorYaml('x') + mirrorYaml('y'),
      'b.yaml': mirrorYaml('y'),
    });
    assert.deepEqual(names, ['x', 'y']);
    assert.match(told.join('\n'), /^b.yaml:2:\d+: metadata.name: declared already in a.yaml:4$/);
    assert.equal(bad.length, 1);
  });

  it('include files that are too large, not UTF-8, or not readable', async (t) => {
    const { told, complete } = await read(t, {
      'big.yaml': 'x'.repeat(1024 * 1024 + 1),
      'latin1.yaml': Buffer.from('name: \xe4\n', 'latin1'),
      'utf16.yaml': Buffer.from('\ufeffa: 1\n', 'utf16le'),
    });
    assert.deepEqual(told, [
      'big.yaml:1:1: expected a file of at most 1 MiB',
      'latin1.yaml:1:7: expected UTF-8',
      'utf16.yaml:1:1: expected UTF-8',
    ]);
    assert.equal(complete, false);
  });

  it('include links out of the source, which are not followed', async (t) => {
    const outside = tempDir(t);
    const root = tempDir(t);
    await writeFiles(outside, { 'secret.yaml': mirrorYaml('secret') });
    await writeFiles(root, { 'real.yaml': mirrorYaml('real') });
    await symlink(join(outside, 'secret.yaml'), join(root, 'link.yaml'));
    await symlink(outside, join(root, 'linked'));
    await symlink('nowhere', join(root, 'dangling.yaml'));

    const { manifests, problems, complete } = await readManifests(root);

    assert.deepEqual(
      manifests.map(({ file }) => file),
      ['real.yaml'],
    );
    assert.deepEqual(told(problems), [
      'dangling.yaml:1:1: a link that leads nowhere',
      'link.yaml:1:1: a link that leaves the source, which is not followed',
      'linked:1:1: a link to a directory, which is not followed',
    ]);
    assert.equal(complete, false);
    await assert.rejects(readManifests(root, { path: 'linked' }), /leaves the config source/);
  });

  it('do not come from files as Kubernetes mounts a ConfigMap', async (t) => {
    const root = tempDir(t);
    await writeFiles(root, { '..2026/a.yaml': mirrorYaml('a') });
    await symlink('..2026', join(root, '..data'));
    await symlink('..data/a.yaml', join(root, 'a.yaml'));
    const { manifests, problems } = await readManifests(root);
    assert.deepEqual(problems, []);
    assert.equal(manifests.length, 1);
  });

  it('include what is no file at all', async (t) => {
    const root = tempDir(t);
    await mkdir(join(root, 'directory.yaml'));
    await mustRun('mkfifo', [join(root, 'pipe.yaml')]);
    const { problems } = await readManifests(root);
    assert.deepEqual(told(problems), ['pipe.yaml:1:1: not a regular file']);
  });
});

describe('the key file of a Mirror', () => {
  const inlineOf = (reading: { manifests: readonly { manifest: { spec: unknown } }[] }) =>
    (reading.manifests[0]?.manifest.spec as { signedBy: Record<string, string> }).signedBy;

  it('is put into the manifest as armored text, be it armored or binary', async (t) => {
    const { binary, armored } = await publicKey(t);
    const fromText = await read(t, { 'm/a.yaml': signed('../keys/a.asc'), 'keys/a.asc': armored });
    const fromBinary = await read(t, { 'a.yaml': signed('a.gpg'), 'a.gpg': binary });

    assert.deepEqual(fromText.told, []);
    assert.deepEqual(Object.keys(inlineOf(fromText)), ['inline']);
    assert.match(inlineOf(fromText)['inline'] ?? '', /^-----BEGIN PGP PUBLIC KEY BLOCK-----/);
    assert.equal(inlineOf(fromText)['inline'], inlineOf(fromBinary)['inline']);
  });

  it('counts when it changes', async (t) => {
    const [one, other] = [await publicKey(t), await publicKey(t)];
    const before = await read(t, { 'a.yaml': signed('k.asc'), 'k.asc': one.armored });
    const after = await read(t, { 'a.yaml': signed('k.asc'), 'k.asc': other.armored });
    assert.notEqual(before.digest, after.digest);
    assert.notDeepEqual(inlineOf(before), inlineOf(after));
  });

  it('is a problem of that field when it is missing, bad, private or too large', async (t) => {
    const { secret } = await publicKey(t);
    const problem = async (files: Files) => {
      const { told, names, bad } = await read(t, { 'a.yaml': signed('k.asc'), ...files });
      assert.deepEqual(names, []);
      assert.equal(bad[0]?.name, 'm');
      return told.join('\n');
    };
    assert.match(
      await problem({}),
      /^a.yaml:2:\d+: spec.signedBy.file: there is no key file k.asc$/,
    );
    assert.match(await problem({ 'k.asc': 'rubbish' }), /no armored public key block/);
    assert.match(await problem({ 'k.asc': secret }), /private key/);
    assert.match(await problem({ 'k.asc': 'x'.repeat(512 * 1024 + 1) }), /at most 512 KiB/);
  });

  it('may be inline, and is looked at as well there', async (t) => {
    const { armored, secret } = await publicKey(t);
    const toldOf = async (inline: string) =>
      (await read(t, { 'a.yaml': signedBy({ inline }) })).told.join();
    assert.equal(await toldOf(armored), '');
    assert.match(
      await toldOf('rubbish'),
      /^a.yaml:2:\d+: spec.signedBy.inline: no armored public key/,
    );
    assert.match(await toldOf(secret), /spec.signedBy.inline: the keyring holds a private key/);
  });

  it('has to be inside the source, links followed', async (t) => {
    const outside = tempDir(t);
    await writeFile(join(outside, 'k.asc'), 'canary');
    for (const file of ['/etc/passwd', '../k.asc', 'a/../../k.asc']) {
      const { told } = await read(t, { 'a.yaml': signed(file) });
      assert.match(told.join('\n'), /expected a file inside the config source/);
    }
    const root = tempDir(t);
    await writeFiles(root, { 'a.yaml': signed('k.asc') });
    await symlink(join(outside, 'k.asc'), join(root, 'k.asc'));
    const { problems } = await readManifests(root);
    assert.match(told(problems).join('\n'), /k.asc is a link that leaves the config source/);
  });
});
