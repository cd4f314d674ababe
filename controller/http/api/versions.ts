import type { Request } from 'express';
import { invalidParameter, unsupported } from './parameters.ts';
import { textOf } from './selectors.ts';
import { ApiFailure } from './status.ts';

/**
 * Holds a list to `resourceVersion` and `resourceVersionMatch`: what is there is the newest state,
 * which is good for `NotOlderThan`, and for `Exact` while nothing has changed. Throws 422, 410, and
 * 504 for a version that is still to come.
 */
export function checkListVersion(req: Request, latest: string): void {
  const [version, match] = [textOf(req, 'resourceVersion'), textOf(req, 'resourceVersionMatch')];
  const isContinued = textOf(req, 'continue') !== '';
  checkMatch(match, ['', 'NotOlderThan', 'Exact']);
  if (match !== '' && version === '') {
    throw invalidParameter(
      'resourceVersionMatch',
      'it is forbidden unless resourceVersion is given',
    );
  }
  if (isContinued && version !== '' && version !== '0') {
    throw invalidParameter('resourceVersion', 'it is forbidden together with continue');
  }
  if (version === '' || version === '0') return;
  refuseFuture(version, latest);
  if (match === 'Exact' && version !== latest) {
    throw new ApiFailure(410, `the state of version ${version} is not known any more`);
  }
}

/** How a watch begins. */
export interface WatchStart {
  /** The version to go on from; from now on when it is not given. */
  readonly from: string | undefined;
  /** Tell what is there first. */
  readonly initial: boolean;
  /** Mark the end of what was there with a bookmark. */
  readonly marked: boolean;
}

/** Reads `resourceVersion` and `sendInitialEvents`, by the rules of the API server. Throws 422. */
export function watchStart(req: Request): WatchStart {
  const [version, match] = [textOf(req, 'resourceVersion'), textOf(req, 'resourceVersionMatch')];
  const send = textOf(req, 'sendInitialEvents');
  const from = version === '' || version === '0' ? undefined : version;
  if (send === '') {
    checkMatch(match, ['']);
    return { from, initial: from === undefined, marked: false };
  }
  checkMatch(match, ['NotOlderThan']);
  if (send !== 'true' && send !== '1') return { from, initial: false, marked: false };
  const marked = textOf(req, 'allowWatchBookmarks') === 'true';
  return { from: undefined, initial: true, marked };
}

function checkMatch(match: string, allowed: readonly string[]): void {
  if (!allowed.includes(match)) throw unsupported('resourceVersionMatch', match, allowed);
}

function refuseFuture(version: string, latest: string): void {
  if (!/^\d{1,15}$/.test(version)) {
    throw new ApiFailure(
      400,
      `resourceVersion: expected a number, found ${JSON.stringify(version)}`,
    );
  }
  if (Number(version) <= Number(latest)) return;
  const message = `too large resource version: ${version}, current: ${latest}`;
  const cause = {
    reason: 'ResourceVersionTooLarge',
    message: 'Too large resource version',
    field: '',
  };
  throw new ApiFailure(504, message, { reason: 'Timeout', details: { causes: [cause] } });
}
