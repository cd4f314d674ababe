/** Small, valid binary packages made in memory: the same words make the same bytes. */
import { createCipheriv, createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { makeAr, makeTar, type TarFile } from '../../apt/deb-container.ts';

export interface PackageSpec {
  readonly name: string;
  readonly version: string;
  /** `amd64` by default; `all` is put into the index of every architecture. */
  readonly architecture?: string;
  /** The archive's first component by default. */
  readonly component?: string;
  readonly section?: string;
  /** The name of its source package, when it differs; decides the directory in the pool. */
  readonly source?: string;
  readonly depends?: string;
  /** The first line, then the paragraphs below it. */
  readonly description?: string;
  /** What the package holds as /usr/share/doc/<name>/content; else `size` bytes of noise. */
  readonly content?: string | Uint8Array;
  /** About how large the .deb shall be, in bytes. */
  readonly size?: number;
  /** More fields of its control file, such as Homepage. */
  readonly fields?: Readonly<Record<string, string>>;
  /** Run when the package is installed: a whole script. */
  readonly postinst?: string;
  /** A package of the installer: a .udeb, listed apart. */
  readonly udeb?: boolean;
}

/** The fields of the control file, in dpkg's order. */
export function controlFields(spec: PackageSpec): Record<string, string> {
  const { source, depends, fields } = spec;
  return {
    Package: spec.name,
    ...(source !== undefined && source !== spec.name && { Source: source }),
    Version: spec.version,
    Architecture: spec.architecture ?? 'amd64',
    Maintainer: 'Cairn Tests <tests@example.com>',
    'Installed-Size': '12',
    ...(depends !== undefined && { Depends: depends }),
    Section: spec.section ?? 'misc',
    Priority: 'optional',
    ...fields,
    Description: describe(spec),
  };
}

/** The whole description as a field value: the first line, then continuation lines. */
function describe({
  name,
  description = `the package ${name}\nIt is made for a test.`,
}: PackageSpec) {
  const [first = '', ...rest] = description.split('\n');
  return [first, ...rest.map((line) => ` ${line === '' ? '.' : line}`)].join('\n');
}

export function formatStanza(fields: Readonly<Record<string, string>>): string {
  let text = '';
  for (const name in fields) text += `${name}: ${fields[name]}\n`;
  return text;
}

export function makeDeb(spec: PackageSpec, control: Readonly<Record<string, string>>): Buffer {
  const content = contentOf(spec);
  return makeAr([
    { name: 'debian-binary', content: Buffer.from('2.0\n') },
    { name: 'control.tar.gz', content: tarGz(controlFiles(spec, content, control)) },
    { name: 'data.tar.gz', content: tarGz(dataFiles(spec, content)) },
  ]);
}

/** The one file that a package of ours installs, relative to the root. */
export function installedFile({ name }: PackageSpec): string {
  return `usr/share/doc/${name}/content`;
}

function controlFiles(
  spec: PackageSpec,
  content: Uint8Array,
  control: Readonly<Record<string, string>>,
): TarFile[] {
  const md5 = createHash('md5').update(content).digest('hex');
  return [
    { name: './' },
    { name: './control', content: Buffer.from(formatStanza(control)) },
    { name: './md5sums', content: Buffer.from(`${md5}  ${installedFile(spec)}\n`) },
    ...(spec.postinst === undefined
      ? []
      : [{ name: './postinst', content: Buffer.from(spec.postinst), mode: 0o755 }]),
  ];
}

function dataFiles(spec: PackageSpec, content: Uint8Array): TarFile[] {
  return [
    { name: './' },
    { name: './usr/' },
    { name: './usr/share/' },
    { name: './usr/share/doc/' },
    { name: `./usr/share/doc/${spec.name}/` },
    { name: `./${installedFile(spec)}`, content },
  ];
}

function contentOf({ name, version, content, size }: PackageSpec): Uint8Array {
  if (content !== undefined) return Buffer.from(content);
  if (size === undefined) return Buffer.from(`${name} ${version}\n`);
  const headers = 900; // what the rest of such a .deb takes
  return noise(`${name} ${version}`, Math.max(1, size - headers));
}

/** Bytes that don't compress, decided by the seed. */
export function noise(seed: string, length: number): Buffer {
  const key = createHash('sha256').update(seed).digest();
  const cipher = createCipheriv('aes-128-ctr', key.subarray(0, 16), key.subarray(16));
  return cipher.update(Buffer.alloc(length));
}

export function tarGz(files: readonly TarFile[]): Buffer {
  return gzipSync(makeTar(files), { level: 1 });
}
