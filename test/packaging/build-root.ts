/** A Debian 13 with compilers: where generated source packages are built, installed and looked at. */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { applyPackaging } from '../../packaging/apply.ts';
import { planPackaging } from '../../packaging/plan.ts';
import type { PackagingPlan, PackagingRequest } from '../../packaging/request.ts';
import { packagingScripts } from '../../packaging/script.ts';
import { run, type Finished } from '../world/process.ts';
import type { Scope } from '../world/temp.ts';
import { trixieFolder } from '../world/trixie.ts';
import { requestOf, writeFiles, type Files } from './trees.ts';

/** Build dependencies of all that the tests build in it, and what the results need to run; lintian. */
const packages = [
  'build-essential',
  'cargo',
  'debhelper',
  'fakeroot',
  'lintian',
  'meson',
  'pkgconf',
  'python3',
  'rustc',
  'zlib1g-dev',
];

export interface Built {
  readonly plan: PackagingPlan;
  /** In the root: the .deb files. */
  readonly debs: readonly string[];
  /** The same, outside. */
  readonly folder: string;
}

export interface BuildRoot {
  readonly folder: string;
  /** Runs a command of the shell in it. */
  shell(command: string): Promise<Finished>;
  /** Packages a tree as the controller does, and builds it as a builder does. */
  build(files: Files, more?: Partial<PackagingRequest>): Promise<Built>;
}

/** The root, which all tests of a file share; what they put into /build goes with them. */
export async function buildRoot(scope: Scope): Promise<BuildRoot> {
  const folder = await trixieFolder('trixie-build', packages);
  const home = path.join(folder, 'build');
  mkdirSync(home, { recursive: true });
  const shell = (command: string) =>
    run('chroot', [folder, '/bin/sh', '-c', command], { env, timeoutMs: 300_000 });
  await shell(purgeLeftovers);
  const build = async (files: Files, more: Partial<PackagingRequest> = {}) => {
    const place = mkdtempSync(path.join(home, 'cairn-'));
    scope.after(() => rmSync(place, { recursive: true, force: true }));
    const tree = path.join(place, 'tree');
    writeFiles(tree, files);
    const plan = await planPackaging({ ...requestOf(tree), ...more });
    await applyPackaging(plan, tree);
    const scripts = packagingScripts(plan);
    mkdirSync(path.join(place, 'work'));
    writeFileSync(path.join(place, 'source.sh'), scripts.source);
    writeFileSync(path.join(place, 'binary.sh'), scripts.binary);
    const inside = place.slice(folder.length);
    const sub = plan.subdirectory === undefined ? '' : `/${plan.subdirectory}`;
    await must(shell(`cd ${inside}/tree${sub} && sh ${inside}/source.sh`), plan);
    if (sub !== '') moveUp(path.join(place, 'tree'), place);
    await must(shell(`cd ${inside}/work && sh ${inside}/binary.sh`), plan);
    const made = readdirSync(place).filter((name) => /^(?!.*-dbgsym_).*\.deb$/.test(name));
    return { plan, debs: made.map((name) => `${inside}/${name}`), folder: place };
  };
  return { folder, shell, build };
}

const env = { LC_ALL: 'C.UTF-8', HOME: '/root', PATH: '/usr/sbin:/usr/bin:/sbin:/bin' };

/** What a run that was killed left installed. */
const purgeLeftovers = `dpkg-query --show --showformat='\${Maintainer}\t\${Package}\n' |
  sed -n 's/.*@example\\.org>\t//p' | xargs --no-run-if-empty dpkg --purge`;

function moveUp(from: string, to: string): void {
  for (const name of readdirSync(from).filter((one) => one.includes('_'))) {
    cpSync(path.join(from, name), path.join(to, name));
  }
}

async function must(finished: Promise<Finished>, plan: PackagingPlan): Promise<void> {
  const { code, output } = await finished;
  if (code === 0) return;
  const files = plan.files.map(({ path: name, content }) => `--- ${name}\n${content}`).join('\n');
  throw new Error(`${plan.kind} could not be built:\n${output.slice(-6000)}\n${files}`);
}
