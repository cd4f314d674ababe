import type { ConnectionOptions } from 'node:tls';

/** What a request shows to an API server. */
export interface Credentials {
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: Pick<
    ConnectionOptions,
    'ca' | 'cert' | 'key' | 'servername' | 'rejectUnauthorized'
  >;
}

/** An API server, and how to be let in. */
export interface Cluster {
  readonly server: URL;
  /** The namespace that is meant when none is named. */
  readonly namespace?: string | undefined;
  /** Those that are good now; rotated ones within seconds. */
  credentials(): Promise<Credentials>;
  /** The server did not take them: reads them again before the next use. */
  refused(): void;
}
