import { existsSync } from 'node:fs';
import path from 'node:path';
import { roles, type Role } from '../http/roles.ts';
import { CliError, exit, parseOptions, UsageError, type Command, type Io } from './command.ts';
import { toYaml } from './output.ts';
import {
  contentOf,
  namedServerOptions,
  namespaceOptions,
  readToken,
  serverNamed,
} from './server-options.ts';

const options = {
  role: {
    type: 'string',
    value: roles.join('|'),
    description: 'take the token of this role from --data',
  },
  data: {
    type: 'string',
    value: 'DIR',
    default: './cairn-data',
    description: 'the data directory of the server, for --role',
  },
  ...namespaceOptions,
  ...namedServerOptions,
} as const;

export const command: Command = {
  name: 'kubeconfig',
  summary: 'Prints a kubeconfig with which kubectl works on a Cairn server.',
  usage: ['kubeconfig [--role ROLE --data DIR]', 'kubeconfig --token-file FILE'],
  options,
  exits: {},
  examples: ['cairn kubeconfig > kubeconfig', 'KUBECONFIG=./kubeconfig kubectl get environments'],

  async run(args, io) {
    const { values, positionals } = parseOptions(args, options);
    if (positionals.length > 0) throw new UsageError(`unexpected ${positionals.join(' ')}`);
    const server = serverNamed(values.server, io);
    const role = roleNamed(values.role);
    const isSafe = server.protocol === 'https:';
    if (!isSafe) hint(role, values['token-file'], io);
    const token = isSafe ? await tokenOf(role, values, io) : undefined;
    const authority = isSafe ? await authorityOf(role, values, io) : undefined;
    const { namespace = 'default' } = values;
    io.out((await toYaml(kubeconfig({ server, token, authority, namespace }))).trimEnd());
    return exit.good;
  },
};

interface Access {
  readonly server: URL;
  readonly token: string | undefined;
  readonly authority: string | undefined;
  readonly namespace: string;
}

function kubeconfig({ server, token, authority, namespace }: Access): object {
  const data = authority && Buffer.from(authority).toString('base64');
  const cluster = {
    server: server.href.replace(/\/$/, ''),
    ...(data !== undefined && { 'certificate-authority-data': data }),
  };
  const name = 'cairn';
  return {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster }],
    users: [{ name, user: token === undefined ? {} : { token } }],
    contexts: [{ name, context: { cluster: name, user: name, namespace } }],
    'current-context': name,
  };
}

function roleNamed(word: string | undefined): Role | undefined {
  if (word === undefined) return undefined;
  const role = roles.find((known) => known === word);
  if (role) return role;
  throw new UsageError(`--role ${word}: expected one of ${roles.join(', ')}`);
}

async function tokenOf(
  role: Role | undefined,
  values: { readonly data: string; readonly 'token-file'?: string | undefined },
  io: Io,
): Promise<string | undefined> {
  if (role === undefined) return readToken(values['token-file'], io);
  return readToken(path.join(values.data, 'tokens', role), io);
}

/**
 * kubectl sends no token over plain http, and the server takes whoever is at its own machine for an
 * editor. A kubeconfig that claims to be less, or more, than that would be a trap.
 */
function hint(role: Role | undefined, tokenFile: string | undefined, io: Io): void {
  if ((role !== undefined && role !== 'editor') || tokenFile !== undefined) {
    throw new CliError(
      'kubectl sends tokens over https only: name an https URL with --server, that of ' +
        '`cairn run --tls-listen` or of a reverse proxy',
    );
  }
  io.err('cairn: no token is in there: kubectl sends none over http. It works on this machine.');
}

/** What signs the certificate: the file that is named, else the server's own beside the tokens. */
async function authorityOf(
  role: Role | undefined,
  values: { readonly data: string; readonly 'certificate-authority'?: string | undefined },
  io: Io,
): Promise<string | undefined> {
  const named = values['certificate-authority'];
  if (named !== undefined) return contentOf(path.resolve(io.cwd, named));
  if (role === undefined) return undefined;
  const own = path.resolve(io.cwd, values.data, 'tls', 'tls.crt');
  return existsSync(own) ? contentOf(own) : undefined;
}
