import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crdFile, crdYaml } from './crd.ts';
import { kinds } from './index.ts';

// Writes the CustomResourceDefinition of every kind beside this file and into the chart, which can
// reach nothing outside of its folder, and removes those of kinds that are no more.
const directories = [
  import.meta.dirname,
  join(import.meta.dirname, '../charts/cairn/files/crds'),
] as const;
const files = new Map(kinds.map((kind) => [crdFile(kind), crdYaml(kind)]));
for (const directory of directories) {
  await mkdir(directory, { recursive: true });
  for (const [file, text] of files) await writeFile(join(directory, file), text);
  for (const file of await readdir(directory)) {
    if (file.endsWith('.yaml') && !files.has(file)) await rm(join(directory, file));
  }
}
