/** Release texts with the listings that Debian and Ubuntu publish, without their archives. */
import { createHash } from 'node:crypto';

export interface ReleaseShape {
  readonly suite?: string;
  /** As the Components field has them. */
  readonly components: readonly string[];
  /** As the paths have them; the components unless told otherwise. */
  readonly directories?: readonly string[];
  readonly architectures: readonly string[];
  readonly languages?: readonly string[];
}

const packed = ['.gz', '.xz'];

/** Every index in all its forms, with made-up sizes and hashes. */
export function releaseText({ suite = 'bookworm', ...shape }: ReleaseShape): string {
  const { components, directories = components, architectures } = shape;
  const paths = [
    ...directories.flatMap((directory) => componentPaths(directory, shape)),
    ...architectures.filter((name) => name !== 'all').flatMap((name) => forms(`Contents-${name}`)),
  ];
  const lines = paths.map((path) => ` ${sha256(path)} ${1000 + path.length} ${path}`);
  return `Origin: Debian
Label: Debian
Suite: stable
Codename: ${suite}
Date: Sat, 01 Aug 2026 08:00:00 UTC
Acquire-By-Hash: yes
No-Support-for-Architecture-all: Packages
Architectures: ${architectures.join(' ')}
Components: ${components.join(' ')}
SHA256:
${lines.join('\n')}
`;
}

function componentPaths(
  component: string,
  { architectures, languages = ['en', 'de', 'pt_BR'] }: ReleaseShape,
): string[] {
  const inside = [
    ...architectures.flatMap((name) => [
      ...['', ...packed].map((form) => `binary-${name}/Packages${form}`),
      `binary-${name}/Packages.diff/Index`,
      `binary-${name}/Release`,
      ...forms(`Contents-${name}`),
      ...forms(`debian-installer/binary-${name}/Packages`),
      ...forms(`Contents-udeb-${name}`),
      ...forms(`dep11/Components-${name}.yml`),
      ...forms(`cnf/Commands-${name}`),
      `installer-${name}/current/images/SHA256SUMS`,
    ]),
    ...languages.flatMap((language) => forms(`i18n/Translation-${language}`)),
    'dep11/icons-64x64.tar.gz',
    ...forms('source/Sources'),
    'source/Release',
    ...forms('Contents-source'),
    'extra/notes.txt',
  ];
  return inside.map((path) => `${component}/${path}`);
}

function forms(path: string): string[] {
  return ['', ...packed].map((form) => path + form);
}

function sha256(path: string): string {
  return createHash('sha256').update(path).digest('hex');
}
