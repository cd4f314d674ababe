import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { load } from 'js-yaml';
import { isRecord } from '../../../crds/record.ts';
import type { Credentials } from './cluster.ts';

type Fields = Readonly<Record<string, unknown>>;

/** An entry, and the folder that paths in it are relative to. */
interface Entry {
  readonly fields: Fields;
  readonly folder: string;
}

/** A context of a kubeconfig, with what it leads to. */
export interface Context {
  readonly isThere: boolean;
  readonly cluster: Entry;
  readonly user: Entry;
  readonly namespace: string | undefined;
}

/**
 * Reads a context, the current one by default, of kubeconfig files (`v1` of client-go's clientcmd).
 * Of several files those that are not there are left out, and the first that names something counts.
 * What is not in them is empty.
 */
export async function readContext(files: readonly string[], wanted?: string): Promise<Context> {
  const read = files.length === 1 ? files.map(readConfig) : files.map(readIfThere);
  const configs = (await Promise.all(read)).filter((config) => config !== undefined);
  if (configs.length === 0) throw new Error(`there is no kubeconfig ${files.join(' or ')}`);
  const current = configs.map(({ fields }) => textOf(fields['current-context'])).find(Boolean);
  const context = named(configs, 'contexts', 'context', wanted ?? current);
  return {
    isThere: context !== undefined,
    cluster: named(configs, 'clusters', 'cluster', context?.fields['cluster']) ?? empty,
    user: named(configs, 'users', 'user', context?.fields['user']) ?? empty,
    namespace: textOf(context?.fields['namespace']),
  };
}

const empty: Entry = { fields: {}, folder: '/' };

async function readConfig(file: string): Promise<Entry> {
  const fields = fieldsOf(load(await readFile(file, 'utf8')));
  return { fields, folder: dirname(resolve(file)) };
}

async function readIfThere(file: string): Promise<Entry | undefined> {
  try {
    return await readConfig(file);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Whether signing in takes a program, or a protocol of somebody's. */
export function isElaborate({ user }: Context): boolean {
  return isRecord(user.fields['exec']) || isRecord(user.fields['auth-provider']);
}

/** What a user with a token, a certificate or a password shows. Files are read. */
export async function plainCredentials({ cluster, user }: Context): Promise<Credentials> {
  const [ca, cert, key] = await Promise.all([
    contentOf(cluster, 'certificate-authority'),
    contentOf(user, 'client-certificate'),
    contentOf(user, 'client-key'),
  ]);
  const servername = textOf(cluster.fields['tls-server-name']);
  const tls = {
    ...(ca && { ca }),
    ...(cert && { cert }),
    ...(key && { key }),
    ...(servername !== undefined && { servername }),
    ...(cluster.fields['insecure-skip-tls-verify'] === true && { rejectUnauthorized: false }),
  };
  const authorization = await authorizationOf(user);
  const as = textOf(user.fields['as']);
  const headers = {
    ...(authorization !== undefined && { authorization }),
    ...(as !== undefined && { 'impersonate-user': as }),
  };
  return { headers, tls };
}

/** The content of the token's file counts before the token, as in client-go: it is rotated. */
async function authorizationOf({ fields: user, folder }: Entry): Promise<string | undefined> {
  const file = textOf(user['tokenFile']) ?? textOf(user['token-file']);
  const read = file && (await readFile(resolve(folder, file), 'utf8')).trim();
  const token = read ?? textOf(user['token']);
  if (token !== undefined && token !== '') return `Bearer ${token}`;
  const name = textOf(user['username']);
  if (name === undefined) return undefined;
  const pair = `${name}:${textOf(user['password']) ?? ''}`;
  return `Basic ${Buffer.from(pair).toString('base64')}`;
}

/** `<name>-data` is the content itself, in base64; it counts before the path. */
async function contentOf({ fields: of, folder }: Entry, name: string): Promise<Buffer | undefined> {
  const data = textOf(of[`${name}-data`]);
  if (data !== undefined) return Buffer.from(data, 'base64');
  const file = textOf(of[name]);
  return file === undefined ? undefined : readFile(resolve(folder, file));
}

/** The first entry of lists of `{ name, <field> }` that has this name. */
function named(
  configs: readonly Entry[],
  list: string,
  field: string,
  name: unknown,
): Entry | undefined {
  for (const { fields, folder } of configs) {
    const entries = Array.isArray(fields[list]) ? (fields[list] as readonly unknown[]) : [];
    const found = entries.find((entry) => fieldsOf(entry)['name'] === name);
    if (found !== undefined) return { fields: fieldsOf(fieldsOf(found)[field]), folder };
  }
  return undefined;
}

function fieldsOf(value: unknown): Fields {
  return isRecord(value) ? value : {};
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
