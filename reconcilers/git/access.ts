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

/**
 * Turns a secret with the keys that Flux uses into credentials for git: `username` and `password`,
 * or `bearerToken`, for https; `identity` and `known_hosts` for ssh; `ca.crt` for a private
 * authority. They travel in the environment and in files of mode 0600, never in arguments or URLs,
 * which every process of the machine may read. Throws `SecretMissing` when a needed key is missing.
 */
export async function gitAccess(
  location: string,
  { secret, folder }: { readonly secret: Secret | undefined; readonly folder: string },
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
    const { env, hidden } = isHttp
      ? { env: httpConfig(secret), hidden: [basicOf(secret)] }
      : { env: await sshCommand(secret, save), hidden: [] };
    const authority =
      secret['ca.crt'] === undefined
        ? {}
        : { GIT_SSL_CAINFO: await save('ca.crt', secret['ca.crt']) };
    const { password, bearerToken, identity } = secret;
    const secrets = [password, bearerToken, identity, ...hidden].flatMap((text) =>
      text === undefined || text === '' ? [] : [text],
    );
    return { env: { ...env, ...authority }, secrets, dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

function httpConfig(secret: Secret): Record<string, string> {
  const header = authorizationOf(secret);
  if (header === undefined) {
    const message = 'the secret for git over https needs username and password, or bearerToken';
    throw new CairnError('SecretMissing', message);
  }
  if (/[\r\n\0]/.test(header)) throw new CairnError('SecretMissing', 'the token has line breaks');
  return gitConfig([
    ['http.extraHeader', `Authorization: ${header}`],
    // curl would take the header along to wherever the server sends it.
    ['http.followRedirects', 'false'],
  ]);
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
