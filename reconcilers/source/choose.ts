import { compareVersions } from '../../apt/version.ts';
import { CairnError } from '../../crds/reasons.ts';
import type { Source } from '../../crds/source.ts';
import { versionOfTag } from '../../packaging/version.ts';
import type { Refs } from '../git/refs.ts';

/** A ref by its full name, and the commit that it is at. */
export interface Chosen {
  readonly ref: string;
  readonly commit: string;
}

const tags = 'refs/tags/';

/** The commit that a Source asks for. Throws `SourceInvalid` when the repository has no such ref. */
export function chooseRef({ ref }: Source['spec'], refs: Refs): Chosen {
  const { branch, tag, semver, prereleases } = ref;
  if (semver !== undefined) return highest(semver, prereleases, refs);
  const name =
    tag !== undefined ? `${tags}${tag}` : branch !== undefined ? `refs/heads/${branch}` : 'HEAD';
  const commit = refs.get(name);
  if (commit !== undefined) return { ref: name, commit };
  const what =
    tag !== undefined ? `tag ${tag}` : branch !== undefined ? `branch ${branch}` : 'default branch';
  throw new CairnError('SourceUnreachable', `the repository has no ${what}`);
}

/** Whether a Source may want to know that this ref was pushed, which is given by its full name. */
export function isAbout({ ref: { branch, tag, semver } }: Source['spec'], ref: string): boolean {
  if (semver !== undefined) return ref.startsWith(tags) && fits(ref.slice(tags.length), semver);
  if (tag !== undefined) return ref === `${tags}${tag}`;
  return branch === undefined ? ref.startsWith('refs/heads/') : ref === `refs/heads/${branch}`;
}

/** By dpkg's order of the versions that tags name, in which 1.0~rc1 comes before 1.0. */
function highest(pattern: string, prereleases: boolean, refs: Refs): Chosen {
  let best: (Chosen & { readonly version: string }) | undefined;
  for (const [ref, commit] of refs) {
    if (!ref.startsWith(tags) || !fits(ref.slice(tags.length), pattern)) continue;
    const version = versionOfTag(ref.slice(tags.length));
    // What is no version at all, as in v1.$x, has gaps that would sort above every number.
    if (version === undefined || /[.+~]{2}/.test(version)) continue;
    if (version.includes('~') && !prereleases) continue;
    if (!best || compareVersions(version, best.version) > 0) best = { ref, commit, version };
  }
  if (best) return { ref: best.ref, commit: best.commit };
  throw new CairnError('SourceUnreachable', `no tag with a version fits ${pattern}`);
}

/** Whether a text fits a pattern in which `*` stands for anything; in linear time for each star. */
export function fits(text: string, pattern: string): boolean {
  const [first = '', ...parts] = pattern.split('*');
  const last = parts.pop();
  if (last === undefined) return text === pattern;
  if (!text.startsWith(first) || text.length < first.length + last.length) return false;
  let at = first.length;
  const end = text.length - last.length;
  for (const part of parts) {
    const found = text.indexOf(part, at);
    if (found < 0 || found + part.length > end) return false;
    at = found + part.length;
  }
  return text.endsWith(last);
}
