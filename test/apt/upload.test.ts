import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { readKeyring } from '../../apt/openpgp.ts';
import {
  dscFileName,
  formatSource,
  readBuildinfo,
  readChanges,
  readDsc,
  type UploadFile,
} from '../../apt/upload.ts';
import { paragraphs } from './debs.ts';
import { Gnupg } from './gnupg.ts';
import { makeUpload } from './source-upload.ts';
import { run } from './tools.ts';

const folder = makeUpload();
const own = (name: string) => readFileSync(join(folder, name));
const dscName = 'hello-src_1.0+x~1-2.dsc';

function areThoseOnDisk(files: readonly UploadFile[], hashes: readonly string[]): void {
  for (const { name, size, ...file } of files) {
    assert.equal(size, statSync(join(folder, name)).size);
    const known = new Map(Object.entries(file));
    for (const hash of hashes) {
      assert.equal(known.get(hash), createHash(hash).update(own(name)).digest('hex'));
    }
  }
}

function sorted(text: Buffer | string, without: readonly string[] = []): string[][] {
  const [first] = paragraphs(text.toString());
  assert.ok(first);
  return [...first].filter(([name]) => !without.includes(name)).sort();
}

describe('a .dsc', () => {
  it('says who it is and what belongs to it', async () => {
    const dsc = await readDsc(own(dscName));

    assert.equal(dsc.source, 'hello-src');
    assert.equal(dsc.version, '1:1.0+x~1-2');
    assert.equal(dscFileName(dsc), dscName);
    assert.deepEqual(dsc.signedBy, []);
    assert.deepEqual(
      dsc.files.map(({ name }) => name),
      ['hello-src_1.0+x~1.orig.tar.gz', 'hello-src_1.0+x~1-2.debian.tar.xz'],
    );
    areThoseOnDisk(dsc.files, ['md5', 'sha1', 'sha256']);
    areThoseOnDisk([{ ...dsc.digests, name: dscName }], ['md5', 'sha1', 'sha256', 'sha512']);
  });

  it('gets the paragraph that apt-ftparchive and dpkg-scansources give it', async () => {
    const pool = join(folder, 'pool');
    mkdirSync(pool);
    for (const name of readdirSync(folder)) {
      if (/\.(dsc|[gx]z)$/.test(name)) writeFileSync(join(pool, name), own(name));
    }
    const dsc = await readDsc(own(dscName));

    const stanza = formatSource(dsc, { directory: 'pool' });

    const added = ['priority', 'section'];
    const apt = run('apt-ftparchive', ['sources', 'pool'], { cwd: folder });
    assert.deepEqual(sorted(stanza, added), sorted(apt, [...added, 'checksums-sha512']));
    const dpkg = run('dpkg-scansources', ['pool'], { cwd: folder });
    assert.deepEqual(sorted(stanza, added), sorted(dpkg));
    assert.match(stanza, /^Package: hello-src\n/);
    assert.match(stanza, /^Priority: optional\nSection: misc\n/m);
  });

  it('gets the section and priority that it is given', async () => {
    const dsc = await readDsc(own(dscName));
    const stanza = formatSource(dsc, { directory: 'pool/main', section: 'net', priority: 'extra' });
    assert.match(stanza, /^Directory: pool\/main\nPriority: extra\nSection: net\nFiles:\n/m);
    assert.throws(() => formatSource(dsc, { directory: '../pool' }), { reason: 'PathUnsafe' });
  });
});

