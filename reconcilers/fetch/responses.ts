import type { IncomingHttpHeaders } from 'node:http';
import { CairnError } from '../../crds/reasons.ts';
import { retryAfterMs, TransientError } from './retry.ts';

/**
 * Where a redirect leads; undefined when the response is none. Never from https to http, and never
 * to another scheme.
 */
export function followed(url: URL, status: number, headers: IncomingHttpHeaders): URL | undefined {
  if (![301, 302, 303, 307, 308].includes(status) || !headers.location) return undefined;
  if (!URL.canParse(headers.location, url)) return undefined;
  const next = new URL(headers.location, url);
  const downgrade = url.protocol === 'https:' && next.protocol !== 'https:';
  if (downgrade || !/^https?:$/.test(next.protocol)) {
    throw new CairnError(
      'UpstreamRefused',
      `${placeOf(url)} redirects to ${next.protocol}, which is refused`,
    );
  }
  next.username = '';
  next.password = '';
  return next;
}

/** The error for a status that isn't a file: busy servers may recover, refusals won't. */
export function refusal(url: URL, status: number, headers: IncomingHttpHeaders): CairnError {
  const transient = status >= 500 || status === 429 || status === 408 || status === 425;
  const message = `${placeOf(url)} answered ${status}`;
  if (!transient) return new CairnError('UpstreamRefused', `${message}${hint(status)}`);
  return new TransientError('UpstreamRefused', message, {
    retryAfterMs: retryAfterMs(headers['retry-after'], Date.now()),
  });
}

function hint(status: number): string {
  if (status === 401 || status === 403) return ' (does the Mirror need a secretRef?)';
  if (status === 407) return ' (the proxy wants proxyUsername and proxyPassword in the secretRef)';
  return '';
}

/** The error for an exchange that broke off. What a sink or the depot has to say passes through. */
export function unreachable(url: URL, error: unknown): CairnError {
  if (error instanceof CairnError && error.reason === 'TooLarge') {
    return new TransientError('HashMismatch', `${url.pathname} is ${error.message}`);
  }
  if (error instanceof CairnError) return error;
  const message = error instanceof Error ? error.message : String(error);
  // How undici's ProxyAgent tells it, with a tunnel and without one.
  if (message.includes('(407)')) return refusal(url, 407, {});
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const suffix = code === undefined ? '' : ` (${String(code)})`;
  return new TransientError(
    'UpstreamUnreachable',
    `${placeOf(url)}: ${message || 'failed'}${suffix}`,
    {
      cause: error,
    },
  );
}

/** An address for messages: its query may be a signature, which is a secret. */
export function placeOf({ origin, pathname }: URL): string {
  return `${origin}${pathname}`;
}
