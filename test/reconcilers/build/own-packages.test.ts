import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { openBlobs } from '../../../depot/file-blobs.ts';
import { foreignPackage } from '../../../reconcilers/build/own-packages.ts';
import { makeUpload } from '../../apt/source-upload.ts';
import { controlFields, makeDeb, type PackageSpec } from '../../world/deb.ts';
import { tempDir } from '../../world/temp.ts';

const hello = { sourceName: 'hello', version: '1:1.0+1-2' };

async function told(t: TestContext, files: Readonly<Record<string, Uint8Array>>, built = hello) {
  const blobs = await openBlobs(tempDir(t));
  const artifacts = Object.entries(files).map(([name, content]) => ({
    name,
    ...blobs.put(content),
  }));
  return foreignPackage(artifacts, built, blobs);
}

function deb(spec: PackageSpec): Uint8Array {
  return makeDeb(spec, controlFields(spec));
}

describe('the packages of a build', () => {
  it('are those of its source package, which may give them versions of their own', async (t) => {
    const files = {
      'a.deb': deb({ name: 'hello', version: '1:1.0+1-2' }),
      'b.deb': deb({ name: 'hello-doc', version: '1:1.0+1-2', source: 'hello' }),
      'c.deb': deb({ name: 'libhello', version: '9', source: 'hello (1:1.0+1-2)' }),
      'log.txt': Buffer.from('x'),
    };
    assert.equal(await told(t, files), undefined);
  });

  for (const [what, spec, said] of [
    ['another version', { name: 'hello', version: '99' }, 'hello 99'],
    [
      'another version of the source',
      { name: 'hello-x', version: '1', source: 'hello' },
      'hello 1',
    ],
    [
      'another source',
      { name: 'hello', version: '1', source: 'evil (1:1.0+1-2)' },
      'evil 1:1.0+1-2',
    ],
    ['no source but itself', { name: 'evil', version: '1:1.0+1-2' }, 'evil 1:1.0+1-2'],
  ] as const) {
    it(`are not of ${what}`, async (t) => {
      assert.equal(
        await told(t, { 'x.deb': deb(spec) }),
        `x.deb says that it is of ${said}, and this is hello 1:1.0+1-2`,
      );
    });
  }

  it('have the source package beside them that was built', async (t) => {
    const upload = makeUpload();
    const name = readdirSync(upload).find((one) => one.endsWith('.dsc')) ?? '';
    const files = { [name]: readFileSync(join(upload, name)) };
    const own = { sourceName: 'hello-src', version: '1:1.0+x~1-2' };

    assert.equal(await told(t, files, own), undefined);
    assert.match((await told(t, files)) ?? '', /of hello-src 1:1\.0\+x~1-2, and this is hello/);
  });

  it('are left to the repository when they can not be read', async (t) => {
    const files = { 'a.deb': Buffer.from('none'), 'b.dsc': Buffer.from('none') };
    assert.equal(await told(t, files), undefined);
  });
});
