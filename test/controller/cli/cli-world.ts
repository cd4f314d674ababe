/** The command line in this process, against a server that is real. */
import { apiVersion, type KubeObject } from '../../../crds/object.ts';
import type { Scope } from '../../world/temp.ts';
import { adminToken, startServer, type Fixture } from '../http/fixture.ts';
import { cairn, type Ran, type RunOptions } from './in-process.ts';

export interface CliServer extends Fixture {
  /** Runs `cairn <args>` against this server. */
  cairn(args: string | readonly string[], options?: RunOptions): Promise<Ran>;
  declare(kind: string, name: string, spec: object, status?: object): Promise<KubeObject>;
}

export async function startCli(
  t: Scope,
  given: Parameters<typeof startServer>[1] = {},
): Promise<CliServer> {
  const fixture = await startServer(t, given);
  return {
    ...fixture,
    cairn: (args, options = {}) =>
      cairn(typeof args === 'string' ? args.split(' ') : args, {
        ...options,
        env: { CAIRN_SERVER: fixture.url, CAIRN_TOKEN: adminToken, ...options.env },
      }),
    async declare(kind, name, spec, status) {
      const manifest = { apiVersion, kind, metadata: { name }, spec };
      const object = await fixture.store.create(manifest);
      return status ? fixture.setStatus(object, status) : object;
    },
  };
}

export const mirrorSpec = {
  url: 'https://deb.example.org/debian',
  suites: ['bookworm'],
  allowUnsigned: true,
};

/** A status whose Ready condition was made from the object's first generation. */
export function readyStatus(status: 'True' | 'False', message: string, more: object = {}) {
  const reason = status === 'True' ? 'Succeeded' : 'UpstreamUnreachable';
  const lastTransitionTime = '2026-08-01T00:00:00Z';
  return {
    observedGeneration: 1,
    conditions: [
      { type: 'Ready', status, reason, message, lastTransitionTime, observedGeneration: 1 },
    ],
    ...more,
  };
}