describe('a .changes', () => {
  it('says what is uploaded, from which source, and where to', async () => {
    const changes = await readChanges(own('x.changes'));

    assert.equal(changes.source, 'hello-src');
    assert.equal(changes.version, '1:1.0+x~1-2');
    assert.equal(changes.sourceVersion, '1:1.0+x~1-2');
    assert.deepEqual(changes.architectures, ['source', 'all']);
    assert.deepEqual(changes.distributions, ['unstable']);
    const deb = changes.files.find(({ name }) => name === 'hello-x_1.0+x~1-2_all.deb');
    assert.equal(deb?.section, 'misc');
    assert.equal(deb?.priority, 'optional');
    assert.equal(changes.files.length, 5);
    areThoseOnDisk(changes.files.filter(({ name }) => name !== 'x.buildinfo').map(plain), [
      'md5',
      'sha1',
      'sha256',
    ]);
  });
});

function plain({ section: _, priority: __, ...file }: UploadFile): UploadFile {
  return file;
}

describe('a .buildinfo', () => {
  it('says what was built', async () => {
    const info = await readBuildinfo(own('x.buildinfo'));

    assert.equal(info.source, 'hello-src');
    assert.deepEqual(info.architectures, ['all', 'source']);
    assert.ok(info.control.get('Installed-Build-Depends'));
    areThoseOnDisk(info.files, ['md5', 'sha1', 'sha256']);
  });
});

describe('a signature', () => {
  const gnupg = new Gnupg();
  const alice = gnupg.makeKey('Alice');
  const eve = gnupg.makeKey('Eve');
  const signed = Buffer.from(gnupg.clearsign(alice, own(dscName)));
  const now = new Date();

  it('is taken off, and is a part of the file all the same', async () => {
    const [plain, taken] = [await readDsc(own(dscName)), await readDsc(signed)];

    assert.deepEqual(taken.control.fields, plain.control.fields);
    assert.deepEqual(taken.signedBy, []);
    assert.equal(taken.digests.size, signed.length);
    const stanza = formatSource(taken, { directory: 'p' });
    assert.ok(stanza.includes(` ${signed.length} ${dscName}\n`));
  });

  it('by a key of the keyring is good', async () => {
    const verify = { keyring: await readKeyring(gnupg.export(alice)), now };
    assert.deepEqual((await readDsc(signed, { verify })).signedBy, [alice]);
    const changes = Buffer.from(gnupg.clearsign(alice, own('x.changes')));
    assert.deepEqual((await readChanges(changes, { verify })).signedBy, [alice]);
    const info = Buffer.from(gnupg.clearsign(alice, own('x.buildinfo')));
    assert.deepEqual((await readBuildinfo(info, { verify })).signedBy, [alice]);
  });

  it('by another key, over other text, or none is not', async () => {
    const all = await readKeyring(gnupg.export(alice, eve));
    const onlyEve = await readKeyring(gnupg.export(eve));
    const changed = Buffer.from(
      signed.toString().replace('Standards-Version: 4.7.0', 'Standards-Version: 4.7.1'),
    );
    const tries = [
      readDsc(signed, { verify: { keyring: onlyEve, now } }),
      readDsc(signed, { verify: { keyring: all, fingerprints: [eve], now } }),
      readDsc(changed, { verify: { keyring: all, now } }),
      readDsc(own(dscName), { verify: { keyring: all, now } }),
    ];
    for (const one of tries) {
      await assert.rejects(one, { reason: 'SignatureInvalid', message: /^the \.dsc: / });
    }
  });

  it('covers all that is read: there is nothing before, between or behind', async () => {
    const text = signed.toString();
    for (const [odd, problem] of [
      [`Extra: x\n${text}`, /^x\.dsc line 5: only one paragraph is allowed$/],
      [`${text}Extra: x\n`, /^x\.dsc: line \d+: belongs to no signature$/],
      [
        text.replace('-----BEGIN PGP SIGNATURE', '\nExtra: x\n$&'),
        /only one paragraph is allowed$/,
      ],
      [text.replace(/-----END PGP SIGNATURE-----\n$/, ''), /ends within a signature$/],
    ] as const) {
      await assert.rejects(readDsc(Buffer.from(odd), { name: 'x.dsc' }), {
        reason: 'PackageInvalid',
        message: problem,
      });
    }
  });
});
