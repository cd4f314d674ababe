import { resolve } from 'node:path';
import type { DockerOptions } from '../builder.ts';
import { UsageError, type Options } from './command.ts';

/** The options that have Sources built. */
export const dockerOptions = {
  docker: {
    type: 'string',
    value: 'ADDRESS',
    description:
      'build Sources on this Docker engine: the path of its socket, unix:///PATH or tcp://HOST:PORT',
  },
  'docker-tls': {
    type: 'string',
    value: 'DIR',
    description:
      'with tcp://: talk TLS, with ca.pem, cert.pem and key.pem in DIR, or ca.crt, tls.crt and tls.key',
  },
  'docker-toolbox': {
    type: 'string',
    value: 'IMAGE',
    description:
      'an image of that engine with mmdebstrap, to make root file systems with; made by Cairn when left out',
  },
  'docker-concurrency': {
    type: 'string',
    value: 'N',
    default: '2',
    description: 'how many builds run at once',
  },
} as const satisfies Options;

type Values = { readonly [Name in keyof typeof dockerOptions]?: string | undefined };

/** What the options say; throws UsageError. Paths are seen from `cwd`. */
export function dockerOf(values: Values, cwd: string): DockerOptions | undefined {
  const { docker: address, 'docker-tls': tls, 'docker-toolbox': toolbox } = values;
  if (address === undefined) {
    if (tls !== undefined) throw new UsageError('--docker-tls is for --docker');
    return undefined;
  }
  if (tls !== undefined && !address.startsWith('tcp://')) {
    throw new UsageError('--docker-tls is for --docker tcp://HOST:PORT');
  }
  return {
    ...{ address, toolbox },
    tlsFolder: tls === undefined ? undefined : resolve(cwd, tls),
    concurrency: concurrencyOf(values['docker-concurrency'] ?? '2'),
  };
}

function concurrencyOf(text: string): number {
  if (/^[1-9][0-9]{0,2}$/.test(text)) return Number(text);
  throw new UsageError(`--docker-concurrency ${text}: expected a number from 1 to 999`);
}
