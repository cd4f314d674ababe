import { CairnError } from '../../crds/reasons.ts';
import { decompress, type Compression, type UnsupportedCompression } from '../decompress.ts';
import { nextMember, readMagic, type ArMember } from './ar.ts';
import { readContents } from './contents.ts';
import { readControlFile } from './control-archive.ts';
import { parseControl, type ControlParagraph } from './control.ts';
import { HashingReader, type Digests } from './hashing-reader.ts';
import { invalid, shown } from './invalid.ts';
import { unpackFiles, type TakeFiles } from './unpack.ts';
import { defaultDebLimits, type DebLimits } from './limits.ts';
import { requireArchitecture, requirePackageName, requireVersion, sourceOf } from './names.ts';

/** A binary package: what its control file says, and what it is as a file. */
export interface Deb extends Digests {
  readonly package: string;
  readonly version: string;
  /** `all`, or a single one. */
  readonly architecture: string;
  /** The name of its source package; its own where it names none. */
  readonly source: string;
  readonly sourceVersion: string;
  /** `udeb` for packages of the installer. */
  readonly type: 'deb' | 'udeb';
  /** All fields of the control file. */
  readonly control: ControlParagraph;
  /** When asked for: what it installs, as Contents has it: no folders, no slash in front. */
  readonly files?: readonly string[];
}

export interface ReadDebOptions {
  /** List the files of data.tar, which has to be decompressed for it. */
  readonly contents?: boolean;
  /**
   * Gets what data.tar holds, some files at a time, instead of the list of them. Whether the package is the right
   * one is known only after the last of them.
   */
  readonly unpack?: TakeFiles | undefined;
  readonly limits?: Partial<DebLimits>;
}

/**
 * Reads a .deb or .udeb in one pass, as dpkg does (deb(5), format 2.x), with bounded memory; see
 * `DebLimits`. Throws `PackageInvalid`, which names the member, the field and what was expected, for
 * whatever dpkg would not take, and for what a repository can't publish. Errors of `bytes` pass
 * through. What data.tar holds is not looked at unless `contents` asks for it.
 */
export async function readDeb(
  bytes: AsyncIterable<Uint8Array>,
  { contents = false, unpack, limits = {} }: ReadDebOptions = {},
): Promise<Deb> {
  const bounds = { ...defaultDebLimits, ...limits };
  const reader = new HashingReader(bytes, bounds.maxBytes);
  try {
    const members = new DebMembers(reader, bounds);
    const control = await members.control();
    const identity = identify(control);
    const files = await members.data(usesOf(contents, unpack));
    await reader.finish();
    return { ...identity, control, ...(files && { files }), ...reader.digests() };
  } finally {
    await reader.close();
  }
}

type UseData = (
  chunks: AsyncIterable<Uint8Array>,
  member: string,
  limits: DebLimits,
) => Promise<string[] | undefined>;

function usesOf(contents: boolean, unpack: TakeFiles | undefined): UseData | undefined {
  if (unpack) return (...data) => unpackFiles(...data, unpack);
  return contents ? readContents : undefined;
}

/**
 * What a package says that it is, by its first members alone: nothing after them is read. Throws
 * `PackageInvalid`.
 */
export async function readDebIdentity(bytes: AsyncIterable<Uint8Array>): Promise<DebIdentity> {
  const reader = new HashingReader(bytes, defaultDebLimits.maxBytes);
  try {
    return identify(await new DebMembers(reader, defaultDebLimits).control());
  } finally {
    await reader.close();
  }
}

class DebMembers {
  readonly #reader: HashingReader;
  readonly #limits: DebLimits;
  #count = 0;

  constructor(reader: HashingReader, limits: DebLimits) {
    this.#reader = reader;
    this.#limits = limits;
  }

