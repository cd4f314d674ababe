import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { controlFields, makeDeb } from '../../test/world/deb.ts';
import { cacheFolder, packageSpec } from '../archive.ts';

/** Packages as files: what a repository has, and what comes into it, one by one. */
export interface PublishPackages {
  /** Of the many. */
  readonly folder: string;
  readonly many: readonly string[];
  /** Paths of the others. */
  readonly more: readonly string[];
}

/** Made once, kept in .cache/bench. */
export function preparePackages(count: number, more: number): PublishPackages {
  const root = path.join(cacheFolder, `packages-${count}-${more}`);
  const many = Array.from({ length: count }, (_, index) => fileName(index));
  const others = Array.from({ length: more }, (_, index) => fileName(count + index));
  if (!existsSync(root)) {
    const draft = `${root}.new`;
    rmSync(draft, { recursive: true, force: true });
    for (const folder of ['many', 'more']) mkdirSync(path.join(draft, folder), { recursive: true });
    for (let index = 0; index < count + more; index += 1) {
      const spec = packageSpec(index, 1);
      const folder = index < count ? 'many' : 'more';
      writeFileSync(path.join(draft, folder, fileName(index)), makeDeb(spec, controlFields(spec)));
    }
    renameSync(draft, root);
  }
  return {
    folder: path.join(root, 'many'),
    many: many.map((name) => path.join(root, 'many', name)),
    more: others.map((name) => path.join(root, 'more', name)),
  };
}

function fileName(index: number): string {
  const { name, version, architecture = 'amd64' } = packageSpec(index, 1);
  return `${name}_${version}_${architecture}.deb`;
}
