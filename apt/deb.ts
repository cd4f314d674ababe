export { type ControlField, type ControlParagraph } from './deb/control.ts';
export type { Digests } from './deb/hashing-reader.ts';
export { defaultDebLimits, type DebLimits } from './deb/limits.ts';
export { versionProblem } from './deb/names.ts';
export {
  debFileName,
  readDeb,
  readDebIdentity,
  type Deb,
  type DebIdentity,
  type ReadDebOptions,
} from './deb/read.ts';
export { formatPackage } from './deb/stanza.ts';
export type { TakeFiles, UnpackedFile } from './deb/unpack.ts';
