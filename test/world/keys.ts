/** Real OpenPGP keys, made by gpg in a home of this process and forgotten when it ends. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { mustRun } from './process.ts';

export interface KeyOptions {
  /** ed25519 by default, which is made fastest. */
  readonly algorithm?: 'ed25519' | 'rsa2048' | 'rsa3072' | 'rsa1024';
  /** The primary key only certifies, and a subkey signs, as Debian's and Ubuntu's do. */
  readonly subkey?: boolean;
  readonly created?: Date;
  readonly expires?: Date;
}

export interface Key {
  /** Of the primary key: 40 hex digits, upper case. */
  readonly fingerprint: string;
  /** Of the key that signs: the subkey's, if it has one. */
  readonly signer: string;
}

const made = new Map<string, Promise<Key>>();
let home: string | undefined;

/** The key of that name; made when it is first asked for, and then the same for all who ask. */
export function testKey(name: string, options: KeyOptions = {}): Promise<Key> {
  const id = JSON.stringify([name, options]);
  const key = made.get(id) ?? makeKey(name, options);
  made.set(id, key);
  return key;
}

async function makeKey(name: string, options: KeyOptions): Promise<Key> {
  const { algorithm = 'ed25519', subkey = false, created, expires } = options;
  const clock = clockAt(created);
  const until = expires ? gpgTime(expires) : 'never';
  const user = `${name} <${name.replaceAll(/\W+/g, '-')}@example.com>`;
  const usage = subkey ? 'cert' : 'cert,sign';
  const status = await gpg([...clock, '--quick-generate-key', user, algorithm, usage, until]);
  const fingerprint = createdKey(status);
  if (!subkey) return { fingerprint, signer: fingerprint };
  const added = await gpg([...clock, '--quick-add-key', fingerprint, algorithm, 'sign', until]);
  return { fingerprint, signer: createdKey(added) };
}

function createdKey(status: string): string {
  const fingerprint = /KEY_CREATED \w ([0-9A-F]{40})/.exec(status)?.[1];
  if (fingerprint === undefined) throw new Error(`gpg made no key:\n${status}`);
  return fingerprint;
}

/** The public keys as one armored block. */
export function exportPublic(...keys: readonly Key[]): Promise<string> {
  return gpg(['--armor', '--export', ...keys.map((key) => key.fingerprint)]);
}

/** The private key, armored and without a passphrase. */
export function exportSecret(key: Key): Promise<string> {
  return gpg(['--armor', '--export-secret-keys', key.fingerprint]);
}

/** Revokes a key for good. Ask for a key that nobody else uses. */
export async function revoke(key: Key): Promise<void> {
  const file = path.join(gpgHome(), 'openpgp-revocs.d', `${key.fingerprint}.rev`);
  const certificate = (await readFile(file, 'utf8')).replace(/^:(?=-----BEGIN)/m, '');
  const draft = path.join(gpgHome(), `${key.fingerprint}.revoke`);
  await writeFile(draft, certificate);
  await gpg(['--import', draft]);
}

export interface SignOptions {
  /** Sign as if it were then; expired keys need it. */
  readonly at?: Date;
  readonly digest?: 'SHA1' | 'SHA256' | 'SHA512';
}

/** The text as a clearsigned message, as InRelease is one. */
export function clearsign(
  text: string,
  keys: Key | readonly Key[],
  options: SignOptions = {},
): Promise<string> {
  return gpg([...signFlags(keys, options), '--clearsign'], text);
}

/** A detached, armored signature of the text, as Release.gpg is one. */
export function detachSign(
  text: string,
  keys: Key | readonly Key[],
  options: SignOptions = {},
): Promise<string> {
  return gpg([...signFlags(keys, options), '--armor', '--detach-sign'], text);
}

function signFlags(keys: Key | readonly Key[], options: SignOptions): string[] {
  const signers = [keys].flat().flatMap((key) => ['--local-user', `${key.signer}!`]);
  return [...clockAt(options.at), '--digest-algo', options.digest ?? 'SHA512', ...signers];
}

function clockAt(date: Date | undefined): string[] {
  return date ? ['--faked-system-time', `${gpgTime(date)}!`] : [];
}

/** As in 20260131T235959, in UTC. */
function gpgTime(date: Date): string {
  return date.toISOString().replaceAll(/[-:]|\.\d+Z/g, '');
}

/** One at a time: a gpg that reads its home may find another one's half-written keyring. */
function gpg(args: readonly string[], input?: string): Promise<string> {
  const output = turn.then(() => runGpg(args, input));
  turn = output.catch(() => undefined);
  return output;
}

let turn: Promise<unknown> = Promise.resolve();

function runGpg(args: readonly string[], input?: string): Promise<string> {
  const flags = ['--homedir', gpgHome(), '--batch', '--quiet', '--yes', '--no-tty'];
  const more = ['--pinentry-mode', 'loopback', '--passphrase', '', '--status-fd'];
  const status = args.some((arg) => arg.startsWith('--quick')) ? '1' : '2';
  return mustRun('gpg', [...flags, ...more, status, ...args], input === undefined ? {} : { input });
}

function gpgHome(): string {
  if (home !== undefined) return home;
  const folder = mkdtempSync(path.join(tmpdir(), 'cairn-gpg-'));
  home = folder;
  process.once('exit', () => {
    execFileSync('gpgconf', ['--homedir', folder, '--kill', 'all'], { stdio: 'ignore' });
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}
