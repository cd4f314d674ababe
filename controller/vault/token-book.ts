import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { StoreError } from '../../crds/store.ts';
import type { Log } from '../log.ts';
import { newToken, tokenNames, type Tokens } from '../tokens.ts';
import type { SecretBook } from './secret-book.ts';

/**
 * The server's own tokens as entries of one Secret, the same for all replicas. Those that are not
 * there yet are made, or taken from the files of a data directory that has some. Throws with a
 * sentence that says which right is missing.
 */
export async function tokensOf(book: SecretBook, folder: string, log: Log): Promise<Tokens> {
  const filed = await tokenFiles(folder);
  const wanted = tokenNames.map((name) => [name, filed.get(name) ?? newToken()] as const);
  const kept = await added(book, Object.fromEntries(wanted));
  for (const [name, token] of filed) {
    if (kept[name]?.trim() === token) continue;
    const message = 'a token in the data directory does not count: that of the Secret does';
    log.warn(message, { file: join(folder, name), secret: book.title });
  }
  const of = (name: keyof Tokens) => (kept[name] ?? '').trim();
  return {
    read: of('read'),
    viewer: of('viewer'),
    promoter: of('promoter'),
    editor: of('editor'),
    admin: of('admin'),
  };
}

async function added(
  book: SecretBook,
  tokens: Readonly<Record<string, string>>,
): ReturnType<SecretBook['add']> {
  try {
    return await book.add(tokens);
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    const told =
      `can not keep the tokens in the Secret ${book.title}, ` +
      `which needs get, create and patch: ${error.message}`;
    throw new StoreError(error.reason, told, { cause: error });
  }
}

async function tokenFiles(folder: string): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for (const name of tokenNames) {
    const text = await readFile(join(folder, name), 'utf8').catch(() => '');
    if (text.trim() !== '') found.set(name, text.trim());
  }
  return found;
}
