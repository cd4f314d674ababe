import type { IncomingHttpHeaders } from 'node:http';
import { isRecord } from '../../crds/record.ts';

/** What a git host tells of: a push, perhaps to a ref by its full name; that it is there; or something else. */
export type HookEvent =
  | { readonly what: 'ping' }
  | { readonly what: 'other' }
  | { readonly what: 'push'; readonly ref: string | undefined };

/** Gitea sends GitHub's header as well; Bitbucket has the last one. */
const eventHeaders = ['x-github-event', 'x-gitlab-event', 'x-gitea-event', 'x-event-key'];
const pushes: ReadonlySet<string> = new Set([
  ...['push', 'create', 'delete', 'repo:push', 'repo:refs_changed'],
  ...['Push Hook', 'Tag Push Hook', 'System Hook'],
]);
const pings: ReadonlySet<string> = new Set(['ping', 'diagnostics:ping']);

/**
 * Reads a call whose signature holds. Nothing but whether to look is taken from it: where it does not say
 * which ref was pushed, any may have been.
 */
export function eventOf(headers: IncomingHttpHeaders, body: Buffer | undefined): HookEvent {
  const name = eventHeaders.map((one) => headers[one]).find((one) => typeof one === 'string');
  if (typeof name === 'string' && pings.has(name)) return { what: 'ping' };
  if (typeof name === 'string' && !pushes.has(name)) return { what: 'other' };
  return { what: 'push', ref: body && refOf(body.toString('utf8'), headers['content-type'] ?? '') };
}

function refOf(text: string, type: string): string | undefined {
  const isForm = type.startsWith('application/x-www-form-urlencoded');
  const json = isForm ? new URLSearchParams(text).get('payload') : text;
  try {
    const payload: unknown = JSON.parse(json ?? '');
    const ref = isRecord(payload) ? payload['ref'] : undefined;
    return typeof ref === 'string' && ref.startsWith('refs/') ? ref : undefined;
  } catch {
    return undefined;
  }
}
