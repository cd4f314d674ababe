/** Puts package files into a pool and remembers what the indexes say about them. */
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { HashField, Layout } from './archive-options.ts';
import {
  controlFields,
  formatStanza,
  installedFile,
  makeDeb,
  noise,
  tarGz,
  type PackageSpec,
} from './deb.ts';

/** A file of the pool; paths are relative to the archive's root. */
export interface PoolFile {
  readonly path: string;
  readonly size: number;
  readonly sha256: string;
}

export interface BinaryPackage extends PoolFile {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  readonly component: string;
  readonly udeb: boolean;
  readonly section: string;
  readonly installs: string;
  /** Its fields in Packages, hashes included. */
  readonly fields: Readonly<Record<string, string>>;
}

export interface SourceSpec {
  readonly name: string;
  readonly version: string;
  readonly component?: string;
  readonly binaries?: readonly string[];
}

export interface SourcePackage {
  readonly name: string;
  readonly version: string;
  readonly component: string;
  readonly files: readonly PoolFile[];
  readonly stanza: string;
}

const algorithms = { MD5Sum: 'md5', SHA1: 'sha1', SHA256: 'sha256', SHA512: 'sha512' } as const;

export function hashOf(field: HashField, content: Uint8Array): string {
  return createHash(algorithms[field]).update(content).digest('hex');
}

/** Builds a package and writes it into the pool at once. */
export function addBinary(root: string, layout: Layout, spec: PackageSpec): BinaryPackage {
  const { name, version, architecture = 'amd64', udeb = false, section = 'misc' } = spec;
  const component = spec.component ?? layout.components[0] ?? 'main';
  const control = controlFields(spec);
  const deb = makeDeb(spec, control);
  const file = `${name}_${fileVersion(version)}_${architecture}.${udeb ? 'udeb' : 'deb'}`;
  const place = `${poolDirectory(layout, component, spec.source ?? name)}${file}`;
  write(root, place, deb);
  const { Description = '', ...rest } = control;
  const fields: Record<string, string> = { ...rest };
  fields['Filename'] = layout.flat && layout.directory === '' ? `./${place}` : place;
  fields['Size'] = String(deb.length);
  for (const hash of layout.hashes) {
    fields[hash === 'MD5Sum' ? 'MD5sum' : hash] = hashOf(hash, deb);
  }
  fields['Description'] = Description;
  const sha256 = hashOf('SHA256', deb);
  const installs = installedFile(spec);
  const facts = { name, version, architecture, component, udeb, section, installs, fields };
  return { ...facts, path: place, size: deb.length, sha256 };
}

/** A native source package: a .dsc and one tarball. */
export function addSource(root: string, layout: Layout, spec: SourceSpec): SourcePackage {
  const { name, version, binaries = [name] } = spec;
  const component = spec.component ?? layout.components[0] ?? 'main';
  const directory = poolDirectory(layout, component, name);
  const stem = `${name}_${fileVersion(version)}`;
  const tarball = tarGz([
    { name: `${name}/` },
    { name: `${name}/README`, content: noise(stem, 200) },
  ]);
  const tarballs = [{ name: `${stem}.tar.gz`, content: tarball }];
  const common = {
    Format: '3.0 (native)',
    Binary: binaries.join(', '),
    Architecture: 'any',
    Version: version,
    Maintainer: 'Cairn Tests <tests@example.com>',
  };
  const dsc = formatStanza({ ...common, Source: name, ...checksumFields(layout, tarballs) });
  const all = [{ name: `${stem}.dsc`, content: Buffer.from(dsc) }, ...tarballs];
  for (const file of all) write(root, `${directory}${file.name}`, file.content);
  const lists = checksumFields(layout, all);
  const where = { Directory: directory.replace(/\/$/, '') || '.', Section: 'misc' };
  const stanza = formatStanza({ Package: name, ...common, ...lists, ...where });
  const files = all.map((file) => ({
    path: `${directory}${file.name}`,
    size: file.content.length,
    sha256: hashOf('SHA256', file.content),
  }));
  return { name, version, component, files, stanza };
}

/** Files, Checksums-Sha1 …: one line per file, as in .dsc and Sources (Debian policy 5.6.21, 24). */
function checksumFields(
  { hashes }: Layout,
  files: readonly { name: string; content: Uint8Array }[],
): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const hash of hashes) {
    const field = hash === 'MD5Sum' ? 'Files' : `Checksums-${hash.replace('SHA', 'Sha')}`;
    fields[field] = files
      .map(({ name, content }) => `\n ${hashOf(hash, content)} ${content.length} ${name}`)
      .join('');
  }
  return fields;
}

/** Ends in a slash, or is '' for the root. */
function poolDirectory({ flat, directory }: Layout, component: string, source: string): string {
  if (flat) return directory === '' ? '' : `${directory}/`;
  const letter = source.startsWith('lib') ? source.slice(0, 4) : source.slice(0, 1);
  return `pool/${component}/${letter}/${source}/`;
}

/** File names leave the epoch out. */
function fileVersion(version: string): string {
  return version.replace(/^\d+:/, '');
}

function write(root: string, place: string, content: Uint8Array): void {
  const file = path.join(root, place);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, content);
}
