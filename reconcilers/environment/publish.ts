import { hash } from 'node:crypto';
import { splitCleartext } from '../../apt/cleartext.ts';
import { clearsign, detachSign, type SigningKey } from '../../apt/openpgp.ts';
import { reissue } from '../../apt/release.ts';
import type { Environment, Publication, PublishedMember } from '../../crds/environment.ts';
import { CairnError } from '../../crds/reasons.ts';
import { durationMs } from '../../crds/duration.ts';
import type { FrozenMember, Snapshot } from '../../crds/snapshot.ts';
import { timestamp } from '../../crds/timestamp.ts';
import type { Blobs, TreeEntry } from '../../depot/depot.ts';

import { comparePaths, writeTree } from '../../depot/tree-writer.ts';
import type { Trees } from '../../depot/trees.ts';
import { signingTime } from '../signing/signing-time.ts';

export interface PublishDeps {
  readonly blobs: Blobs;
  readonly trees: Trees;
}

const atOnce = 4;
const maxReleaseBytes = 16 * 1024 * 1024;

/** Covers all that the issued Release files are made from, but the time. */
export function inputsOf(
  environment: Environment,
  snapshot: Snapshot,
  keys: readonly SigningKey[],
): string {
  const members = (snapshot.status.members ?? []).map(({ path, tree }) => [path, tree]);
  const fingerprints = keys.map(({ fingerprint }) => fingerprint);
  const { validFor } = environment.spec;
  return hash(
    'sha256',
    JSON.stringify([snapshot.metadata.uid, members, fingerprints, validFor ?? null]),
  );
}

/**
 * Issues the Release files of every suite of a snapshot anew: the same indexes, with a Date of our
 * own, our Valid-Until and our signatures. Everything is durable when this returns.
 */
export async function publish(
  environment: Environment,
  snapshot: Snapshot,
  { keys, date, deps }: { keys: readonly SigningKey[]; date: Date; deps: PublishDeps },
): Promise<Publication> {
  const validForMs = durationMs(environment.spec.validFor ?? '0s');
  const validUntil = validForMs > 0 ? new Date(date.getTime() + validForMs) : undefined;
  const issue = { keys, date, validUntil, deps };
  const frozen = snapshot.status.members ?? [];
  const members = await eachOf(frozen, async (member): Promise<PublishedMember> => ({
    ...member,
    overlay: await overlayOf(member, issue),
  }));
  await deps.blobs.sync();
  const { published } = environment.status;
  const same = published?.snapshotUid === snapshot.metadata.uid;
  return {
    snapshot: snapshot.metadata.name,
    snapshotUid: snapshot.metadata.uid,
    promotedAt: published && same ? published.promotedAt : timestamp(date),
    date: timestamp(date),
    ...(validUntil ? { validUntil: timestamp(validUntil) } : {}),
    inputs: inputsOf(environment, snapshot, keys),
    members,
  };
}

interface Issue {
  readonly keys: readonly SigningKey[];
  readonly date: Date;
  readonly validUntil: Date | undefined;
  readonly deps: PublishDeps;
}

/** The tree of the Release files issued for one member. */
async function overlayOf(member: FrozenMember, issue: Issue): Promise<string> {
  const { blobs } = issue.deps;
  const issued = await eachOf(member.suites, ({ path }) => issuedSuite(member, path, issue));
  const entries = issued.flat().sort((a, b) => comparePaths(a.path, b.path));
  return (await writeTree(blobs, entries)).digest;
}

async function issuedSuite(
  member: FrozenMember,
  path: string,
  { keys, date, validUntil, deps }: Issue,
): Promise<readonly TreeEntry[]> {
  const directory = path === '' ? '' : `${path}/`;
  const upstream = await upstreamRelease(member, directory, deps);
  const release = reissue(upstream, { date, ...(validUntil ? { validUntil } : {}) });
  const at = signingTime(keys, date);
  const [detached, inRelease] = await Promise.all([
    detachSign(release, keys, at),
    clearsign(release, keys, at),
  ]);
  const put = (name: string, content: string) => ({
    path: directory + name,
    ...deps.blobs.put(Buffer.from(content)),
  });
  return [put('Release', release), put('Release.gpg', detached), put('InRelease', inRelease)];
}

/** Does the same for each, some at a time: a set may have hundreds of suites of 16 MB. */
async function eachOf<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  for (let at = 0; at < items.length; at += atOnce) {
    results.push(...(await Promise.all(items.slice(at, at + atOnce).map(work))));
  }
  return results;
}

async function upstreamRelease(
  member: FrozenMember,
  directory: string,
  { trees, blobs }: PublishDeps,
): Promise<string> {
  const tree = await trees.open(member.tree);
  const inRelease = await tree.get(`${directory}InRelease`);
  if (inRelease) return splitCleartext(await blobs.bytes(inRelease.sha256, maxReleaseBytes)).text;
  const release = await tree.get(`${directory}Release`);
  if (release) return (await blobs.bytes(release.sha256, maxReleaseBytes)).toString('utf8');
  throw new CairnError(
    'TreeInvalid',
    `the tree of ${member.path} has no Release in ${directory || './'}`,
  );
}
