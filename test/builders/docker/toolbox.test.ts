/** What a toolbox is made of, and what is not taken into one. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { parseRelations, type Installable } from '../../../apt/installable.ts';
import { closureOf, PackageSet } from '../../../builders/docker/closure.ts';
import type { DeclaredArchive } from '../../../builders/docker/archives.ts';
import { fetchFile } from '../../../builders/docker/fetch-file.ts';
import { readIndexes } from '../../../builders/docker/indexes.ts';
import { pinArchives } from '../../../builders/docker/pins.ts';
import { rootTar } from '../../../builders/docker/root-tar.ts';
import { readTar } from '../../../builders/docker/tar.ts';
import { handMade } from '../../apt/debs.ts';
import { paxOf, rawTar, type RawEntry } from '../../apt/raw-tar.ts';
import { Archive } from '../../world/archive.ts';
import { exportPublic, testKey } from '../../world/keys.ts';
import { tempDir, type Scope } from '../../world/temp.ts';
import { startUpstream } from '../../world/upstream.ts';

function one(name: string, depends = '', more: Partial<Installable> = {}): Installable {
  const file = { path: `pool/${name}.deb`, size: 1, sha256: '0'.repeat(64) };
  const facts = { package: name, version: '1', isEssential: false, priority: 'optional' };
  return { ...facts, depends, provides: '', ...file, ...more };
}

function setOf(...packages: readonly Installable[]): PackageSet<Installable> {
  const set = new PackageSet<Installable>();
  for (const each of packages) set.add(each);
  return set;
}

const namesOf = (packages: readonly Installable[]) => packages.map((each) => each.package);

describe('relations', () => {
  it('are names with their alternatives', () => {
    const text =
      'perl:any (>= 5.30), debconf (>= 0.5) | debconf-2.0 , awk,libc6 (>> 2~x) [amd64], ';
    const expected = [['perl'], ['debconf', 'debconf-2.0'], ['awk'], ['libc6']];
    assert.deepEqual(parseRelations(text), expected);
    assert.deepEqual(parseRelations(''), []);
  });
});

describe('a closure', () => {
  it('has what is essential, and what all of it depends on, once', () => {
    const packages = setOf(
      one('tool', 'lib, ring'),
      one('lib', 'libc6'),
      one('libc6'),
      one('ring', 'tool'),
      one('dash', 'libc6', { isEssential: true }),
      one('other'),
    );
    assert.deepEqual(namesOf(closureOf(packages, ['tool'])), [
      ...['dash', 'lib', 'libc6', 'ring', 'tool'],
    ]);
  });

  it('takes the newest version, whichever archive came first', () => {
    const packages = setOf(
      one('tool', 'old', { version: '1:1' }),
      one('tool', 'new', { version: '1:2' }),
      one('tool', 'old', { version: '9' }),
      ...[one('old'), one('new')],
    );
    assert.deepEqual(namesOf(closureOf(packages, ['tool'])), ['new', 'tool']);
  });

  it('prefers a package to what provides it, and what is there to the most important', () => {
    const awks = [
      one('gawk', '', { provides: 'awk' }),
      one('mawk', '', { provides: 'awk (= 1), x', priority: 'required' }),
    ];
    const names = (...more: readonly Installable[]) =>
      namesOf(closureOf(setOf(one('tool', 'awk'), ...awks, ...more), ['tool']));

    assert.deepEqual(names(), ['mawk', 'tool']);
    assert.deepEqual(names(one('awk')), ['awk', 'tool']);
    assert.deepEqual(names(one('base', 'gawk', { isEssential: true })), ['base', 'gawk', 'tool']);
  });

  it('says what is missing, and who needs it', () => {
    assert.throws(() => closureOf(setOf(), ['tool']), {
      name: 'PackageMissing',
      message: 'the archives have no package tool',
    });
    const packages = setOf(one('tool', 'gone (>= 1) | lost'));
    assert.throws(() => closureOf(packages, ['tool']), {
      message: 'the archives have no package gone | lost, for tool',
    });
  });
});

describe('a root file system', () => {
  async function* packed(...entries: readonly (readonly RawEntry[])[]) {
    for (const [index, list] of entries.entries()) {
      const dataArchive = ['data.tar.gz', gzipSync(rawTar(list))] as const;
      yield { name: `package-${index}`, content: handMade({ dataArchive }) };
    }
  }

  async function filesOf(...entries: readonly (readonly RawEntry[])[]): Promise<string[]> {
    const found: string[] = [];
    for await (const { header, content } of readTar(rootTar(packed(...entries)))) {
      const text = (await buffer(Readable.from(content))).toString();
      const mode = header.mode.toString(8);
      found.push(`${header.type} ${mode} ${header.name} ${header.linkname ?? ''}${text}`.trim());
    }
    return found.filter((line) => !/^file 644 (etc\/(passwd|group)|var\/lib\/dpkg\/)/.test(line));
  }

  const links = ['bin', 'lib', 'lib32', 'lib64', 'libo32', 'libx32', 'sbin'].map(
    (name) => `symlink 777 ${name} usr/${name}`,
  );

  it('has the files of its packages below /usr, each folder once, and a shell', async () => {
    const long = `usr/${'d'.repeat(80)}/${'e'.repeat(90)}`;
    const files = await filesOf(
      [
        { name: './', type: '5' },
        { name: './bin/', type: '5' },
        { name: './bin/dash', content: '#!' },
        { name: './usr/', type: '5' },
        { name: './usr/bin/', type: '5' },
        { name: './usr/share/doc/dash/x', content: 'unneeded' },
      ],
      [
        { name: './usr/', type: '5' },
        { name: 'x', type: 'x', content: paxOf({ linkpath: './bin/dash' }) },
        { name: './usr/bin/hard', type: '1' },
        { name: 'x', type: 'K', content: `/lib/${'l'.repeat(120)}\0` },
        { name: 'x', type: 'L', content: `./${long}\0` },
        { name: './x', type: '2' },
        { name: './bin', type: '2' },
      ],
    );
    assert.deepEqual(files, [
      ...links,
      'file 644 usr/bin/dash #!',
      'directory 644 usr',
      'directory 644 usr/bin',
      'link 644 usr/bin/hard usr/bin/dash',
      `symlink 644 ${long} /lib/${'l'.repeat(120)}`,
      'symlink 777 usr/bin/sh /usr/bin/dash',
    ]);
  });

  for (const [what, entry, message] of [
    ['climbs', { name: './usr/../../x' }, /^package package-0: data\.tar\.gz: path/],
    ['is a device', { name: './dev/x', type: '4' }, /a device, which is not unpacked here/],
    ['has holes', { name: './x', type: 'S' }, /a sparse, which is not unpacked here/],
    ['has a line end in its name', { name: './a\nb' }, /data\.tar\.gz: path/],
  ] as const) {
    it(`takes no file that ${what}`, async () => {
      await assert.rejects(filesOf([entry]), { name: 'BaseProblem', message });
    });
  }

  it('takes no link to a file outside, no endless link, no file of any size', async () => {
    const outside = paxOf({ linkpath: '../../etc/shadow' });
    const link = { name: './x', type: '1' };
    await assert.rejects(
      filesOf([{ name: 'x', type: 'x', content: outside }, link]),
      /is a link to/,
    );
    const endless = { name: 'x', type: 'K', content: 'l'.repeat(5000) };
    await assert.rejects(filesOf([endless, link]), /a link leads to a path longer than 4096 bytes/);
    const large = `${(2 ** 27 + 1).toString(8).padStart(11, '0')}\0`;
    await assert.rejects(filesOf([{ name: './x', size: large }]), /has more than 134217728 bytes/);
  });

  it('is not made of what is no package', async () => {
    async function* broken() {
      yield { name: 'odd', content: Buffer.from('no package') };
    }
    await assert.rejects(buffer(rootTar(broken())), /^BaseProblem: package odd: /);
  });
});

describe('a redirect', () => {
  it('is followed where it was allowed, without the credentials', async (t) => {
    const root = tempDir(t);
    writeFileSync(join(root, 'file'), 'content');
    const [server, bucket] = [await startUpstream(root), await startUpstream(root)];
    t.after(async () => void (await Promise.all([server.close(), bucket.close()])));
    server.fault('/file', { redirectTo: `${bucket.url}/file?signed` });
    const headers = { authorization: 'Bearer secret' };
    const archive = { uri: server.url, suites: ['x'], components: ['y'], key: '', headers };
    const options = { mostBytes: 100, withinMs: 10_000 };
    const get = (mayRedirect: boolean) =>
      fetchFile(`${server.url}/file`, { ...archive, mayRedirect }, options);

    await assert.rejects(get(false), /redirects to 127\.0\.0\.1:\d+, which was not declared/);
    assert.equal((await get(true))?.toString(), 'content');
    assert.equal(server.requests[0]?.headers.authorization, 'Bearer secret');
    assert.deepEqual(
      bucket.requests.map((request) => request.headers.authorization),
      [undefined],
    );
  });
});

describe('indexes', () => {
  const context = { architecture: 'amd64' };

  async function startArchive(t: Scope, options: object = {}) {
    const root = tempDir(t);
    const key = await testKey('archive');
    const archive = new Archive(root, { suite: 'stable', signWith: key, ...options });
    archive.add({ name: 'tool', version: '1.0', depends: 'lib (>= 1)' });
    archive.add({ name: 'lib', version: '1.0', architecture: 'all' });
    await archive.publish();
    const upstream = await startUpstream(root);
    t.after(() => upstream.close());
    const declared: DeclaredArchive = {
      ...{ uri: upstream.url, suites: ['stable'], components: ['main'] },
      key: await exportPublic(key),
    };
    return { archive, upstream, declared };
  }

  for (const [what, options] of [
    ['by hash', {}],
    ['by name', { byHash: false, compressions: ['.xz'] }],
    ['with an index of their own for all architectures', { allIndex: true }],
    ['signed apart', { inRelease: false }],
  ] as const) {
    it(`are read ${what}`, async (t) => {
      const { declared } = await startArchive(t, options);
      const pins = await pinArchives([declared], context);
      const packages = await readIndexes([declared], { ...context, pins });
      assert.deepEqual(namesOf(closureOf(packages, ['tool'])), ['lib', 'tool']);
    });
  }

  it('come with a Release that is signed at all', async (t) => {
    const { declared } = await startArchive(t, { signWith: [] });
    await assert.rejects(pinArchives([declared], context), {
      name: 'ArchiveUnreachable',
      message: / stable is not signed$/,
    });
  });

  it('have to be signed by the declared key, and be what was signed', async (t) => {
    const { declared, upstream } = await startArchive(t);
    const other = { ...declared, key: await exportPublic(await testKey('other')) };
    const pins = await pinArchives([declared], context);
    await assert.rejects(pinArchives([other], context), {
      name: 'ArchiveUnreachable',
      message: /^http:\S+ stable: .*signature/,
    });
    upstream.fault(/Packages|by-hash/, { corrupt: true });
    await assert.rejects(readIndexes([declared], { ...context, pins }), {
      name: 'ArchiveUnreachable',
      message: /is not the file that the archive has signed/,
    });
  });

  it('are the same content wherever they are, and whenever they were signed', async (t) => {
    const { archive, declared } = await startArchive(t);
    const contentOf = async (one: DeclaredArchive) => {
      const pins = await pinArchives([one], context);
      return [pins.contentOf([one]), pins.states[0]?.digest] as const;
    };
    const [content, digest] = await contentOf(declared);
    const elsewhere = await startUpstream(archive.root);
    t.after(() => elsewhere.close());

    assert.deepEqual(await contentOf({ ...declared, uri: elsewhere.url }), [content, digest]);
    await archive.publish();
    const [same, newer] = await contentOf(declared);
    assert.deepEqual(same, content);
    assert.notEqual(newer, digest);
    archive.add({ name: 'tool', version: '2.0' });
    await archive.publish();
    assert.notDeepEqual((await contentOf(declared))[0], content);
  });
});
