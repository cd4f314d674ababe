import { CliError, exit, UsageError } from './command.ts';

export interface ListenAddress {
  /** Empty: all addresses of this machine. */
  readonly host: string;
  readonly port: number;
}

/** Parses HOST:PORT, [V6]:PORT or :PORT; throws UsageError. */
export function listenAddress(text: string, option = '--listen'): ListenAddress {
  const match = /^(?:\[([0-9a-fA-F:]+)\]|([^:\s]*)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (!match || port > 65_535) {
    throw new UsageError(`${option} ${text}: expected HOST:PORT, as in 127.0.0.1:8080`);
  }
  return { host: match[1] ?? match[2] ?? '', port };
}

const troubles: Readonly<Record<string, string>> = {
  EADDRINUSE: 'is a port that another program uses',
  EACCES: 'is a port that this user may not listen on',
  EADDRNOTAVAIL: 'is not an address of this machine',
  ENOTFOUND: 'is not the name of a host',
};

/** Whether that port is taken, when a server could not be started. */
export function isTaken(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
}

/** In words for people, if `error` is about one of the addresses: `--listen`, or `--tls-listen`. */
export function explained(
  error: unknown,
  plain: ListenAddress,
  secure?: ListenAddress | undefined,
): unknown {
  const isSecure = secure !== undefined && isAbout(error, secure) && !isAbout(error, plain);
  const [option, { host, port }] = isSecure ? ['--tls-listen', secure] : ['--listen', plain];
  if (!(error instanceof Error && 'code' in error && 'syscall' in error)) return error;
  const isAboutIt = error.syscall === 'listen' || error.syscall === 'getaddrinfo';
  const trouble = isAboutIt ? troubles[String(error.code)] : undefined;
  if (trouble === undefined) return error;
  const message = `can't listen on ${host}:${port}: that ${trouble}; name another with ${option}`;
  return new CliError(message, exit.failed, { cause: error });
}

/** Node names port and address of what can't be listened on, or the name that it can't look up. */
function isAbout(error: unknown, { host, port }: ListenAddress): boolean {
  if (!(error instanceof Error)) return false;
  const about = new Map<string, unknown>(Object.entries(error));
  if (about.get('syscall') === 'getaddrinfo') return about.get('hostname') === host;
  return about.get('port') === port;
}