  async control(): Promise<ControlParagraph> {
    await readMagic(this.#reader);
    await refuseOtherFormats(await nextMember(this.#reader, 'debian-binary'));
    const member = await this.#next('control.tar');
    const extension = extensionOf(member, 'control.tar', controlExtensions);
    const { maxControlArchive } = this.#limits;
    const file = await this.#decompressed(member, extension, maxControlArchive, (chunks) =>
      readControlFile(chunks, member.name, this.#limits),
    );
    await member.skip();
    return parseControl(file, `${member.name}: control`);
  }

  /** What is wanted of data.tar. What follows it means nothing. */
  async data(use: UseData | undefined): Promise<string[] | undefined> {
    const member = await this.#next('data.tar');
    const extension = extensionOf(member, 'data.tar', dataExtensions);
    const { maxData } = this.#limits;
    if (use && extension === '.lzma') {
      throw invalid(member.name, 'lzma is out of use and not read here; build with dpkg-deb -Zxz');
    }
    const files = use
      ? await this.#decompressed(member, extension, maxData, (chunks) =>
          use(chunks, member.name, this.#limits),
        )
      : undefined;
    await member.skip();
    return files;
  }

  /** Passes over members that begin with `_`, which are for other readers. */
  async #next(expected: string): Promise<ArMember> {
    const { maxMembers } = this.#limits;
    for (;;) {
      const member = await nextMember(this.#reader, expected);
      this.#count += 1;
      if (this.#count >= maxMembers) {
        throw invalid('the file', `it has more than ${maxMembers} members before ${expected}`);
      }
      if (!member.name.startsWith('_')) return member;
      await member.skip();
    }
  }

  /** Gives what goes wrong in the member the name of a broken package. */
  async #decompressed<Result>(
    member: ArMember,
    extension: Extension,
    maxBytes: number,
    use: (chunks: AsyncIterable<Uint8Array>) => Promise<Result>,
  ): Promise<Result> {
    const content = member.content();
    try {
      return await use(decompress(content, extension, { maxBytes }));
    } catch (thrown) {
      if (this.#reader.failed) throw this.#reader.failure;
      if (!(thrown instanceof CairnError) || thrown.reason === 'PackageInvalid') throw thrown;
      throw invalid(shown(member.name), thrown.message, thrown);
    } finally {
      // A decoder may have asked for more than it needed: that has to come before we go on.
      await content.return(undefined);
    }
  }
}

async function refuseOtherFormats(member: ArMember): Promise<void> {
  if (member.name !== 'debian-binary') {
    throw invalid('the file', `its first member is ${shown(member.name)}, not debian-binary`);
  }
  let text = '';
  for await (const piece of member.content()) {
    text += Buffer.from(piece).toString('latin1');
    if (text.length > maxFormat) throw invalid('debian-binary', `more than ${maxFormat} bytes`);
  }
  const [line = ''] = text.split('\n', 1);
  if (!text.includes('\n') || !/^2\.[0-9]{1,9}$/.test(line)) {
    throw invalid('debian-binary', `expected format 2.x, not ${shown(line)}`);
  }
  await member.skip();
}

/** More lines may follow the first one, for a later format (deb(5)). */
const maxFormat = 4096;

type Extension = Compression | UnsupportedCompression;

const controlExtensions: readonly Extension[] = ['', '.gz', '.xz', '.zst'];
const dataExtensions: readonly Extension[] = [...controlExtensions, '.bz2', '.lzma'];

function extensionOf(
  member: ArMember,
  expected: string,
  extensions: readonly Extension[],
): Extension {
  const extension = extensions.find((one) => member.name === `${expected}${one}`);
  if (extension !== undefined) return extension;
  const forms = extensions.map((one) => `${expected}${one}`).join(', ');
  throw invalid(shown(member.name), `expected one of ${forms} in its place`);
}

export type DebIdentity = Omit<Deb, keyof Digests | 'control' | 'files'>;

function identify(control: ControlParagraph): DebIdentity {
  const name = requirePackageName(control, 'Package');
  const version = requireVersion(control);
  const identity: DebIdentity = {
    package: name,
    version,
    architecture: requireArchitecture(control),
    ...sourceOf(control, { source: name, sourceVersion: version }),
    type: control.get('Package-Type') === 'udeb' ? 'udeb' : 'deb',
  };
  const file = debFileName(identity);
  if (file.length <= maxFileName) return identity;
  throw control.invalid('Package', `no file can have the name ${shown(file)}, it is too long`);
}

/** Of most file systems, in bytes; all characters of names and versions are ASCII. */
const maxFileName = 255;

/** `hello_2.10-3_amd64.deb`: the name that dpkg-deb gives a package; the epoch is no part of it. */
export function debFileName({ package: name, version, architecture, type }: DebName): string {
  return `${name}_${version.slice(version.indexOf(':') + 1)}_${architecture}.${type}`;
}

type DebName = Pick<Deb, 'package' | 'version' | 'architecture' | 'type'>;
