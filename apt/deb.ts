export { type ControlField, type ControlParagraph } from './deb/control.ts';
export type { Digests } from './deb/hashing-reader.ts';
export { defaultDebLimits, type DebLimits } from './deb/limits.ts';
export { versionProblem } from './deb/names.ts';
export { readDeb, type Deb, type ReadDebOptions } from './deb/read.ts';
export { debFileName, formatPackage } from './deb/stanza.ts';
