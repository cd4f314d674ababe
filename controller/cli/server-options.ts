import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { ApiClient } from './api-client.ts';
import { CliError, UsageError, type Io, type Options } from './command.ts';

const defaultServer = 'http://127.0.0.1:8080';

/** The options of every command that talks to a server. */
export const serverOptions = {
  server: {
    type: 'string',
    value: 'URL',
    description: `where Cairn runs; else CAIRN_SERVER, else ${defaultServer}`,
  },
  'token-file': {
    type: 'string',
    value: 'FILE',
    description: 'a file with the access token; else CAIRN_TOKEN',
  },
} as const satisfies Options;

/** Where an object is looked for. */
export const namespaceOptions = {
  namespace: {
    type: 'string',
    short: 'n',
    value: 'NAME',
    default: 'default',
    description: 'the namespace',
  },
} as const satisfies Options;

/** The options of every command that names an object of a server. */
export const objectOptions = { ...namespaceOptions, ...serverOptions } as const;

interface ServerValues {
  readonly server?: string | undefined;
  readonly 'token-file'?: string | undefined;
}

/** A client for the server that the options and the environment name. Throws `CliError`. */
export async function connect(values: ServerValues, io: Io): Promise<ApiClient> {
  const server = serverUrl(values.server ?? (io.env['CAIRN_SERVER'] || defaultServer));
  const token = await readToken(values['token-file'], io);
  return new ApiClient({ server, ...(token !== undefined && { token }), signal: io.signal });
}

function serverUrl(text: string): URL {
  const url = URL.parse(/^[a-z]+:\/\//i.test(text) ? text : `http://${text}`);
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw new UsageError(`expected a URL such as ${defaultServer} for the server`);
  }
  if (url.username || url.password) {
    throw new UsageError(
      'the server URL must not hold a password: use CAIRN_TOKEN or --token-file',
    );
  }
  return url;
}

async function readToken(file: string | undefined, io: Io): Promise<string | undefined> {
  const token =
    file === undefined ? io.env['CAIRN_TOKEN'] : await tokenIn(path.resolve(io.cwd, file));
  const trimmed = token?.trim();
  if (!trimmed) {
    if (file !== undefined) throw new CliError(`the token file ${file} is empty`);
    return undefined;
  }
  if (!/^[\x21-\x7e]+$/.test(trimmed))
    throw new CliError('the access token is not one word of ASCII');
  return trimmed;
}

async function tokenIn(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (thrown) {
    const code =
      thrown instanceof Error && 'code' in thrown ? String(thrown.code) : 'unknown error';
    throw new CliError(`can't read the token file ${file}: ${code}`, 1, { cause: thrown });
  }
}
