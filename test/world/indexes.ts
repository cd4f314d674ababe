/** Everything below the directory of the Release files, before it is compressed. */
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type { Layout } from './archive-options.ts';
import { formatStanza, noise, tarGz } from './deb.ts';
import type { BinaryPackage, SourcePackage } from './pool.ts';

export interface IndexFile {
  /** Relative to the directory of the Release files. */
  readonly path: string;
  readonly content: Uint8Array;
  /** Stored as it is, in this one form. */
  readonly asIs?: boolean;
  /** Present, and not listed in Release. */
  readonly unlisted?: boolean;
}

export interface Holdings {
  readonly binaries: readonly BinaryPackage[];
  readonly sources: readonly SourcePackage[];
}

export function makeIndexes(layout: Layout, holdings: Holdings): IndexFile[] {
  if (layout.flat) return flatIndexes(layout, holdings);
  return layout.components.flatMap((component) => [
    ...packagesIndexes(layout, holdings, component),
    ...sourcesIndex(layout, holdings, component),
    ...translations(layout, holdings, component),
    ...extras(layout, holdings, component),
  ]);
}

function flatIndexes(layout: Layout, { binaries, sources }: Holdings): IndexFile[] {
  const files = [text('Packages', stanzasOf(layout, binaries))];
  if (layout.sources || sources.length > 0) files.push(text('Sources', sourceStanzas(sources)));
  return files;
}

function packagesIndexes(layout: Layout, holdings: Holdings, component: string): IndexFile[] {
  const files: IndexFile[] = [];
  const architectures = [...layout.architectures, ...(layout.allIndex ? ['all'] : [])];
  const hasUdebs = holdings.binaries.some(({ udeb }) => udeb);
  for (const architecture of architectures) {
    const here = holdings.binaries.filter((entry) => isIn(entry, component, architecture));
    const place = `${component}/binary-${architecture}`;
    const debs = here.filter(({ udeb }) => !udeb);
    files.push(text(`${place}/Packages`, stanzasOf(layout, debs)));
    files.push(asIs(`${place}/Release`, smallRelease(layout, component, architecture)));
    if (!hasUdebs) continue;
    const udebs = here.filter(({ udeb }) => udeb);
    const installer = `${component}/debian-installer/binary-${architecture}`;
    files.push(text(`${installer}/Packages`, stanzasOf(layout, udebs)));
  }
  return files;
}

function isIn(entry: BinaryPackage, component: string, architecture: string): boolean {
  const fits = entry.architecture === architecture || entry.architecture === 'all';
  return entry.component === component && fits;
}

/** In the order of their names; with translations, descriptions are cut to their first line. */
function stanzasOf(layout: Layout, entries: readonly BinaryPackage[]): string {
  return byName(entries)
    .map(({ fields, udeb }) => formatStanza(udeb ? fields : shorten(layout, fields)))
    .join('\n');
}

function shorten({ translations }: Layout, fields: Readonly<Record<string, string>>) {
  if (translations.length === 0) return fields;
  const { Description = '', ...rest } = fields;
  const short = Description.split('\n', 1)[0] ?? '';
  return { ...rest, Description: short, 'Description-md5': descriptionMd5(Description) };
}

function descriptionMd5(description: string): string {
  return createHash('md5').update(`${description}\n`).digest('hex');
}

function byName<Entry extends { readonly name: string }>(entries: readonly Entry[]): Entry[] {
  return entries.toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

/** The small Release file beside each Packages index, as dak writes it. */
function smallRelease(layout: Layout, component: string, architecture: string): Uint8Array {
  const { suiteField, origin, label } = layout;
  const fields = { Archive: suiteField, Origin: origin, Label: label, Component: component };
  return Buffer.from(formatStanza({ ...fields, Architecture: architecture }));
}

function sourcesIndex(layout: Layout, { sources }: Holdings, component: string): IndexFile[] {
  if (!layout.sources && sources.length === 0) return [];
  const here = sources.filter((source) => source.component === component);
  return [text(`${component}/source/Sources`, sourceStanzas(here))];
}

function sourceStanzas(sources: readonly SourcePackage[]): string {
  return byName(sources)
    .map(({ stanza }) => stanza)
    .join('\n');
}

function translations(layout: Layout, { binaries }: Holdings, component: string): IndexFile[] {
  const here = byName(binaries.filter((entry) => entry.component === component && !entry.udeb));
  return layout.translations.map((language) => {
    const stanzas = here.map(({ name, fields: { Description = '' } }) =>
      formatStanza({
        Package: name,
        'Description-md5': descriptionMd5(Description),
        [`Description-${language}`]:
          language === 'en' ? Description : `[${language}] ${Description}`,
      }),
    );
    return text(`${component}/i18n/Translation-${language}`, stanzas.join('\n'));
  });
}

function extras(layout: Layout, holdings: Holdings, component: string): IndexFile[] {
  const files: IndexFile[] = [];
  for (const architecture of layout.architectures) {
    const here = byName(holdings.binaries.filter((entry) => isIn(entry, component, architecture)));
    if (layout.contents) {
      files.push(text(`${component}/Contents-${architecture}`, contentsOf(here)));
    }
    if (layout.dep11) {
      const yaml = `File: DEP-11\nVersion: '1.0'\nOrigin: ${layout.codename}-${component}\n`;
      files.push(text(`${component}/dep11/Components-${architecture}.yml`, `---\n${yaml}`));
    }
    if (layout.commandNotFound) {
      const header = { suite: layout.suiteField, component, arch: architecture };
      files.push(text(`${component}/cnf/Commands-${architecture}`, formatStanza(header)));
    }
    if (layout.installerImages) files.push(...installerImages(component, architecture));
  }
  if (layout.dep11) {
    const icon = { name: './hello_icon.png', content: noise(component, 500) };
    files.push(asIs(`${component}/dep11/icons-48x48.tar.gz`, tarGz([icon])));
  }
  return files;
}

function contentsOf(entries: readonly BinaryPackage[]): string {
  return entries
    .map(({ installs, section, name }) => `${installs.padEnd(60)} ${section}/${name}\n`)
    .join('');
}

/** Release lists the checksums of the images, and these list the images. */
function installerImages(component: string, architecture: string): IndexFile[] {
  const place = `${component}/installer-${architecture}/current/images`;
  const image = gzipSync(noise(`initrd ${architecture}`, 3000));
  const sums = (algorithm: string) =>
    Buffer.from(
      `${createHash(algorithm).update(image).digest('hex')}  ./netboot/debian-installer/initrd.gz\n`,
    );
  return [
    asIs(`${place}/SHA256SUMS`, sums('sha256')),
    asIs(`${place}/MD5SUMS`, sums('md5')),
    { ...asIs(`${place}/netboot/debian-installer/initrd.gz`, image), unlisted: true },
  ];
}

function text(path: string, content: string): IndexFile {
  return { path, content: Buffer.from(content) };
}

function asIs(path: string, content: Uint8Array): IndexFile {
  return { path, content, asIs: true };
}
