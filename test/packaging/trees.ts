import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { PackagingRequest } from '../../packaging/request.ts';

/** Files by their paths: a text, or one that is executable, or the target of a symbolic link. */
export type Files = Readonly<
  Record<string, string | { readonly executable: string } | { readonly link: string }>
>;

/** Writes a tree into a folder. */
export function writeFiles(folder: string, files: Files): void {
  for (const [name, content] of Object.entries(files)) {
    const file = path.join(folder, name);
    mkdirSync(path.dirname(file), { recursive: true });
    if (typeof content === 'string') writeFileSync(file, content);
    else if ('link' in content) symlinkSync(content.link, file);
    else {
      writeFileSync(file, content.executable);
      chmodSync(file, 0o755);
    }
  }
}

export const commit = '5f2a9c1e0b7d4836a1c2e3f4051627384950abcd';

/** A request as the controller makes it. */
export function requestOf(
  folder: string,
  more: Partial<Omit<PackagingRequest, 'source'>> & {
    readonly source?: Partial<PackagingRequest['source']>;
  } = {},
): PackagingRequest {
  return {
    folder,
    version: { counter: 7 },
    maintainer: 'Build Service <builds@example.org>',
    distribution: 'trixie',
    ...more,
    source: {
      name: 'sample',
      url: 'https://git.example.org/team/sample.git',
      commit,
      date: 1_780_000_000,
      subject: 'Greet politely',
      author: 'Ada Lovelace',
      ...more.source,
    },
  };
}
