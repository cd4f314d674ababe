import { UsageError } from './command.ts';

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** Parses HOST:PORT, [V6]:PORT or :PORT; throws UsageError. */
export function listenAddress(text: string): ListenAddress {
  const match = /^(?:\[([0-9a-fA-F:]+)\]|([^:\s]*)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (!match || port > 65_535) {
    throw new UsageError(`--listen ${text}: expected HOST:PORT, as in 127.0.0.1:8080`);
  }
  return { host: match[1] ?? (match[2] || '0.0.0.0'), port };
}
