import type { AgentOptions } from 'node:http';
import type { ConnectionOptions } from 'node:tls';

/** What a request shows to an API server. */
export interface Credentials {
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: Pick<
    ConnectionOptions,
    'ca' | 'cert' | 'key' | 'servername' | 'rejectUnauthorized'
  >;
}

/** Options of an `http.Agent` that goes through a proxy, if there is one. */
export function throughProxy(proxy: URL | undefined): Pick<AgentOptions, 'proxyEnv'> {
  if (!proxy) return {};
  return { proxyEnv: { HTTP_PROXY: proxy.href, HTTPS_PROXY: proxy.href } };
}

/** An API server, and how to be let in. */
export interface Cluster {
  readonly server: URL;
  /** An http(s) proxy on the way to it. */
  readonly proxy?: URL;
  /** The namespace that is meant when none is named. */
  readonly namespace?: string | undefined;
  /** Those that are good now; rotated ones within seconds. */
  credentials(): Promise<Credentials>;
  /** The server did not take them: reads them again before the next use. */
  refused(): void;
}
