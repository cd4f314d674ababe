import { debFileName, formatPackage, readDeb, type Deb } from '../../apt/deb.ts';
import { dscFileName, formatSource, readBuildinfo, readDsc } from '../../apt/upload.ts';
import { FileHasher } from '../../apt/write/file-facts.ts';
import { poolDirectory } from '../../apt/write/pool-path.ts';
import { CairnError } from '../../crds/reasons.ts';
import {
  findSuite,
  suitesOf,
  type RepositorySpec,
  type RepositorySuite,
} from '../../crds/repository.ts';
import type { UploadFile, Upload } from '../../crds/upload.ts';
import type { BlobReader } from '../../depot/depot.ts';
import { changesAmong, checkListed } from './changes.ts';
import { ownedText } from './owners.ts';
import type { Find, NewPackage } from './packages.ts';

/** Into what an Upload is read. */
export interface Target {
  readonly spec: RepositorySpec;
  readonly blobs: BlobReader;
  readonly find: Find;
}

const maxControlBytes = 16 * 1024 * 1024;

/**
 * Reads what an Upload holds: every .deb, and source packages with all their files. Throws a
 * `CairnError` that says why the repository can't take it: `PackageInvalid` mostly.
 */
export async function readUpload(
  upload: Upload['spec'],
  target: Target,
): Promise<readonly NewPackage[]> {
  const { suite: wanted, component, files } = upload;
  const { spec, blobs } = target;
  const byName = uniquelyNamed(files);
  const changes = await changesAmong(files, blobs);
  if (changes) checkListed(changes, byName);
  const suite = suiteFor(spec, wanted, changes?.distributions);
  const packages: NewPackage[] = [];
  const used = new Set<string>(changes ? [changes.name] : []);
  for (const file of files) {
    if (/\.d?deb$/.test(file.name)) {
      packages.push(await binaryOf(file, { ...target, suite, component }));
      used.add(file.name);
    } else if (file.name.endsWith('.dsc')) {
      const source = await sourceOf(file, byName, { ...target, suite, component });
      packages.push(source.entry);
      for (const name of source.used) used.add(name);
    } else if (file.name.endsWith('.buildinfo')) {
      await readBuildinfo(await controlBytes(file, blobs), { name: file.name });
      used.add(file.name);
    }
  }
  refuseUnused(files, used);
  if (packages.length === 0) throw invalid('there is neither a .deb nor a .dsc in it');
  return packages.map(({ entry, ...one }) => {
    return { ...one, entry: { ...entry, text: ownedText(entry.text, upload) } };
  });
}

interface Place extends Target {
  readonly suite: RepositorySuite;
  /** As the Upload asks for it. */
  readonly component: string | undefined;
}

async function binaryOf(file: UploadFile, place: Place): Promise<NewPackage> {
  const { suite, blobs } = place;
  const deb = await named(file, async () => readDeb(await blobs.read(file.sha256)));
  mustBe(file, deb);
  if (deb.type === 'udeb')
    throw invalid(`${file.name}: packages of the installer are not published`);
  const { architectures } = suite;
  if (deb.architecture !== 'all' && !architectures.includes(deb.architecture)) {
    throw invalid(
      `${file.name} is for ${deb.architecture}, which suite ${suite.name} does not have: it has ` +
        architectures.join(', '),
    );
  }
  const component = componentFor(place, deb.control.get('Section'));
  const path = poolDirectory(component, deb.source) + debFileName(deb);
  return {
    suite: suite.name,
    component,
    entry: { ...identityOf(deb), text: formatPackage(deb, path) },
    files: [{ path, sha256: deb.sha256, size: deb.size }],
  };
}

function identityOf({ package: name, version, architecture }: Deb) {
  return { package: name, version, architecture };
}

