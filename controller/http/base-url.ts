/**
 * How this client reaches us, without a trailing slash: the address that the operator gave, else
 * the Host that was asked for. Undefined when that is no plain `host[:port]`. What proxies claim in
 * X-Forwarded-* headers is not believed.
 */
export function baseUrl(
  host: string | undefined,
  externalUrl: string | undefined,
): string | undefined {
  if (externalUrl !== undefined) return externalUrl.replace(/\/+$/, '');
  const valid = /^([a-z0-9]([a-z0-9._-]*[a-z0-9])?\.?|\[[0-9a-f:.]+\])(:[0-9]{1,5})?$/i;
  return host !== undefined && host.length <= 260 && valid.test(host)
    ? `http://${host}`
    : undefined;
}
