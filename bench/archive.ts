/** The archive that everybody mirrors: made once, kept in .cache/bench. */
import { existsSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Archive } from '../test/world/archive.ts';
import type { PackageSpec } from '../test/world/deb.ts';
import { exportPublic, testKey } from '../test/world/keys.ts';
import { mustRun } from '../test/world/process.ts';

export const cacheFolder = path.resolve(import.meta.dirname, '../.cache/bench');

/** How many packages differ between one state of the archive and the next. */
export const changedPackages = 100;

export const suite = 'bench';

export interface BenchArchive {
  /** To be served: the archive is at /debian below it. */
  readonly site: string;
  /** The armored public key that it is signed with. */
  readonly keyFile: string;
  /** Serve another state: 0 is the first one, each later one has 100 other packages. */
  switchTo(state: number): void;
}

/** `states` is the number of states that are needed. */
export async function prepareArchive(packages: number, states: number): Promise<BenchArchive> {
  const folder = path.join(cacheFolder, `archive-${packages}-${states}`);
  if (!existsSync(path.join(folder, 'complete'))) {
    rmSync(folder, { recursive: true, force: true });
    await build(folder, packages, states);
    writeFileSync(path.join(folder, 'complete'), '');
  }
  const site = path.join(folder, 'site');
  const switchTo = (state: number) => {
    const draft = path.join(folder, 'dists.new');
    rmSync(draft, { force: true });
    symlinkSync(path.join('../../states', String(state)), draft);
    renameSync(draft, path.join(site, 'debian/dists'));
  };
  switchTo(0);
  return { site, keyFile: path.join(folder, 'archive-key.asc'), switchTo };
}

async function build(folder: string, packages: number, states: number): Promise<void> {
  const key = await testKey('bench', { algorithm: 'rsa3072' });
  const root = path.join(folder, 'build');
  for (const place of ['states', 'site/debian']) {
    mkdirSync(path.join(folder, place), { recursive: true });
  }
  symlinkSync('../../build/pool', path.join(folder, 'site/debian/pool'));
  writeFileSync(path.join(folder, 'archive-key.asc'), await exportPublic(key));
  const archive = new Archive(root, {
    suite,
    compressions: ['.gz', '.xz'],
    translations: ['en'],
    signWith: key,
  });
  for (let index = 0; index < packages; index += 1) archive.add(packageSpec(index, 1));
  for (let state = 0; state < states; state += 1) {
    if (state > 0) change(archive, packages, state);
    await archive.publish();
    const copy = path.join(folder, 'states', String(state));
    await mustRun('cp', ['--archive', path.join(root, 'dists'), copy], { timeoutMs: 600_000 });
  }
}

function change(archive: Archive, packages: number, state: number): void {
  const step = Math.floor(packages / changedPackages);
  for (let turn = 0; turn < changedPackages; turn += 1) {
    const spec = packageSpec((turn * step + state) % packages, 1);
    archive.remove(spec.name, spec.version);
    archive.add(packageSpec((turn * step + state) % packages, 1 + state));
  }
}

/** Shaped like Debian main: a stanza of about 830 bytes, and a file of 2 to 20 KiB. */
export function packageSpec(index: number, revision: number): PackageSpec {
  const random = scramble(index);
  const name = `${random % 3 === 0 ? 'lib' : ''}${words[random % words.length]}-${index}`;
  const pick = (turn: number) => words[(random >>> turn) % words.length] ?? '';
  const depends = [1, 3, 5, 7, 9].map(
    (turn) => `lib${pick(turn)}${turn} (>= 2.${turn}.${random % 40})`,
  );
  const tags = [2, 4, 6].map((turn) => `implemented-in::${pick(turn)}, role::${pick(turn + 1)}`);
  return {
    name,
    version: `2.${random % 60}.${random % 7}+dfsg-${revision}`,
    source: `${words[random % words.length]}-${index - (index % 3)}`,
    section: ['libs', 'utils', 'devel', 'python', 'perl'][random % 5] ?? 'misc',
    size: 2048 + (random % (18 * 1024)),
    depends: `libc6 (>= 2.36), ${depends.join(', ')}`,
    description: `${pick(1)} ${pick(2)} for ${pick(3)}\n${describe(pick)}`,
    fields: {
      'Multi-Arch': 'same',
      Homepage: `https://www.example.org/projects/${pick(4)}/${name}`,
      Tag: `${tags.join(', ')}, devel::library`,
    },
  };
}

function describe(pick: (turn: number) => string): string {
  const lines = [0, 6, 12, 18].map((from) =>
    [0, 1, 2, 3, 4, 5].map((at) => pick(from + at)).join(' '),
  );
  return lines.map((line) => `This package provides ${line}.`).join('\n');
}

/** A number that looks random and is decided by the index (the finaliser of MurmurHash3). */
function scramble(index: number): number {
  let hash = Math.imul(index + 1, 0x9e3779b1);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

const words = (
  'alsa boost cairo daemon editor fontconfig gnome haskell image java kernel lua mesa network ' +
  'openssl python qt ruby sqlite tcl unicode vulkan wayland xorg yaml zlib audio binding cluster ' +
  'driver engine filter graphics helper interface journal library manager node object parser ' +
  'query runtime server toolkit utility viewer wrapper extension'
).split(' ');
