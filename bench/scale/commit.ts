/** A config repository whose next commit brings many manifests. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { mustRun } from '../../test/world/process.ts';
import type { Declared } from './population.ts';

export interface Repository {
  readonly url: string;
  /** Commits a file for each of these. Yields the commit. */
  commit(objects: readonly Declared[]): Promise<string>;
}

export async function makeRepository(folder: string): Promise<Repository> {
  const git = (...args: readonly string[]) =>
    mustRun('git', [
      ...['-C', folder, '-c', 'user.name=bench', '-c', 'user.email=bench@example.org'],
      ...args,
    ]);
  mkdirSync(folder, { recursive: true });
  await git('init', '--quiet', '--initial-branch=main');
  return {
    url: `file://${folder}`,
    async commit(objects) {
      for (const { kind, manifest } of objects) {
        const file = path.join(folder, `${kind.toLowerCase()}-${manifest.metadata.name}.yaml`);
        writeFileSync(file, JSON.stringify(manifest)); // JSON is YAML
      }
      await git('add', '--all');
      await git('commit', '--quiet', '--allow-empty', '--message=more');
      return (await git('rev-parse', 'HEAD')).trim();
    },
  };
}
