import type { Compression } from './compress.ts';
import type { Key } from './keys.ts';

export type HashField = 'MD5Sum' | 'SHA1' | 'SHA256' | 'SHA512';

export interface ArchiveOptions {
  /**
   * The directory below `dists/`, such as `bookworm` or `bookworm/updates`; for a flat archive the
   * directory below the root: `./` or `jammy/`.
   */
  readonly suite: string;
  /** No `dists`, components or architectures: the debs lie beside the indexes. */
  readonly flat?: boolean;
  /** The Suite field of Release; the last part of `suite` by default. */
  readonly suiteField?: string;
  readonly codename?: string;
  readonly components?: readonly string[];
  /** Release says `updates/main` where paths say `main`, as old security archives do. */
  readonly componentPrefix?: string;
  readonly architectures?: readonly string[];
  readonly origin?: string;
  readonly label?: string;
  /** How each index is stored; none and .gz by default. */
  readonly compressions?: readonly Compression[];
  /** Release lists the plain indexes even where only compressed ones are stored, as Debian does. */
  readonly listPlain?: boolean;
  readonly hashes?: readonly HashField[];
  readonly byHash?: boolean;
  readonly inRelease?: boolean;
  readonly releaseGpg?: boolean;
  /** Signs every publication, unless `publish` is told otherwise. Nothing: an unsigned archive. */
  readonly signWith?: Key | readonly Key[];
  /** More fields of Release. */
  readonly releaseFields?: Readonly<Record<string, string>>;
  /** Languages; the long descriptions then move from Packages into Translation files. */
  readonly translations?: readonly string[];
  readonly contents?: boolean;
  readonly dep11?: boolean;
  readonly commandNotFound?: boolean;
  /** Boot images of the installer. Its packages are listed as soon as there is one. */
  readonly installerImages?: boolean;
  /** Sources indexes; they come by themselves as soon as there is a source package. */
  readonly sources?: boolean;
  /** A binary-all index as well, as Debian has (with No-Support-for-Architecture-all). */
  readonly allIndex?: boolean;
}

/** The options with everything decided. */
export type Layout = Required<Omit<ArchiveOptions, 'signWith'>> & {
  /** The directory of the Release files, relative to the root; '' is the root. */
  readonly directory: string;
  readonly signers: readonly Key[];
};

export function decideLayout(options: ArchiveOptions): Layout {
  const { suite, flat = false, signWith } = options;
  const trimmed = suite.replace(/^\.\/|\/$/g, '');
  const name = trimmed.split('/').at(-1) || 'flat';
  return {
    flat,
    suiteField: name,
    codename: name,
    components: ['main'],
    componentPrefix: '',
    architectures: ['amd64'],
    origin: 'Cairn Tests',
    label: 'Cairn Tests',
    compressions: ['', '.gz'],
    listPlain: true,
    hashes: ['MD5Sum', 'SHA256'],
    byHash: !flat,
    inRelease: true,
    releaseGpg: true,
    releaseFields: {},
    translations: [],
    contents: false,
    dep11: false,
    commandNotFound: false,
    installerImages: false,
    sources: false,
    allIndex: false,
    ...options,
    directory: flat ? trimmed : `dists/${trimmed}`,
    signers: signWith === undefined ? [] : [signWith].flat(),
  };
}
