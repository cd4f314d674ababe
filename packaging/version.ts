import { compareVersions } from '../apt/version.ts';
import { CairnError } from '../crds/reasons.ts';
import { quoted } from './failure.ts';
import type { VersionFacts } from './request.ts';

/** dpkg keeps an epoch as an int (deb-version(7)). */
const maxEpoch = 2 ** 31 - 1;
/** Long enough for everybody; file names have to hold it. */
const maxUpstream = 100;

export interface DebianVersion {
  readonly epoch: number;
  readonly upstream: string;
  readonly revision?: string;
}

/** Takes a version apart (deb-version(7), Policy 5.6.12); undefined when dpkg would refuse it. */
export function parseVersion(text: string): DebianVersion | undefined {
  const [, epoch = '0', rest = ''] = /^(?:([0-9]{1,10}):)?([^:].*)$/s.exec(text) ?? [];
  const dash = rest.lastIndexOf('-');
  const upstream = dash < 0 ? rest : rest.slice(0, dash);
  const revision = dash < 0 ? undefined : rest.slice(dash + 1);
  if (!/^[0-9][A-Za-z0-9.+~-]*$/.test(upstream) || Number(epoch) > maxEpoch) return undefined;
  if (revision === undefined) return { epoch: Number(epoch), upstream };
  if (!/^[A-Za-z0-9.+~]+$/.test(revision)) return undefined;
  return { epoch: Number(epoch), upstream, revision };
}

export function formatVersion({ epoch, upstream, revision }: DebianVersion): string {
  const head = epoch === 0 ? upstream : `${epoch}:${upstream}`;
  return revision === undefined ? head : `${head}-${revision}`;
}

/**
 * The version of a build: `base` with `+counter` after its upstream part, so that each build has an
 * upstream tarball of its own. It is higher than `last` by dpkg's rules: where it would not be because
 * somebody else has counted further, as a source of before that was declared anew, it goes on from
 * there; else the epoch of `last` is taken, and where that does not do, the next one.
 */
export function nextVersion(base: DebianVersion, { counter, last }: VersionFacts): DebianVersion {
  if (!Number.isSafeInteger(counter) || counter < 0) {
    throw new CairnError('InternalError', `a counter of builds can not be ${counter}`);
  }
  const counted = (count: number) => ({ ...base, upstream: `${base.upstream}+${count}` });
  const next = counted(counter);
  if (last === undefined || isHigher(next, last)) return next;
  const before = parseVersion(last);
  if (!before) {
    throw new CairnError('InternalError', `the last version, ${quoted(last)}, is no version`);
  }
  const further = counted(countOf(before, base) + 1);
  const { epoch } = before;
  const found = [further, { ...next, epoch }, { ...further, epoch }].find((one) =>
    isHigher(one, last),
  );
  if (found) return found;
  if (epoch === maxEpoch) {
    throw new CairnError('SourceInvalid', `no version is higher than ${last}`);
  }
  return { ...next, epoch: epoch + 1 };
}

/** How far was counted on the same base; -1 when it was another one. */
function countOf(before: DebianVersion, { upstream }: DebianVersion): number {
  const prefix = `${upstream}+`;
  const rest = before.upstream.startsWith(prefix) ? before.upstream.slice(prefix.length) : '';
  return /^[0-9]{1,15}$/.test(rest) ? Number(rest) : -1;
}

function isHigher(version: DebianVersion, last: string): boolean {
  return compareVersions(formatVersion(version), last) > 0;
}

/**
 * What upstreams call their versions, as an upstream version of Debian: `v1.2.0-rc.1` and `1.2rc1` become
 * `1.2.0~rc.1` and `1.2~rc1`, which are lower than what they precede. Undefined when there is no number.
 */
export function upstreamVersion(text: string): string | undefined {
  if (text.length > 2 * maxUpstream) return undefined;
  const plain = text
    .trim()
    .replace(/^[0-9]{1,9}!/, '') // an epoch of PEP 440
    .replace(/^[^0-9]*?(?=[0-9])/, '')
    .replace(/_/g, '.');
  const [, release = '', rest = ''] = /^([0-9]+(?:\.[0-9]+)*)(.*)$/s.exec(plain) ?? [];
  if (release === '') return undefined;
  const version = (release + preRelease(rest)).replace(/[^A-Za-z0-9.+~]+/g, '.');
  return version.slice(0, maxUpstream).replace(/[.+~]+$/, '');
}

/** Words for what comes before a release: PEP 440, semver, and what people write. */
const before = /^[.-]?(a|b|c|rc|alpha|beta|pre|preview|dev|snapshot|m|milestone)(?![a-z])/i;

function preRelease(rest: string): string {
  if (before.test(rest)) return `~${rest.replace(/^[.-]/, '')}`;
  if (/^[.-]?(post|p|r|patch|rev)[.-]?[0-9]/i.test(rest)) return `+${rest.replace(/^[.-]/, '')}`;
  // In semver, everything after a dash precedes the release.
  return rest.startsWith('-') ? `~${rest.slice(1)}` : rest;
}

/** The upstream version that a tag names; of `git describe`, the tag that the commit comes after. */
export function versionOfTag(describe: string): string | undefined {
  const tag = describe.replace(/-[0-9]{1,9}-g[0-9a-f]{4,64}$/, '');
  const version = /(?:^|[/_-])v?([0-9].*)$/s.exec(tag)?.[1] ?? /^[^0-9]+([0-9].*)$/s.exec(tag)?.[1];
  return version === undefined ? undefined : upstreamVersion(version);
}

/** The higher of two upstream versions: metadata may be ahead of the last tag, or never be set. */
export function higherVersion(a: string | undefined, b: string | undefined): string | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return compareVersions(a, b) >= 0 ? a : b;
}
