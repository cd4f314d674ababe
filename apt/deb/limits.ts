/** What reading one package may cost. Whatever goes beyond is refused with `PackageInvalid`. */
export interface DebLimits {
  /** Bytes of the whole file. */
  readonly maxBytes: number;
  /** Members of the ar archive up to data.tar; three in an ordinary package. */
  readonly maxMembers: number;
  /** Bytes of control.tar without its compression. */
  readonly maxControlArchive: number;
  /** Entries of control.tar. */
  readonly maxControlFiles: number;
  /** Bytes of the file `control`. */
  readonly maxControl: number;
  /** Bytes of data.tar without its compression; counted only while its files are listed. */
  readonly maxData: number;
  /** Entries of data.tar, directories too. */
  readonly maxFiles: number;
  /** Bytes of one file, when the files are unpacked. */
  readonly maxFile: number;
  /** Bytes of one path. */
  readonly maxPath: number;
  /** Characters of all paths together, since these stay in memory. */
  readonly maxPaths: number;
}

const mebi = 2 ** 20;
const gibi = 2 ** 30;

/** Far above every package of Debian, and still cheap. */
export const defaultDebLimits: DebLimits = {
  maxBytes: 16 * gibi,
  maxMembers: 100,
  maxControlArchive: 64 * mebi,
  maxControlFiles: 1000,
  maxControl: mebi,
  maxData: 32 * gibi,
  maxFiles: 1_000_000,
  maxFile: 128 * mebi,
  maxPath: 4096,
  maxPaths: 32 * mebi,
};
