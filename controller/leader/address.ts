import { isIP, isIPv4, isIPv6 } from 'node:net';

/** The annotation of the Lease that says how other replicas reach the one that holds it. */
export const addressAnnotation = 'cairn.build/address';

/** Where other replicas reach this one. */
export interface Advertised {
  readonly ip: string;
  /** Left out: the port that it listens on. */
  readonly port?: number | undefined;
}

const unspecified: ReadonlySet<string> = new Set(['0.0.0.0', '::']);

/** Reads `IP`, `IP:PORT` or `[IPV6]:PORT`; undefined for anything else. */
export function parseAdvertised(text: string): Advertised | undefined {
  if (isIP(text)) return { ip: text };
  const [, v6, v4, digits] = /^(?:\[([^\]]+)\]|([^:]+)):([1-9][0-9]{0,4})$/.exec(text) ?? [];
  const ip = v6 ?? v4 ?? '';
  const port = Number(digits);
  if (port > 65_535 || !(v6 === undefined ? isIPv4(ip) : isIPv6(ip))) return undefined;
  return { ip, port };
}

/**
 * `IP:PORT` or `[IPV6]:PORT` of a replica that serves at `url`; undefined when it listens on all addresses, and nobody
 * has said which one is its own.
 */
export function addressOf(url: string, given: Advertised | undefined): string | undefined {
  const { port: own } = new URL(url);
  const ip = given?.ip ?? ipOf(url);
  if (unspecified.has(ip)) return undefined;
  return `${isIPv6(ip) ? `[${ip}]` : ip}:${given?.port ?? (own || 80)}`;
}

/** The URL of a server as this machine reaches it, which may listen on all addresses. */
export function fromHere(url: string): string {
  if (!unspecified.has(ipOf(url))) return url;
  const here = new URL(url);
  here.hostname = '127.0.0.1';
  return here.origin;
}

function ipOf(url: string): string {
  return new URL(url).hostname.replace(/^\[|\]$/g, '');
}

/** What a Lease says, which others can write as well: an address, or nothing. */
export function addressIn(annotations: Readonly<Record<string, unknown>>): string | undefined {
  const text = annotations[addressAnnotation];
  const found = typeof text === 'string' ? parseAdvertised(text) : undefined;
  return found?.port === undefined ? undefined : String(text);
}
