/** What a pax header says about the entry after it, as far as it matters here. */
export interface PaxRecords {
  readonly path?: string;
  readonly link?: string;
  readonly size?: number;
  /** What follows is a map of a file with holes, and its parts. */
  readonly isSparse?: true;
}

const digitsLimit = 10;

/**
 * Records of the form `27 path=usr/share/doc/long\n` (pax(1), POSIX.1-2017). A sparse file of GNU's
 * newer forms has its name elsewhere. Returns what is wrong instead, as a clause.
 */
export function parsePax(content: Buffer): PaxRecords | string {
  const records = new Map<string, string>();
  for (let at = 0; at < content.length;) {
    const blank = content.indexOf(0x20, at);
    const digits = content.toString('latin1', at, Math.min(blank, at + digitsLimit + 1));
    const end = /^[0-9]{1,10}$/.test(digits) && blank !== -1 ? at + Number(digits) : 0;
    const equals = content.indexOf(0x3d, blank);
    const isWhole = end <= content.length && equals !== -1 && equals < end;
    if (!isWhole || content[end - 1] !== 0x0a) return 'a pax header is corrupt';
    const key = content.toString('latin1', blank + 1, equals);
    if (wanted.test(key)) records.set(key, content.toString('utf8', equals + 1, end - 1));
    at = end;
  }
  return known(records);
}

const wanted = /^(path|linkpath|size|GNU\.sparse\..*)$/s;

function known(records: ReadonlyMap<string, string>): PaxRecords | string {
  const path = records.get('GNU.sparse.name') ?? records.get('path');
  const link = records.get('linkpath');
  const size = records.get('size');
  if (`${path} ${link}`.includes('\0')) return 'a pax header names a path with a NUL';
  if (size !== undefined && !/^[0-9]{1,15}$/.test(size)) return 'a pax header has no valid size';
  return {
    ...(path && { path }),
    ...(link && { link }),
    ...(size !== undefined && { size: Number(size) }),
    ...([...records.keys()].some(isOfSparse) && { isSparse: true }),
  };
}

function isOfSparse(key: string): boolean {
  return key.startsWith('GNU.');
}
