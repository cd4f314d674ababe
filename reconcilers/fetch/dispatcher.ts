import { Agent, EnvHttpProxyAgent, ProxyAgent, type Dispatcher } from 'undici';
import type { UpstreamOptions } from './options.ts';

/** The connections to an upstream, through the proxy that the spec or the environment names. */
export function dispatcherOf({
  connections,
  stallMs,
  proxy,
  credentials,
}: UpstreamOptions): Dispatcher {
  const options = {
    connections,
    connect: { timeout: Math.min(stallMs, 15_000) },
    connectTimeout: Math.min(stallMs, 15_000),
    keepAliveTimeout: 10_000,
  };
  if (!proxy) return agentOf(options);
  const { proxyUsername, proxyPassword = '' } = credentials ?? {};
  const token = proxyUsername === undefined ? {} : { token: basic(proxyUsername, proxyPassword) };
  return new ProxyAgent({ ...options, uri: proxy, ...token });
}

/** Connections by way of the proxies that the environment names. */
export function agentOf(options: EnvHttpProxyAgent.Options): Dispatcher {
  return hasProxyVariables() ? new EnvHttpProxyAgent(options) : new Agent(options);
}

/** Looking for them once is cheaper than at each request. */
function hasProxyVariables(): boolean {
  return Object.keys(process.env).some((name) => /^https?_proxy$/i.test(name));
}

/** The value of an Authorization header (RFC 7617). */
export function basic(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}
