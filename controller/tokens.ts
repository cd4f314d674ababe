import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { replaceDurably } from '../depot/durable.ts';

export interface Tokens {
  /** Opens private archives. */
  readonly read: string;
  /** Opens private archives, and shows who one is in the API; writes nothing. */
  readonly viewer: string;
  /** Promotes and approves. */
  readonly promoter: string;
  /** Writes all that people declare. */
  readonly editor: string;
  /** Opens everything, and writes everything through the API. */
  readonly admin: string;
}

/** The names of all tokens. */
export const tokenNames = [
  'read',
  'viewer',
  'promoter',
  'editor',
  'admin',
] as const satisfies readonly (keyof Tokens)[];

export function newToken(): string {
  return randomBytes(24).toString('base64url');
}

/** The server's own tokens, `<folder>/read`, `<folder>/admin` and so on; made on first use. */
export function ownTokens(folder: string): Tokens {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const of = (name: keyof Tokens) => token(join(folder, name));
  return {
    read: of('read'),
    viewer: of('viewer'),
    promoter: of('promoter'),
    editor: of('editor'),
    admin: of('admin'),
  };
}

function token(file: string): string {
  if (!existsSync(file)) replaceDurably(file, `${newToken()}\n`);
  return readFileSync(file, 'utf8').trim();
}
