import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, it } from 'node:test';
import { debFileName, type Deb } from '../../apt/deb.ts';
import {
  buildDeb,
  dpkgFields,
  dpkgFiles,
  handMade,
  plainControl,
  read,
  readFields,
  realDebs,
} from './debs.ts';
import { run, temporaryFolder } from './tools.ts';

const folder = temporaryFolder();

/** Everything that dpkg knows about a package, it knows as well. */
async function agreesWithDpkg(path: string): Promise<Deb> {
  const bytes = readFileSync(path);
  const deb = await read(bytes, { contents: true });

  assert.deepEqual([...readFields(deb)], [...(dpkgFields(path) ?? [])]);
  assert.deepEqual(deb.files, dpkgFiles(path));
  assert.equal(deb.size, statSync(path).size);
  for (const algorithm of ['md5', 'sha1', 'sha256', 'sha512'] as const) {
    assert.equal(deb[algorithm], createHash(algorithm).update(bytes).digest('hex'));
  }
  return deb;
}

describe('a package of Debian', () => {
  for (const path of realDebs()) {
    const name = basename(path);

    it(`${name} is read as dpkg-deb reads it`, async () => {
      const deb = await agreesWithDpkg(path);

      assert.equal(debFileName(deb), decodeURIComponent(name).replace(/_[0-9]+:/, '_'));
      assert.match(run('dpkg-deb', ['-I', path]).toString(), new RegExp(`size ${deb.size} bytes`));
    });

    it(`${name} has the Contents that apt-ftparchive finds`, async () => {
      const { files } = await read(readFileSync(path), { contents: true });

      const lines = run('apt-ftparchive', ['contents', path]).toString().split('\n').slice(0, -1);
      const found = lines.map((line) => line.replace(/\s+\S+$/, ''));
      assert.deepEqual([...(files ?? [])].sort(), found.sort());
    });

    for (const compression of ['none', 'gzip', 'xz', 'zstd']) {
      it(`${name} is read when it is packed anew with ${compression}`, async () => {
        const tree = join(folder, `${name}-${compression}`);
        run('dpkg-deb', ['-R', path, tree]);
        const packed = `${tree}.deb`;
        run('dpkg-deb', [`-Z${compression}`, '-z1', '--uniform-compression', '-b', tree, packed]);

        const [anew, old] = [await agreesWithDpkg(packed), await read(readFileSync(path))];
        assert.deepEqual(anew.control.fields, old.control.fields);
      });
    }
  }
});

describe('a package', () => {
  const files = { 'usr/share/doc/hello-x/☃ read me': 'x', 'etc/hello-x': 'y' };
  const path = buildDeb(folder, { control: plainControl, files });
  const bytes = readFileSync(path);

  it('says who it is', async () => {
    const deb = await read(bytes);

    assert.equal(deb.package, 'hello-x');
    assert.equal(deb.version, '1:1.0+x~1');
    assert.equal(deb.architecture, 'all');
    assert.equal(deb.source, 'hello-x');
    assert.equal(deb.sourceVersion, '1:1.0+x~1');
    assert.equal(deb.type, 'deb');
    assert.equal(deb.files, undefined);
    assert.equal(debFileName(deb), 'hello-x_1.0+x~1_all.deb');
  });

  it('names the source package that it was made from', async () => {
    const of = async (source: string) => {
      const built = buildDeb(folder, { control: `${plainControl}Source: ${source}\n` });
      const deb = await read(readFileSync(built));
      return [deb.source, deb.sourceVersion];
    };
    assert.deepEqual(await of('hello-src'), ['hello-src', '1:1.0+x~1']);
    assert.deepEqual(await of('hello-src (0.9-1)'), ['hello-src', '0.9-1']);
  });

  it('of the installer is a udeb', async () => {
    const built = buildDeb(folder, { control: `${plainControl}Package-Type: udeb\n` });
    const deb = await read(readFileSync(built));
    assert.equal(deb.type, 'udeb');
    assert.equal(debFileName(deb), 'hello-x_1.0+x~1_all.udeb');
  });

  it('is the same in whatever pieces it comes', async () => {
    const whole = await read(bytes, { contents: true });
    for (const chunk of [1, 7, 60, 61, 511, 512, 4096]) {
      assert.deepEqual(await read(bytes, { contents: true }, chunk), whole);
    }
  });

  it('may have members for other readers, a longer debian-binary, and anything behind data.tar', async () => {
    const odd = handMade({
      format: ['debian-binary', '2.1\nfor later\n'],
      before: [['_one', 'x']],
      between: [['_gpgorigin/', 'yyy']],
      after: [
        ['control.tar', 'z'],
        ['nothing', ''],
      ],
    });
    const path = join(folder, 'odd.deb');
    writeFileSync(path, Buffer.concat([odd, Buffer.from('what is no member')]));
    await agreesWithDpkg(path);
  });
});
