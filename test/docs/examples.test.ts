import assert from 'node:assert/strict';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { validatePath } from '../../controller/sources/paths.ts';
import { repositoryFiles, root } from '../repository.ts';
import { tempDir } from '../world/temp.ts';
import { blocksOf, pages } from './pages.ts';

const examples = repositoryFiles().filter((file) => /^examples\/.*\.ya?ml$/.test(file));

async function problemsIn(path: string): Promise<string[]> {
  const { manifests, problems } = await validatePath(path);
  assert.ok(manifests.length + problems.length > 0, `${path} declares nothing`);
  return problems.map(({ file, line, column, message }) => `${file}:${line}:${column}: ${message}`);
}

describe('the examples', () => {
  for (const file of examples) {
    it(`${file} is valid`, async () => {
      assert.deepEqual(await problemsIn(join(root, file)), []);
    });
  }

  it('are valid all together', async () => {
    assert.ok(examples.length > 0);
    assert.deepEqual(await problemsIn(join(root, 'examples')), []);
  });
});

describe('the manifests in the documentation', () => {
  const blocks = pages()
    .flatMap(blocksOf)
    .filter(({ language, text }) => language === 'yaml' && text.includes('apiVersion:'));

  for (const { place, text } of blocks) {
    it(`at ${place} are valid`, async (t) => {
      const folder = tempDir(t);
      mkdirSync(join(folder, 'keys'));
      cpSync(join(root, 'examples/keys'), join(folder, 'keys'), { recursive: true });
      writeFileSync(join(folder, 'manifest.yaml'), text);

      assert.deepEqual(await problemsIn(join(folder, 'manifest.yaml')), []);
    });
  }

  it('are there for every kind that people write', () => {
    const declared = blocks.map(({ text }) => text).join('\n');
    for (const kind of ['Mirror', 'MirrorSet', 'Snapshot', 'Environment']) {
      assert.match(declared, new RegExp(`^kind: ${kind}$`, 'm'));
    }
  });
});
