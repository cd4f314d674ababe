import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, it } from 'node:test';
import { formatPackage, type Deb } from '../../apt/deb.ts';
import { buildDeb, handMade, paragraphs, plainControl, read, realDebs } from './debs.ts';
import { run, temporaryFolder } from './tools.ts';

const folder = temporaryFolder();

/** The paragraph that a program makes for a package in a pool of its own. */
function indexed(path: string, program: string, ...args: string[]): Map<string, string> {
  const archive = mkdtempSync(join(folder, 'archive-'));
  mkdirSync(join(archive, 'pool'));
  copyFileSync(path, join(archive, 'pool', basename(path)));
  const [first] = paragraphs(run(program, [...args, 'pool'], { cwd: archive }).toString());
  assert.ok(first);
  return first;
}

const shortDescriptions = ['-o', 'APT::FTPArchive::LongDescription=false', 'packages'];

function stanzaOf(deb: Deb, path: string): Map<string, string> {
  const [first, ...more] = paragraphs(formatPackage(deb, `pool/${basename(path)}`));
  assert.ok(first);
  assert.deepEqual(more, []);
  return first;
}

function sorted(fields: ReadonlyMap<string, string>, without: readonly string[] = []): string[][] {
  return [...fields].filter(([name]) => !without.includes(name)).sort();
}

describe('the paragraph of a package', () => {
  for (const path of realDebs()) {
    const name = basename(path);

    it(`is what apt-ftparchive and dpkg-scanpackages make of ${name}`, async () => {
      const deb = await read(readFileSync(path));
      const stanza = stanzaOf(deb, path);

      const apt = indexed(path, 'apt-ftparchive', 'packages');
      assert.deepEqual(sorted(stanza, ['description-md5']), sorted(apt));
      const dpkg = indexed(path, 'dpkg-scanpackages', '-m');
      assert.deepEqual(sorted(stanza, ['description-md5', 'sha512']), sorted(dpkg));
      const short = indexed(path, 'apt-ftparchive', ...shortDescriptions);
      assert.equal(stanza.get('description-md5'), short.get('description-md5'));
    });
  }

  const path = buildDeb(folder, { control: plainControl });
  const bytes = readFileSync(path);

  it('keeps its fields as they are: order, case, folding, blanks within', async () => {
    const deb = await read(bytes);
    assert.equal(formatPackage(deb, 'pool/h.deb').split('Filename: ')[0], plainControl);
  });

  it('gets an md5 of its description that apt-ftparchive gets too, odd blanks and all', async () => {
    const deb = await read(bytes);
    const apt = indexed(path, 'apt-ftparchive', ...shortDescriptions);
    assert.equal(stanzaOf(deb, path).get('description-md5'), apt.get('description-md5'));
  });

  it('has no say about fields that the index fills', async () => {
    const control =
      'Filename: ../../etc/passwd\nSize: 1\nsha256: 00\nDescription-md5: 00\nMD5Sum: 00\nSHA1: 00\n' +
      'SHA512: 00\nStatus: install ok installed\n';
    const deb = await read(handMade({ control: `${plainControl}${control}` }));

    const stanza = formatPackage(deb, './pool/h.deb');

    assert.match(stanza, /^Filename: pool\/h.deb$/m);
    assert.equal(
      stanza.match(/^(Filename|Size|SHA256|MD5sum|SHA1|SHA512|Description-md5):/gim)?.length,
      7,
    );
    assert.doesNotMatch(stanza, /Status|: 00$/m);
    assert.throws(() => formatPackage(deb, '../x.deb'), { reason: 'PathUnsafe' });
  });
});
