import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { makeUpload } from '../../apt/source-upload.ts';
import { agreeOnPackages, agreeOnSources } from '../../apt/index-oracles.ts';
import { run } from '../../apt/tools.ts';
import { receiptFor } from '../../../reconcilers/repository/receipts.ts';
import {
  deb,
  filesIn,
  receiptSecret,
  repositoryWorld,
  versionsOf,
  type Files,
} from './repository-world.ts';

const amd64 = 'dists/stable/main/binary-amd64/Packages';
const arm64 = 'dists/stable/main/binary-arm64/Packages';
const sources = 'dists/stable/main/source/Sources';

/** The file that ends so, with its content. */
function partOf(files: Files, ending: string): readonly [string, Uint8Array] {
  const found = Object.entries(files).find(([name]) => name.endsWith(ending));
  assert.ok(found, ending);
  return found;
}

describe('what is published', () => {
  it('is what apt-ftparchive and dpkg-scanpackages find in the pool', async (t) => {
    const world = await repositoryWorld(t, { architectures: ['amd64', 'arm64'] });
    const results = await world.run([
      world.wish(deb({ name: 'hello', version: '1:1.0+x~1', depends: 'libc6' })),
      world.wish(deb({ name: 'hello', version: '1:1.0+x~1', architecture: 'arm64' })),
      world.wish(
        deb({ name: 'libhello-doc', version: '2.0', architecture: 'all', source: 'hello' }),
      ),
      world.wish(filesIn(makeUpload()), { suite: 'stable' }),
    ]);
    assert.deepEqual(
      results.map(({ result }) => result),
      Array(4).fill('Published'),
    );
    const root = await world.layOut();

    agreeOnPackages(root, 'amd64', await world.index(amd64));
    agreeOnPackages(root, 'arm64', await world.index(arm64));
    agreeOnSources(root, await world.index(sources));
  });

  it('has a Release whose hashes are right, for every index and by-hash', async (t) => {
    const world = await repositoryWorld(t, {
      origin: 'Example',
      suites: [{ name: 'stable', codename: 'trixie', label: 'Mine' }],
    });
    await world.publish(deb({ name: 'hello', version: '1.0' }));
    const root = await world.layOut();
    const directory = join(root, 'dists/stable');
    const release = readFileSync(join(directory, 'Release'), 'utf8');

    for (const line of ['Origin: Example', 'Label: Mine', 'Suite: stable', 'Codename: trixie']) {
      assert.match(release, new RegExp(`^${line}$`, 'm'));
    }
    const tools = { MD5Sum: 'md5sum', SHA1: 'sha1sum', SHA256: 'sha256sum', SHA512: 'sha512sum' };
    for (const [type, tool] of Object.entries(tools)) {
      const [, list = ''] = new RegExp(`^${type}:\n((?: .+\n)+)`, 'm').exec(release) ?? [];
      const rows = [...list.matchAll(/^ (\S+) +(\d+) (\S+)$/gm)];
      const compressed = rows.filter(([, , , path = '']) => path.endsWith('.gz'));
      assert.equal(compressed.length, 2);
      for (const [, hash = '', size, path = ''] of compressed) {
        const bytes = readFileSync(join(directory, path));
        assert.equal(bytes.length, Number(size));
        assert.ok(run(tool, [], { input: bytes }).toString().startsWith(hash));
        const plain = run('gunzip', [], { input: bytes });
        const row = rows.find(([, , , name]) => name === path.replace('.gz', ''));
        assert.ok(
          run(tool, [], { input: plain })
            .toString()
            .startsWith(row?.[1] ?? '-'),
        );
        const byHash = join(directory, path, '..', 'by-hash', type, hash);
        assert.deepEqual(readFileSync(byHash), bytes);
      }
    }
  });

  it('stays as it is, down to the Release, when nothing comes that is new', async (t) => {
    const world = await repositoryWorld(t);
    const files = deb({ name: 'hello', version: '1.0' });
    await world.publish(files);
    const before = world.state;

    const again = await world.publish(files);
    const other = await world.publish(deb({ name: 'hello', version: '1.0', content: 'other' }));

    assert.equal(again.result, 'Published');
    assert.equal(other.reason, 'PackageConflict');
    assert.equal(world.state, before);
  });

  it('has other bytes of a version in no suite and no component', async (t) => {
    const world = await repositoryWorld(t, { suites: [{ name: 'a' }, { name: 'b' }] });
    await world.publish(deb({ name: 'hello', version: '1.0' }));
    const other = deb({ name: 'hello', version: '1.0', content: 'other' });

    assert.equal((await world.publish(other, { suite: 'b' })).reason, 'PackageConflict');
    assert.equal(
      (await world.publish(deb({ name: 'hello', version: '1.0' }), { suite: 'b' })).result,
      'Published',
    );
    const both = {
      ...deb({ name: 'xx', version: '1' }),
      'y.deb': Object.values(deb({ name: 'xx', version: '1', content: 'y' }))[0] ?? Buffer.of(),
    };
    assert.equal((await world.publish(both)).reason, 'PackageConflict');
  });

  it('is an upload as a whole or none of it; one that is refused holds up no other', async (t) => {
    const world = await repositoryWorld(t);
    const bad = {
      ...deb({ name: 'one', version: '1' }),
      'two_1_amd64.deb': Buffer.from('!<arch>\n'),
    };
    const missing = world.wish(deb({ name: 'gone', version: '1' }));
    for (const { sha256 } of missing.spec.files) await world.blobs.remove(sha256);

    const results = await world.run([
      world.wish(bad),
      missing,
      world.wish(deb({ name: 'three', version: '1' })),
    ]);

    assert.deepEqual(
      results.map(({ reason }) => reason),
      ['PackageInvalid', 'BlobMissing', undefined],
    );
    assert.deepEqual(versionsOf(await world.index(amd64)), ['three 1']);
    assert.deepEqual(
      (await world.paths()).filter((path) => path.startsWith('pool/')),
      ['pool/main/t/three/three_1_amd64.deb'],
    );
  });

  it('keeps as many versions as it is told to, and their files', async (t) => {
    const world = await repositoryWorld(t, { retention: { keepVersions: 2 } });
    for (const version of ['1.0', '10.0', '2.0', '9.0~rc1'])
      await world.publish(deb({ name: 'hello', version }));
    const pool = async () => (await world.paths()).filter((path) => path.startsWith('pool/'));

    assert.deepEqual(versionsOf(await world.index(amd64)), ['hello 9.0~rc1', 'hello 10.0']);
    assert.equal((await pool()).length, 2);
    await world.publish(deb({ name: 'hello', version: '0.1' }));
    assert.deepEqual(versionsOf(await world.index(amd64)), [
      'hello 0.1',
      'hello 9.0~rc1',
      'hello 10.0',
    ]);
    await world.respec({ retention: { keepVersions: 1 } });
    assert.deepEqual(versionsOf(await world.index(amd64)), ['hello 10.0']);
    assert.deepEqual(await pool(), ['pool/main/h/hello/hello_10.0_amd64.deb']);
  });

  it('follows the spec: architectures come with what is for all, and go with what they had', async (t) => {
    const world = await repositoryWorld(t);
    await world.publish({
      ...deb({ name: 'doc', version: '1', architecture: 'all' }),
      ...deb({ name: 'app', version: '1' }),
    });

    await world.respec({ architectures: ['amd64', 'arm64'] });
    assert.deepEqual(versionsOf(await world.index(arm64)), ['doc 1']);
    await world.respec({ architectures: ['arm64'] });
    assert.deepEqual(
      (await world.paths()).filter((path) => path.startsWith('pool/')),
      ['pool/main/d/doc/doc_1_all.deb'],
    );
    await world.respec({ suites: [{ name: 'other' }] });
    assert.equal(world.state?.packages, 0);
  });

  it('takes a source package whose tarball it has already, and keeps that for it', async (t) => {
    const world = await repositoryWorld(t, { retention: { keepVersions: 1 } });
    const all = filesIn(makeUpload());
    const first = await world.publish(all, { suite: 'stable' });
    const [orig] = partOf(all, '.orig.tar.gz');
    const [dsc, text] = partOf(all, '.dsc');
    const [debian, changes] = partOf(all, '.debian.tar.xz');
    const next = {
      [dsc]: Buffer.from(Buffer.from(text).toString().replaceAll('x~1-2', 'x~1-3')),
      [debian.replace('-2', '-3')]: changes,
    };

    assert.equal(first.result, 'Published', `${first.message}`);
    const second = await world.publish(next);

    assert.equal(second.result, 'Published', `${second.message}`);
    assert.equal((await world.index(sources)).match(/^Package:/gm)?.length, 1);
    const pool = (await world.paths()).filter(
      (path) => path.startsWith('pool/main/h/hello-src/') && !path.endsWith('.deb'),
    );
    assert.equal(pool.length, 3);
    assert.ok(pool.some((path) => path.endsWith(orig)));
  });

  it('is nothing that its author only knows the digest of', async (t) => {
    const world = await repositoryWorld(t);
    const { uid, spec } = world.wish(deb({ name: 'private', version: '1' }));
    const [file] = spec.files;
    assert.ok(file);
    const { receipt: _, ...bare } = file;
    const of = { namespace: 'default', repository: 'tools', sha256: file.sha256 };
    const forged = (more: object, secret = receiptSecret) => receiptFor({ ...of, ...more }, secret);
    const cases: readonly (readonly [object, RegExp])[] = [
      [bare, /private_1_amd64\.deb has no receipt: PUT .*\?repository=tools/],
      [{ ...bare, receipt: forged({ repository: 'other' }) }, /none for this file and Repository/],
      [{ ...bare, receipt: forged({ namespace: 'other' }) }, /none for this file/],
      [{ ...bare, receipt: forged({ sha256: '0'.repeat(64) }) }, /none for this file/],
      [{ ...bare, receipt: forged({}, 'another secret') }, /none for this file/],
    ];
    for (const [given, message] of cases) {
      const [result] = await world.run([{ uid, spec: { ...spec, files: [given as typeof file] } }]);
      assert.equal(result?.reason, 'ReceiptInvalid');
      assert.match(result.message ?? '', message);
      assert.doesNotMatch(result.message ?? '', new RegExp(forged({})));
    }
    assert.equal((await world.run([{ uid, spec }]))[0]?.result, 'Published');
  });

  it('refuses uploads that are not what their .changes says', async (t) => {
    const world = await repositoryWorld(t);
    const all = filesIn(makeUpload());
    const [name, content] = partOf(all, '.deb');
    const { [name]: _, ...without } = all;
    const other = Buffer.concat([content, Buffer.from('x')]);
    const cases: readonly (readonly [Files, object, RegExp])[] = [
      [without, { suite: 'stable' }, /which x\.changes lists, is missing/],
      [{ ...all, [name]: other }, { suite: 'stable' }, /is not the one that x\.changes lists/],
      [
        { ...all, ...deb({ name: 'more', version: '1' }) },
        { suite: 'stable' },
        /does not list more/,
      ],
      [all, {}, /the \.changes is for unstable, and the suites here are stable/],
      [{ 'x.dsc': partOf(all, '.dsc')[1] }, {}, /is missing/],
      [{ 'x.txt': Buffer.from('x') }, {}, /x\.txt is neither/],
      [
        deb({ name: 'hello', version: '1', fields: { 'Package-Type': 'udeb' } }),
        {},
        /packages of the installer/,
      ],
    ];
    for (const [files, more, message] of cases) {
      const refused = await world.publish(files, more);
      assert.equal(refused.result, 'Refused');
      assert.match(refused.message ?? '', message);
    }
    assert.equal(world.state?.packages, 0);
  });
});
