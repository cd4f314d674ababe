import { request, type Dispatcher } from 'undici';
import { withSlash, type DeclaredArchive } from './archives.ts';
import { idleMs } from './tunnel.ts';

const mostRedirects = 5;
const headersWithinMs = 60_000;

/** An archive sends its clients to a place that was not declared. */
export class RedirectRefused extends Error {
  override readonly name = 'RedirectRefused';
}

export interface AskOptions {
  readonly method?: 'GET' | 'HEAD';
  readonly headers?: Readonly<Record<string, string | string[]>> | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly dispatcher?: Dispatcher | undefined;
  /** Without it, redirects are the client's affair. */
  readonly mayFollow?: ((url: string) => boolean) | undefined;
}

/** Whether a redirect stays with the archive: another place is another archive, and has to be declared. */
export function staysInside({ uri, mayRedirect }: DeclaredArchive): (url: string) => boolean {
  const base = withSlash(uri);
  return (to) =>
    mayRedirect === true || to.startsWith(base) || new URL(to).origin === new URL(base).origin;
}

/** Asks for a URL, wherever the answer is in the end; credentials stay with the first server. Throws `RedirectRefused`. */
export async function ask(target: string, options: AskOptions): Promise<Dispatcher.ResponseData> {
  const { method = 'GET', headers = {}, signal, dispatcher, mayFollow } = options;
  let url = target;
  for (let redirects = 0; ; redirects += 1) {
    const got = await request(url, {
      ...{ method, headersTimeout: headersWithinMs, bodyTimeout: idleMs },
      headers: new URL(url).origin === new URL(target).origin ? headers : anonymous(headers),
      ...(signal ? { signal } : {}),
      ...(dispatcher ? { dispatcher } : {}),
    });
    const to = mayFollow && redirectOf(got.statusCode, got.headers.location, url);
    if (to === undefined) return got;
    await got.body.dump();
    if (redirects === mostRedirects || !mayFollow?.(to)) {
      const { host } = new URL(to);
      throw new RedirectRefused(`the archive redirects to ${host}, which was not declared`);
    }
    url = to;
  }
}

function anonymous(headers: Readonly<Record<string, string | string[]>>) {
  const { authorization: _, ...others } = headers;
  return others;
}

function redirectOf(status: number, location: string | string[] | undefined, base: string) {
  if (![301, 302, 303, 307, 308].includes(status) || typeof location !== 'string') return undefined;
  return URL.parse(location, base)?.href;
}
