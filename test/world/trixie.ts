/** The apt of Debian 13, newer than what most machines have: it knows `apt -S`, for one. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { createAptRoot, type AptRoot, type AptRootOptions } from './apt.ts';
import { lock } from './lock.ts';
import { mustRun, run } from './process.ts';
import type { Scope } from './temp.ts';

const suite = 'trixie';
const cache = path.resolve(import.meta.dirname, '../../.cache/test');

/** A root like that of `createAptRoot`, for the apt of a Debian 13 in a folder; needs root rights. */
export async function trixieApt(
  scope: Scope,
  options: AptRootOptions = {},
): Promise<Pick<AptRoot, 'path' | 'apt' | 'writeSources'>> {
  const machine = await trixie();
  const folder = mkdtempSync(path.join(machine, 'tmp/cairn-test-'));
  scope.after(() => rmSync(folder, { recursive: true, force: true }));
  const root = createAptRoot(folder, options);
  // The programs see the folder of the machine as /
  const config = path.join(folder, 'apt.conf');
  writeFileSync(config, readFileSync(config, 'utf8').replaceAll(machine, ''));
  const apt: AptRoot['apt'] = (program, args) =>
    run('chroot', [machine, program, ...args], {
      env: {
        ...withoutProxies,
        APT_CONFIG: inside(config),
        LC_ALL: 'C.UTF-8',
        HOME: '/root',
        TMPDIR: inside(folder),
      },
    });
  return { path: folder, apt, writeSources: root.writeSources };

  function inside(file: string): string {
    return file.slice(machine.length);
  }
}

const withoutProxies = Object.fromEntries(
  ['http_proxy', 'https_proxy', 'all_proxy', 'HTTP_PROXY', 'HTTPS_PROXY'].map((name) => [
    name,
    undefined,
  ]),
);

/** The folder with the whole of it. */
async function trixie(): Promise<string> {
  return trixieFolder(suite);
}

/**
 * A Debian 13 with some more packages in a folder of the tests' cache; fetched once, from where this
 * machine gets its own packages. Another list of packages wants another name.
 */
export async function trixieFolder(
  name: string,
  packages: readonly string[] = [],
): Promise<string> {
  const folder = path.join(cache, name);
  if (existsSync(folder)) return folder;
  mkdirSync(cache, { recursive: true });
  const release = await lock('--exclusive', path.join(cache, `${name}.lock`));
  try {
    if (!existsSync(folder)) await makeFolder(folder, packages);
    return folder;
  } finally {
    await release();
  }
}

async function makeFolder(folder: string, packages: readonly string[]): Promise<void> {
  const draft = mkdtempSync(`${folder}.`);
  try {
    await fetchInto(draft, packages);
    renameSync(draft, folder);
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    throw error;
  }
}

async function fetchInto(folder: string, packages: readonly string[]): Promise<void> {
  const { url, keyring } = await debianMirror();
  const settings = await networkSettings();
  const options = ['--variant=apt', '--mode=root', '--format=directory', '--skip=chroot/mount'];
  const fast = ['--dpkgopt=force-unsafe-io', '--aptopt=Acquire::Languages "none"'];
  const keys = keyring === undefined ? [] : [`--keyring=${keyring}`];
  const more = packages.length === 0 ? [] : [`--include=${packages.join(',')}`];
  const words = [
    ...options,
    ...fast,
    ...keys,
    ...more,
    ...settings.map((line) => `--aptopt=${line}`),
  ];
  const made = await run('mmdebstrap', [...words, suite, folder, url], { timeoutMs: 500_000 });
  if (made.code !== 0) {
    throw new Error(`Debian ${suite} could not be fetched from ${url}:\n${made.output}`);
  }
  // Its proxy must not come between the tests and the loopback interface.
  rmSync(path.join(folder, 'etc/apt/apt.conf.d/99mmdebstrap'), { force: true });
}

export interface DebianMirror {
  readonly url: string;
  /** A file; apt's trusted keys when left out. */
  readonly keyring: string | undefined;
}

/** Where the machine's own apt gets Debian from, and the keys that it checks that with. */
export async function debianMirror(): Promise<DebianMirror> {
  const found = (await askApt()) ?? (await mustRun('apt-get', ['update']), await askApt());
  if (found) return found;
  throw new Error('the apt of this machine has no source of Debian, which the test is made of');
}

async function askApt(): Promise<DebianMirror | undefined> {
  const filter = ['Created-By: Packages', 'Origin: Debian', 'Label: Debian'];
  const format = ['--format', '$(REPO_URI) $(SOURCESENTRY)'];
  const text = await mustRun('apt-get', ['indextargets', ...format, ...filter]);
  const [, url, file = ''] = /^(\S+) (.+):\d+$/m.exec(text) ?? [];
  if (url === undefined) return undefined;
  const keyring = /signed-by\s*[:=]\s*(\/[^\s\],]+)/i.exec(readFileSync(file, 'utf8'))?.[1];
  return { url, keyring };
}

/** Proxies and certificates that the machine's apt was told of. */
export async function networkSettings(): Promise<readonly string[]> {
  const text = await mustRun('apt-config', ['dump']);
  return text.split('\n').filter((line) => /^Acquire::https?::.* ".+";$/.test(line));
}