async function sourceOf(
  file: UploadFile,
  byName: ReadonlyMap<string, UploadFile>,
  place: Place,
): Promise<{ readonly entry: NewPackage; readonly used: readonly string[] }> {
  const { suite, blobs, find } = place;
  const dsc = await readDsc(await controlBytes(file, blobs), { name: file.name });
  const section = dsc.control.get('Section') ?? sectionListed(dsc.control.get('Package-List'));
  const component = componentFor(place, section);
  const directory = poolDirectory(component, dsc.source);
  const own = { name: dscFileName(dsc), size: file.size, sha256: file.sha256 };
  for (const part of dsc.files) {
    // An upstream tarball comes with the first revision alone.
    const given = byName.get(part.name) ?? (await find(directory + part.name));
    if (!given) throw invalid(`${part.name}, which ${file.name} names, is missing`);
    if (given.sha256 !== part.sha256 || given.size !== part.size) {
      throw invalid(`${part.name} is not the one that ${file.name} names`);
    }
  }
  const parts = [own, ...dsc.files];
  const files = await Promise.all(dsc.files.map((part) => withAllHashes(part, blobs)));
  const text = formatSource({ ...dsc, files }, { directory: directory.slice(0, -1) });
  return {
    used: [file.name, ...dsc.files.map(({ name }) => name)],
    entry: {
      suite: suite.name,
      component,
      entry: { package: dsc.source, version: dsc.version, architecture: 'source', text },
      files: parts.map(({ name, sha256, size }) => ({ path: directory + name, sha256, size })),
    },
  };
}

/** A .dsc says few of them; what is in the depot under this SHA-256 is that file. */
async function withAllHashes<Part extends { readonly sha256: string }>(
  part: Part,
  blobs: BlobReader,
): Promise<Part & { readonly md5: string; readonly sha1: string; readonly sha512: string }> {
  const hasher = new FileHasher();
  for await (const chunk of (await blobs.read(part.sha256)) as AsyncIterable<Buffer>) {
    hasher.update(chunk);
  }
  const { MD5Sum, SHA1, SHA512 } = hasher.facts().hashes;
  return { ...part, md5: MD5Sum, sha1: SHA1, sha512: SHA512 };
}

/** The suite that is asked for, that of a .changes, or the first. Throws `PackageInvalid`. */
export function suiteFor(
  spec: RepositorySpec,
  wanted: string | undefined,
  distributions: readonly string[] | undefined,
): RepositorySuite {
  const names = wanted === undefined ? distributions : [wanted];
  const found = findSuite(spec, names);
  if (found) return found;
  const has = suitesOf(spec)
    .map(({ name }) => name)
    .join(', ');
  throw invalid(
    wanted === undefined
      ? `the .changes is for ${(names ?? []).join(', ')}, and the suites here are ${has}: name one`
      : `there is no suite ${wanted}; there is ${has}`,
  );
}

/** The component that is asked for, that in front of the section if there is one, or the first. */
function componentFor({ suite, component }: Place, section: string | undefined): string {
  const { components, name } = suite;
  if (component !== undefined && !components.includes(component)) {
    throw invalid(`suite ${name} has no component ${component}; it has ${components.join(', ')}`);
  }
  const area = section?.includes('/') ? section.split('/', 1)[0] : undefined;
  const said = components.find((one) => one === (component ?? area));
  return said ?? components[0] ?? 'main';
}

/** Of the first binary package: `hello deb contrib/misc optional arch=any`. */
function sectionListed(list: string | undefined): string | undefined {
  return list?.trim().split('\n', 1)[0]?.split(/\s+/)[2];
}

function uniquelyNamed(files: readonly UploadFile[]): ReadonlyMap<string, UploadFile> {
  const byName = new Map(files.map((file) => [file.name, file]));
  if (byName.size < files.length) throw invalid('two of its files have the same name');
  return byName;
}

function refuseUnused(files: readonly UploadFile[], used: ReadonlySet<string>): void {
  const odd = files.find(({ name }) => !used.has(name));
  if (odd) throw invalid(`${odd.name} is neither a package nor a part of one of these`);
}

/** What is in the depot under a digest is right; what it was said to be may not. */
function mustBe(file: UploadFile, { size }: Pick<Deb, 'size'>): void {
  if (size !== file.size) throw invalid(`${file.name} has ${size} bytes, not ${file.size}`);
}

async function controlBytes(file: UploadFile, blobs: BlobReader): Promise<Buffer> {
  const bytes = await blobs.bytes(file.sha256, maxControlBytes);
  mustBe(file, { size: bytes.length });
  return bytes;
}

/** Says of which file a message is. */
async function named<Result>(file: UploadFile, read: () => Promise<Result>): Promise<Result> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof CairnError) || error.reason !== 'PackageInvalid') throw error;
    throw invalid(`${file.name}: ${error.message}`, error);
  }
}

function invalid(message: string, cause?: unknown): CairnError {
  return new CairnError('PackageInvalid', message, { cause });
}
