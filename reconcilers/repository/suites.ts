import { clearsign, detachSign, type SigningKey } from '../../apt/openpgp.ts';
import { parseRelease } from '../../apt/release.ts';
import { factsOf, type FileFacts } from '../../apt/write/file-facts.ts';
import { formatRelease } from '../../apt/write/release.ts';
import { suitesOf, type RepositoryState, type RepositorySuite } from '../../crds/repository.ts';
import type { Blobs, Tree, TreeEntry } from '../../depot/depot.ts';
import { signingTime } from '../signing/signing-time.ts';
import type { Indexes, NewIndex } from './indexes.ts';
import { otherForms } from './other-forms.ts';
import { directoryOf, indexPath } from './places.ts';
import type { PublishRequest } from './request.ts';

export interface SuiteParts {
  readonly indexes: Indexes;
  readonly before: Tree | undefined;
  readonly blobs: Blobs;
  readonly keys: readonly SigningKey[];
}

type SuiteState = RepositoryState['suites'][number];

interface Written {
  /** All that is below `dists/`, in no order. */
  readonly entries: TreeEntry[];
  readonly suites: SuiteState[];
}

/** Stores the indexes of every suite, and Release files over them. */
export async function writeSuites(request: PublishRequest, parts: SuiteParts): Promise<Written> {
  const written: Written = { entries: [], suites: [] };
  for (const suite of suitesOf(request.spec)) {
    const directory = directoryOf({ suite: suite.name });
    const listed = await writeIndexes(suite.name, request.slow, parts, written.entries);
    const { facts, text } = releaseOf(request, suite, listed);
    const files = await signed(text, parts.keys, new Date(request.date));
    let release = '';
    for (const [name, content] of files) {
      const blob = parts.blobs.put(Buffer.from(content));
      written.entries.push({ path: directory + name, ...blob });
      release = blob.sha256;
    }
    written.suites.push({
      suite: suite.name,
      path: `dists/${suite.name}`,
      release,
      date: request.date,
      ...(request.validUntil === undefined ? {} : { validUntil: request.validUntil }),
      publishedAt: request.date,
      ...facts,
      components: [...suite.components],
      architectures: [...suite.architectures],
      sources: true,
      signedBy: parts.keys.map(({ fingerprint }) => fingerprint),
    });
  }
  return written;
}

function releaseOf(
  { name, spec, date, validUntil }: PublishRequest,
  suite: RepositorySuite,
  listed: ReadonlyMap<string, FileFacts>,
) {
  const facts = {
    origin: suite.origin ?? spec.origin ?? name,
    label: suite.label ?? spec.label ?? name,
    codename: suite.codename ?? suite.name,
  };
  const text = formatRelease(
    {
      ...suite,
      ...facts,
      suite: suite.name,
      description: suite.description ?? spec.description,
      date: new Date(date),
      validUntil: validUntil === undefined ? undefined : new Date(validUntil),
    },
    listed,
  );
  return { facts, text };
}

/** InRelease last: its digest stands for the state. */
async function signed(
  text: string,
  keys: readonly SigningKey[],
  date: Date,
): Promise<readonly (readonly [string, string])[]> {
  const at = signingTime(keys, date);
  return [
    ['Release', text],
    ['Release.gpg', await detachSign(text, keys, at)],
    ['InRelease', await clearsign(text, keys, at)],
  ];
}

/** The indexes of a suite; what stayed as it was is listed as it was. */
async function writeIndexes(
  suite: string,
  slow: PublishRequest['slow'],
  { indexes, before, blobs }: SuiteParts,
  entries: TreeEntry[],
): Promise<ReadonlyMap<string, FileFacts>> {
  const listed = new Map<string, FileFacts>();
  const directory = directoryOf({ suite });
  const known = await listedBefore(before, blobs, directory);
  for (const index of indexes.all()) {
    if (index.suite !== suite) continue;
    const path = indexPath(index);
    const { gz, plain } = factsFor(index, known);
    if (plain) listed.set(path, plain);
    listed.set(`${path}.gz`, gz);
    const blob = { sha256: gz.hashes.SHA256, size: gz.size };
    if (index.facts) blobs.put(index.gz, blob);
    entries.push(...namesOf(directory, `${path}.gz`, gz));
    for (const form of otherForms(index, blob.sha256, { directory, known, slow })) {
      listed.set(form.path, form.facts);
      if (form.isServed) entries.push(...namesOf(directory, form.path, form.facts));
    }
  }
  return listed;
}

function factsFor({ gz, facts, ...place }: NewIndex, known: Known) {
  const path = indexPath(place);
  return facts ?? { gz: known(`${path}.gz`) ?? factsOf(gz), plain: known(path) };
}

type Known = (path: string) => FileFacts | undefined;

/** What the Release of before lists. */
async function listedBefore(
  before: Tree | undefined,
  blobs: Blobs,
  directory: string,
): Promise<Known> {
  const found = await before?.get(`${directory}Release`);
  if (!found) return () => undefined;
  const { files } = parseRelease((await blobs.bytes(found.sha256)).toString('utf8'));
  return (path) => {
    const file = files.get(path);
    const { MD5Sum = '', SHA1 = '', SHA256 = '', SHA512 = '' } = file?.hashes ?? {};
    return file && { size: file.size, hashes: { MD5Sum, SHA1, SHA256, SHA512 } };
  };
}

const hashTypes = ['MD5Sum', 'SHA1', 'SHA256', 'SHA512'] as const;

function namesOf(directory: string, path: string, facts: FileFacts): TreeEntry[] {
  const blob = { sha256: facts.hashes.SHA256, size: facts.size };
  const folder = directory + path.slice(0, path.lastIndexOf('/') + 1);
  const byHash = hashTypes.map((type) => `${folder}by-hash/${type}/${facts.hashes[type]}`);
  return [directory + path, ...byHash].map((name) => ({ path: name, ...blob }));
}
