import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CairnError } from '../../crds/reasons.ts';

type Secret = Readonly<Record<string, string>>;

/** What git needs to get in: environment variables, some of which name files that hold keys. */
export interface GitAccess {
  readonly env: Readonly<Record<string, string>>;
  /** Texts that must not be seen in any message. */
  readonly secrets: readonly string[];
  /** Removes the files. */
  dispose(): Promise<void>;
}

export interface AccessOptions {
  readonly secret: Secret | undefined;
  /** For files that hold keys. */
  readonly folder: string;
  /** For all that is on the server of the location, and for no other one, whatever git is asked to fetch. */
  readonly isForServer?: boolean;
}

/**
 * Turns a secret with the keys that Flux uses into credentials for git: `username` and `password`,
 * or `bearerToken`, for https; `identity` and `known_hosts` for ssh; `ca.crt` for a private
 * authority. They travel in the environment and in files of mode 0600, never in arguments or URLs,
 * which every process of the machine may read. Throws `SecretMissing` when a needed key is missing.
 */
export async function gitAccess(
  location: string,
  { secret, folder, isForServer = false }: AccessOptions,
): Promise<GitAccess> {
  if (!secret) return { env: {}, secrets: [], dispose: async () => {} };
  const files = await mkdtemp(join(folder, 'access-'));
  const dispose = () => rm(files, { recursive: true, force: true });
  try {
    const save = async (name: string, text: string) => {
      const path = join(files, name);
      await writeFile(path, text.endsWith('\n') ? text : `${text}\n`, { mode: 0o600 });
      return path;
    };
    const isHttp = /^https?:/i.test(location);
    const ca = secret['ca.crt'] === undefined ? undefined : await save('ca.crt', secret['ca.crt']);
    const { env, hidden } = isHttp
      ? {
          env: httpAccess(secret, ca, isForServer ? location : undefined),
          hidden: [basicOf(secret)],
        }
      : { env: await sshCommand(secret, save), hidden: [] };
    const { password, bearerToken, identity } = secret;
    const secrets = [password, bearerToken, identity, ...hidden].flatMap((text) =>
      text === undefined || text === '' ? [] : [text],
    );
    return { env, secrets, dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

/** `ca` is a file. For the server of `location` alone, if there is one. */
function httpAccess(
  secret: Secret,
  ca: string | undefined,
  location: string | undefined,
): Record<string, string> {
  const header = authorizationOf(secret);
  if (header === undefined) {
    const message = 'the secret for git over https needs username and password, or bearerToken';
    throw new CairnError('SecretMissing', message);
  }
  if (/[\r\n\0]/.test(header)) throw new CairnError('SecretMissing', 'the token has line breaks');
  const section = location === undefined ? 'http' : `http.${serverOf(location)}`;
  const settings = [
    [`${section}.extraHeader`, `Authorization: ${header}`],
    // curl would take the header along to wherever the server sends it.
    [`${section}.followRedirects`, 'false'],
  ] as const;
  if (ca === undefined) return gitConfig(settings);
  // The variable counts for all servers, and more than what the environment of Cairn says.
  if (location === undefined) return { ...gitConfig(settings), GIT_SSL_CAINFO: ca };
  return gitConfig([...settings, [`${section}.sslCAInfo`, ca]]);
}

/** What all repositories of a server have in front: git-config(1), http.<url>.*. */
function serverOf(location: string): string {
  return URL.canParse(location) ? `${new URL(location).origin}/` : location;
}

/** What a secret says to a server on http; undefined when it lacks what it takes. */
export function authorizationOf(secret: Secret): string | undefined {
  const { bearerToken, username, password } = secret;
  if (bearerToken !== undefined) return `Bearer ${bearerToken}`;
  if (username === undefined || password === undefined) return undefined;
  return `Basic ${basicOf(secret)}`;
}

/** Configuration by environment variables, as of git 2.31: git-config(1), GIT_CONFIG_COUNT. */
function gitConfig(settings: readonly (readonly [string, string])[]): Record<string, string> {
  const env: Record<string, string> = { GIT_CONFIG_COUNT: String(settings.length) };
  for (const [index, [key, value]] of settings.entries()) {
    env[`GIT_CONFIG_KEY_${index}`] = key;
    env[`GIT_CONFIG_VALUE_${index}`] = value;
  }
  return env;
}

async function sshCommand(secret: Secret, save: (name: string, text: string) => Promise<string>) {
  const { identity, known_hosts: knownHosts } = secret;
  if (identity === undefined || knownHosts === undefined) {
    const message = 'the secret for git over ssh needs identity and known_hosts';
    throw new CairnError('SecretMissing', message);
  }
  const options = [
    '-F /dev/null',
    `-i ${quoted(await save('identity', identity))}`,
    '-o IdentitiesOnly=yes',
    `-o UserKnownHostsFile=${quoted(await save('known_hosts', knownHosts))}`,
    '-o StrictHostKeyChecking=yes',
    '-o BatchMode=yes',
    '-o ConnectTimeout=30',
  ];
  return { GIT_SSH_COMMAND: `ssh ${options.join(' ')}` };
}

function basicOf({ username = '', password = '' }: Secret): string {
  return Buffer.from(`${username}:${password}`).toString('base64');
}

/** For the shell that git hands the command to. */
function quoted(path: string): string {
  return `'${path.replaceAll("'", String.raw`'\''`)}'`;
}
