/** Tar archives (POSIX ustar) and ar archives, made in memory and always the same. */

/** The modification time of everything, in seconds: 2023-11-14T22:13:20Z. */
const mtime = 1_700_000_000;

export interface TarFile {
  /** At most 100 bytes, as in `./usr/bin/hello`; a directory ends in a slash. */
  readonly name: string;
  readonly content?: Uint8Array;
  readonly mode?: number;
}

export function makeTar(files: readonly TarFile[]): Buffer {
  return Buffer.concat([...files.flatMap(tarEntry), Buffer.alloc(1024)]);
}

function tarEntry({ name, content = Buffer.alloc(0), mode }: TarFile): Uint8Array[] {
  if (Buffer.byteLength(name) > 100) throw new Error(`too long for a tar entry: ${name}`);
  const isDirectory = name.endsWith('/');
  const header = Buffer.alloc(512);
  header.write(name, 0);
  header.write(octal(mode ?? (isDirectory ? 0o755 : 0o644), 7), 100);
  header.write(octal(0, 7), 108);
  header.write(octal(0, 7), 116);
  header.write(octal(content.length, 11), 124);
  header.write(octal(mtime, 11), 136);
  header.write(' '.repeat(8), 148); // the checksum counts as spaces while it is computed
  header.write(isDirectory ? '5' : '0', 156);
  header.write('ustar\x0000root', 257);
  header.write('root', 297);
  header.write(`${octal(sum(header), 6)}\0 `, 148);
  return [header, content, Buffer.alloc(-content.length & 511)];
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0');
}

function sum(bytes: Uint8Array): number {
  let total = 0;
  for (const byte of bytes) total += byte;
  return total;
}

/** An ar archive in the form that .deb files have (deb(5)): short names, no symbol table. */
export function makeAr(members: readonly { name: string; content: Uint8Array }[]): Buffer {
  const parts: Uint8Array[] = [Buffer.from('!<arch>\n')];
  for (const { name, content } of members) {
    const fields = [name.padEnd(16), String(mtime).padEnd(12), '0     0     100644  '];
    parts.push(Buffer.from(`${fields.join('')}${String(content.length).padEnd(10)}\`\n`), content);
    if (content.length % 2 === 1) parts.push(Buffer.from('\n'));
  }
  return Buffer.concat(parts);
}
