import { hash } from 'node:crypto';
import { splitCleartext } from '../../apt/cleartext.ts';
import {
  readKeyring,
  verifyDetached,
  verifyRelease,
  type Keyring,
  type Verified,
  type VerifyOptions,
} from '../../apt/openpgp.ts';
import { parseRelease, type Release } from '../../apt/release.ts';
import type { MirroredSuite } from '../../crds/mirror.ts';
import { CairnError } from '../../crds/reasons.ts';
import type { Page, Upstream, Validators } from '../fetch/upstream.ts';
import { accept } from './accept.ts';
import type { RefreshRequest } from './request.ts';

/** A Release as upstream has it now, checked, with the files it came in. */
export interface OfferedSuite {
  readonly suite: string;
  /** The directory of its Release files: `dists/stable/`, or that of a flat repository. */
  readonly directory: string;
  readonly release: Release;
  /** SHA-256 of the InRelease, or of the Release where there is none. */
  readonly digest: string;
  readonly signedBy: readonly string[];
  readonly validators: Validators;
  /** InRelease, or Release and Release.gpg: name → bytes. */
  readonly files: ReadonlyMap<string, Buffer>;
  readonly warnings: readonly string[];
}

const maxReleaseBytes = 16 * 1024 * 1024;
const maxSignatureBytes = 256 * 1024;

/** The directory of a suite's Release files. A suite that ends in a slash is a flat repository. */
export function suiteDirectory(suite: string): string {
  if (!suite.endsWith('/')) return `dists/${suite}/`;
  return suite === './' || suite === '/' ? '' : suite.replace(/^\.\//, '');
}

/**
 * Looks at one suite upstream. Returns 'same' when its Release is byte for byte the one held.
 * Throws when it is missing, unsigned, badly signed, expired or older than the one held.
 */
export async function offeredSuite(
  suite: string,
  upstream: Upstream,
  request: RefreshRequest,
  { now, signal, trusted }: { now: Date; signal: AbortSignal; trusted: MirroredSuite | undefined },
): Promise<OfferedSuite | 'same'> {
  const directory = suiteDirectory(suite);
  const { checkValidUntil } = request.spec;
  const page = await upstream.page(`${directory}InRelease`, {
    maxBytes: maxReleaseBytes,
    ...(trusted ? { validators: trusted } : {}),
    signal,
  });
  if (trusted && isSame(page, trusted)) {
    accept(suite, datesOf(trusted), undefined, { now, checkValidUntil });
    return 'same';
  }
  const files = page.status === 'ok' ? new Map([['InRelease', page.body]]) : undefined;
  const offered = files
    ? await readInRelease(suite, files, request, now)
    : await readDetached(suite, upstream, request, { now, signal, trusted });
  if (offered === 'same') return 'same';
  const held = request.previous?.suites.find((old) => old.suite === suite);
  accept(suite, offered.release, held, { now, checkValidUntil });
  const validators = page.status === 'ok' ? page.validators : {};
  return { suite, directory, validators, ...offered };
}

type Read = Pick<OfferedSuite, 'release' | 'digest' | 'signedBy' | 'files' | 'warnings'>;

async function readInRelease(
  suite: string,
  files: ReadonlyMap<string, Buffer>,
  request: RefreshRequest,
  now: Date,
): Promise<Read> {
  const bytes = files.get('InRelease') ?? Buffer.alloc(0);
  const cleartext = named(`InRelease of ${suite}`, () => splitCleartext(bytes));
  const verified = await checked(`InRelease of ${suite}`, request, now, (keys, options) =>
    verifyRelease(cleartext, keys, options),
  );
  const release = named(`InRelease of ${suite}`, () => parseRelease(cleartext.text));
  return { release, digest: hash('sha256', bytes), files, ...verified };
}

async function readDetached(
  suite: string,
  upstream: Upstream,
  request: RefreshRequest,
  { now, signal, trusted }: { now: Date; signal: AbortSignal; trusted: MirroredSuite | undefined },
): Promise<Read | 'same'> {
  const directory = suiteDirectory(suite);
  const page = await upstream.page(`${directory}Release`, { maxBytes: maxReleaseBytes, signal });
  if (page.status !== 'ok') {
    throw new CairnError(
      'FileMissing',
      `there is neither ${directory}InRelease nor ${directory}Release at ${request.spec.url}: ` +
        'are the url and the suite right?',
    );
  }
  const digest = hash('sha256', page.body);
  if (trusted?.release === digest) {
    const { checkValidUntil } = request.spec;
    accept(suite, datesOf(trusted), undefined, { now, checkValidUntil });
    return 'same';
  }
  const files = new Map([['Release', page.body]]);
  const path = `${directory}Release.gpg`;
  const signature = await upstream.page(path, { maxBytes: maxSignatureBytes, signal });
  if (signature.status === 'ok') files.set('Release.gpg', signature.body);
  const verified = await checked(`Release of ${suite}`, request, now, (keys, options) => {
    if (signature.status === 'ok') return verifyDetached(page.body, signature.body, keys, options);
    throw new CairnError(
      'SignatureInvalid',
      'there is neither InRelease nor Release.gpg (allowUnsigned: true would accept that)',
    );
  });
  const text = page.body.toString('utf8');
  const release = named(`Release of ${suite}`, () => parseRelease(text));
  return { release, digest, files, ...verified };
}

/** Checks the signatures against the declared keys, unless the manifest says that there are none. */
async function checked(
  what: string,
  { keyring, spec }: RefreshRequest,
  now: Date,
  verify: (keys: Keyring, options: VerifyOptions) => Promise<Verified>,
): Promise<{ signedBy: readonly string[]; warnings: readonly string[] }> {
  if (keyring === undefined) return { signedBy: [], warnings: [] };
  const keys = await readKeyring(keyring);
  const fingerprints = spec.signedBy?.fingerprints;
  try {
    const result = await verify(keys, { now, ...(fingerprints ? { fingerprints } : {}) });
    return { signedBy: result.fingerprints, warnings: result.warnings };
  } catch (error) {
    throw explained(what, error);
  }
}

function isSame(page: Page, held: MirroredSuite): boolean {
  if (page.status === 'same') return true;
  return page.status === 'ok' && hash('sha256', page.body) === held.release;
}

function datesOf({ date, validUntil }: MirroredSuite) {
  return { date: new Date(date), validUntil: validUntil ? new Date(validUntil) : undefined };
}

function named<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw explained(what, error);
  }
}

function explained(what: string, error: unknown): unknown {
  if (!(error instanceof CairnError)) return error;
  return new CairnError(error.reason, `${what}: ${error.message}`, { cause: error });
}
