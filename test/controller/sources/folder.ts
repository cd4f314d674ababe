import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { kinds } from '../../../crds/index.ts';
import type { Manifest, ObjectKey } from '../../../crds/object.ts';
import { validateManifest } from '../../../crds/validate.ts';
import { openSqliteStore, type SqliteStore } from '../../../controller/store/sqlite.ts';
import type { Scope } from '../../world/temp.ts';

/** Writes files below a directory: path → content. */
export async function writeFiles(
  directory: string,
  files: Readonly<Record<string, string | Uint8Array>>,
): Promise<void> {
  for (const [file, content] of Object.entries(files)) {
    await mkdir(dirname(join(directory, file)), { recursive: true });
    await writeFile(join(directory, file), content);
  }
}

/** A good Mirror. `more` goes into the spec. */
export function mirrorYaml(name: string, more: object = {}): string {
  const spec = {
    url: `http://archive.test/${name}`,
    suites: ['stable'],
    allowUnsigned: true,
    ...more,
  };
  return documentYaml('Mirror', name, spec);
}

export function documentYaml(kind: string, name: string, spec: object): string {
  const document = { apiVersion: 'cairn.build/v1alpha1', kind, metadata: { name }, spec };
  return `---\n${JSON.stringify(document)}\n`;
}

export function mirrorKey(name: string): ObjectKey {
  return { kind: 'Mirror', namespace: 'default', name };
}

/** A real store, in memory. */
export function openStore(scope: Scope): SqliteStore {
  const store = openSqliteStore(':memory:', {
    kinds,
    validate: (input) => {
      const { manifest, problems } = validateManifest(input);
      return { manifest: manifest ?? (input as Manifest), problems };
    },
  });
  scope.after(() => store.close());
  return store;
}

/** `file:line:column: message` of each. */
export function told(
  problems: readonly { file: string; line: number; column: number; message: string }[],
): string[] {
  return problems.map(({ file, line, column, message }) => `${file}:${line}:${column}: ${message}`);
}

/** Waits until a question is answered with yes; fails after ten seconds. */
export async function until(question: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!(await question())) {
    if (Date.now() > deadline) throw new Error('waited too long');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
