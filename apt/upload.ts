export { readBuildinfo, readChanges, type Changes, type UploadChanges } from './upload/changes.ts';
export { dscFileName, readDsc, type Dsc } from './upload/dsc.ts';
export type { UploadFile } from './upload/file-list.ts';
export type { ReadUploadOptions } from './upload/signed.ts';
export { formatSource, type SourcePlace } from './upload/source-stanza.ts';
