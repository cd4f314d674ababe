/** The command line in this process, against a server that is real. */
import type { Io } from '../../../controller/cli/command.ts';
import { dispatch } from '../../../controller/cli/dispatch.ts';
import { apiVersion, type KubeObject } from '../../../crds/object.ts';
import type { Scope } from '../../world/temp.ts';
import { adminToken, startServer, type Fixture } from '../http/fixture.ts';

export interface Ran {
  readonly status: number;
  readonly out: string;
  readonly err: string;
  /** Every progress line that was shown. */
  readonly progress: readonly string[];
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly input?: string;
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly signal?: AbortSignal;
  /** Told of every line as it is written. */
  readonly onLine?: (line: string) => void;
}

/** Runs `cairn <args>`. */
export async function cairn(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const out: string[] = [];
  const err: string[] = [];
  const progress: string[] = [];
  const note = (list: string[]) => (text: string) => {
    list.push(text);
    options.onLine?.(text);
  };
  const { cwd = process.cwd(), input = '', isTTY = false, columns = 200 } = options;
  const io: Io = {
    out: note(out),
    err: note(err),
    progress: (line) => void (line !== '' && progress.push(line)),
    input: (async function* () {
      yield input;
    })(),
    isTTY,
    columns,
    env: { PATH: process.env['PATH'], ...options.env },
    cwd,
    signal: options.signal ?? new AbortController().signal,
  };
  const status = await dispatch(args, io);
  return { status, out: out.join('\n'), err: err.join('\n'), progress };
}

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
