import { randomBytes, randomUUID } from 'node:crypto';
import { glob, link, mkdir, open, readFile, rm } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { generateSigningKey } from '../../apt/openpgp.ts';

/** Which key: that of one environment or repository, in one epoch of its rotation. */
export interface KeyName {
  readonly namespace: string;
  readonly owner: 'environment' | 'repository';
  readonly name: string;
  readonly epoch: number;
}

/** How people are told which key is meant. */
export function keyTitle({ owner, name, epoch }: KeyName): string {
  return `the key of ${owner} ${name}, epoch ${epoch}`;
}

/** No client, whose clock may be behind ours, shall see a key from the future. */
const backdatedMs = 60_000;

/** Keeps the private keys that Cairn makes. */
export interface KeyStore {
  /** The armored private key; made when there is none. The same one for ever after. */
  obtain(key: KeyName, now: Date): Promise<string>;
  /** The armored private key, if there is one. */
  find(key: KeyName): Promise<string | undefined>;
}

/** Keeps the secrets that Cairn makes for its own use. */
export interface OwnSecrets {
  /** 256 random bits in base64url; made when there are none. The same ones for every replica, for ever after. */
  ownSecret(name: OwnSecretName): Promise<string>;
}

/**
 * `receipts`: see `repository/receipts.ts`. `builder`: what an engine knows all replicas by. `replicas`: what they know
 * one another by.
 */
export type OwnSecretName = 'receipts' | 'builder' | 'replicas';

export function newSecret(): string {
  return randomBytes(32).toString('base64url');
}

/** Makes a private key, armored. */
export async function newKey({ owner, name }: KeyName, now: Date): Promise<string> {
  const userId = `${name} ${owner} (Cairn)`;
  const created = new Date(now.getTime() - backdatedMs);
  return (await generateSigningKey({ userId, now: created })).privateArmored;
}

/**
 * Private keys as files, readable by their owner alone: `<namespace>/<environment>/epoch-<n>.asc`
 * and `<namespace>/_repositories/<repository>/epoch-<n>.asc`. They outlive what they sign for: one
 * that is made again under the same name signs with the key that its clients know. Secrets of our
 * own are `_secrets/<name>`.
 */
export class KeyFolder implements KeyStore, OwnSecrets {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  find(key: KeyName): Promise<string | undefined> {
    return readIfThere(this.#fileOf(key));
  }

  async obtain(key: KeyName, now: Date): Promise<string> {
    const known = await this.find(key);
    if (known !== undefined) return known;
    const file = this.#fileOf(key);
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    await create(file, await newKey(key, now));
    return readFile(file, 'utf8'); // should two have made one at once, the first counts for both
  }

  async ownSecret(name: OwnSecretName): Promise<string> {
    const file = join(this.#folder, ofCairn, name);
    const known = await readIfThere(file);
    if (known !== undefined) return known.trim();
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    await create(file, `${newSecret()}\n`);
    return (await readFile(file, 'utf8')).trim(); // as above
  }

  /** The keys that are there, at most so many. */
  async list(most: number): Promise<readonly KeyName[]> {
    const keys: KeyName[] = [];
    const patterns = ['*/*/epoch-*.asc', `*/${ofRepositories}/*/epoch-*.asc`];
    for await (const file of glob(patterns, { cwd: this.#folder })) {
      const key = nameOf(file.split(sep));
      if (key) keys.push(key);
      if (keys.length >= most) break;
    }
    return keys;
  }

  #fileOf({ namespace, owner, name, epoch }: KeyName): string {
    const folder = owner === 'repository' ? join(ofRepositories, name) : name;
    return join(this.#folder, namespace, folder, `epoch-${epoch}.asc`);
  }
}

/** No environment has such a name. */
const ofRepositories = '_repositories';
/** No namespace has. */
const ofCairn = '_secrets';

function nameOf(parts: readonly string[]): KeyName | undefined {
  const [namespace = '', ...more] = parts;
  const epoch = Number(/^epoch-([1-9][0-9]{0,8})\.asc$/.exec(more.at(-1) ?? '')?.[1]);
  const owner = more.length === 3 ? 'repository' : 'environment';
  return Number.isInteger(epoch) ? { namespace, owner, name: more.at(-2) ?? '', epoch } : undefined;
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Makes a file durably and all at once; leaves alone one that is there. */
async function create(file: string, content: string): Promise<void> {
  const draft = `${file}.${randomUUID()}`;
  const handle = await open(draft, 'wx', 0o600);
  try {
    await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
  try {
    await link(draft, file);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  } finally {
    await rm(draft, { force: true });
  }
  const folder = await open(join(file, '..'), 'r');
  await folder.sync();
  await folder.close();
}
