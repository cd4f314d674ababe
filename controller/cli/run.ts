import { resolve } from 'node:path';
import { parseAdvertised, type Advertised } from '../leader/address.ts';
import { createLog } from '../log.ts';
import { bucketOf, bucketOptions } from './bucket-options.ts';
import { exit, parseOptions, UsageError, type Command } from './command.ts';
import { dockerOf, dockerOptions } from './docker-options.ts';
import { externalUrl } from './external-url.ts';
import { explained, listenAddress } from './listen-address.ts';
import { stopped } from './stopped.ts';
import { parseTimeout } from './waiting.ts';

const options = {
  config: {
    type: 'string',
    value: 'DIR_OR_GIT_URL',
    description: 'where the manifests are: a directory, or a git repository',
  },
  branch: { type: 'string', value: 'B', description: 'the branch of the git repository' },
  path: { type: 'string', value: 'P', description: 'the directory inside it' },
  'config-interval': {
    type: 'string',
    value: '10s',
    description: 'how often to ask the git server for changes',
  },
  'config-secret': {
    type: 'string',
    value: 'NAME',
    description: 'the secret with the credentials for the git repository',
  },
  'config-drift': {
    type: 'string',
    value: 'Correct|Report',
    description: 'what becomes of objects that somebody changes by hand; Correct by default',
  },
  kubernetes: {
    type: 'boolean',
    description:
      'work on the custom resources of a cluster: of KUBECONFIG, or the own one in a Pod',
  },
  namespace: {
    type: 'string',
    value: 'NAME',
    description: 'with --kubernetes: only objects of this namespace; else of all',
  },
  elect: {
    type: 'boolean',
    description:
      'with --kubernetes: of several replicas that share DIR or the bucket, one works and all serve',
  },
  advertise: {
    type: 'string',
    value: 'IP[:PORT]',
    description: 'with --elect: where other replicas reach this one, if not where it listens',
  },
  data: {
    type: 'string',
    value: 'DIR',
    default: './cairn-data',
    description: 'where Cairn keeps everything',
  },
  ...bucketOptions,
  listen: {
    type: 'string',
    value: 'HOST:PORT',
    default: '127.0.0.1:8080',
    description: 'where to serve; port 0 picks a free one',
  },
  'tls-listen': {
    type: 'string',
    value: 'HOST:PORT',
    description: 'where to serve over TLS as well, with the certificate in DATA/tls',
  },
  secrets: {
    type: 'string',
    value: 'DIR',
    description: 'secrets as files, NAME/KEY; DATA/secrets by default',
  },
  'external-url': {
    type: 'string',
    value: 'URL',
    description: 'how clients reach this server, for the configuration it generates',
  },
  'log-format': { type: 'string', value: 'text|json', default: 'text', description: 'of the log' },
  'log-level': {
    type: 'string',
    value: 'debug|info|warn|error',
    default: 'info',
    description: 'the least that is logged',
  },
  ...dockerOptions,
  'run-timeout': {
    type: 'string',
    value: 'DURATION',
    default: '5m',
    description: 'how long a look at one object may take',
  },
  demo: {
    type: 'boolean',
    description: "mirror this machine's own APT sources, and prove that apt can use the result",
  },
} as const;

export const command: Command = {
  name: 'run',
  summary: 'Runs Cairn: makes what is declared true, and serves it.',
  usage: [
    'run --config DIR_OR_GIT_URL --data DIR [--listen HOST:PORT]',
    'run --kubernetes [--namespace NAME] [--elect [--advertise IP[:PORT]]] --data DIR [--listen HOST:PORT]',
    'run … --bucket s3://NAME[/PREFIX] [--bucket-endpoint URL] [--cache-size SIZE]',
    'run --demo',
  ],
  options,
  exits: {
    1: 'it could not start, for example because another Cairn uses the data directory; or it led, and does not any more',
  },
  examples: ['cairn run --config ./config --data ./cairn-data', 'cairn run --demo'],

  async run(args, io) {
    const { values, positionals } = parseOptions(args, options);
    if (positionals.length > 0) throw new UsageError(`unexpected ${positionals.join(' ')}`);
    if (values.demo) {
      const { runDemo } = await import('./demo.ts');
      return runDemo(listenAddress(values.listen), io);
    }
    const { kubernetes = false, namespace, elect: elects = false } = values;
    if (!kubernetes && (namespace !== undefined || elects)) {
      throw new UsageError('--namespace and --elect are for --kubernetes');
    }
    const advertised = advertisedOf(values.advertise, elects);
    const { startInstance } = await import('../instance.ts');
    const config = values.config;
    const address = listenAddress(values.listen);
    const given = values['tls-listen'];
    const secure = given === undefined ? undefined : listenAddress(given, '--tls-listen');
    const starting = startInstance({
      ...address,
      secure,
      advertised,
      data: resolve(io.cwd, values.data),
      kubernetes: kubernetes ? { env: io.env, namespace, elects } : undefined,
      config:
        config === undefined
          ? undefined
          : {
              location: isPath(config) ? resolve(io.cwd, config) : config,
              branch: values.branch,
              path: values.path,
              interval: values['config-interval'],
              secret: values['config-secret'],
              drift: driftPolicy(values['config-drift']),
            },
      secretsFolder: values.secrets === undefined ? undefined : resolve(io.cwd, values.secrets),
      ...bucketOf(values),
      externalUrl: externalUrl(values['external-url']),
      docker: dockerOf(values, io.cwd),
      runTimeoutMs: timeoutOf(values['run-timeout']),
      log: createLog({
        format: oneOf('log-format', values['log-format'], ['text', 'json']),
        level: oneOf('log-level', values['log-level'], ['debug', 'info', 'warn', 'error']),
        write: (line: string) => io.err(line.replace(/\n$/, '')),
      }),
    });
    const instance = await starting.catch((error: unknown) => {
      throw explained(error, address, secure);
    });
    io.out(`listening on ${instance.url}`);
    if (instance.secureUrl !== undefined) io.out(`and on ${instance.secureUrl}`);
    const lost = await Promise.race([stopped(io), instance.lost]);
    if (lost === undefined) {
      await instance.close();
      return exit.good;
    }
    io.err(`cairn: ${lost}`);
    await instance.close(0);
    return exit.failed;
  },
};

function advertisedOf(given: string | undefined, elects: boolean): Advertised | undefined {
  if (given === undefined) return undefined;
  if (!elects) throw new UsageError('--advertise is for --elect');
  const advertised = parseAdvertised(given);
  if (advertised) return advertised;
  throw new UsageError(
    `--advertise ${given}: expected an IP address, such as 10.0.0.7 or [fd00::7]:8080`,
  );
}

function driftPolicy(given: string | undefined) {
  return given === undefined ? undefined : oneOf('config-drift', given, ['Correct', 'Report']);
}

/** A URL has a scheme, an ssh address a colon before any slash; the rest is a path. */
function isPath(location: string): boolean {
  return !/^[a-z][a-z0-9+.-]*:\/\//i.test(location) && !/^[^/]+:/.test(location);
}

function timeoutOf(text: string): number {
  const ms = parseTimeout(text);
  if (ms < 1000) throw new UsageError(`--run-timeout ${text}: expected at least 1s, such as 5m`);
  return ms;
}

function oneOf<const W extends string>(option: string, word: string, words: readonly W[]): W {
  const found = words.find((one) => one === word);
  if (!found) throw new UsageError(`--${option} ${word}: expected one of ${words.join(', ')}`);
  return found;
}
