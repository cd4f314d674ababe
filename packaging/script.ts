import type { PackagingPlan } from './request.ts';

/** Shell scripts (POSIX sh) that a sandbox runs. They need dpkg-dev, tar, gzip and xz, and no network. */
export interface PackagingScripts {
  /**
   * Run in the packaged folder, with its plan applied. The name of the folder is part of a native source package: for the
   * same bytes it has to be the same. Leaves the source package in the folder above, with .changes
   * and .buildinfo. Runs nothing of the package.
   */
  readonly source: string;
  /**
   * Run in an empty folder beside those files, with the build dependencies installed. Unpacks the source package and leaves the
   * binary packages in the folder above.
   */
  readonly binary: string;
}

/**
 * The commands by which a plan's packages are made. The same tree and plan give the same source
 * package, bit for bit: names sorted, owners and modes levelled, everything dated as the commit is.
 */
export function packagingScripts(plan: PackagingPlan): PackagingScripts {
  return { source: sourceScript(plan), binary: binaryScript(plan) };
}

/** The name of the .dsc that the source script makes. */
export function dscName({ sourceName, version }: PackagingPlan): string {
  return `${sourceName}_${version.replace(/^[0-9]+:/, '')}.dsc`;
}

function header({ date }: PackagingPlan): string[] {
  return [
    '#!/bin/sh',
    'set -eu',
    'umask 022',
    `export SOURCE_DATE_EPOCH=${date} LC_ALL=C.UTF-8 TZ=UTC`,
    'unset DEB_BUILD_OPTIONS DEB_BUILD_PROFILES || true',
  ];
}

function sourceScript(plan: PackagingPlan): string {
  // dpkg-source keeps modes; those of a checkout depend on whose it is.
  const level = [
    'find . -name .git -prune -o -type d -exec chmod 0755 {} +',
    'find . -name .git -prune -o -type f -perm /0100 -exec chmod 0755 {} +',
    'find . -name .git -prune -o -type f ! -perm /0100 -exec chmod 0644 {} +',
    'find . -name .git -prune -o -exec touch --no-dereference --date=@$SOURCE_DATE_EPOCH {} +',
  ];
  return lines([
    ...header(plan),
    ...level,
    ...(plan.origTarball === undefined ? [] : origTarball(plan.origTarball)),
    'dpkg-buildpackage --build=source --no-pre-clean --no-check-builddeps --no-sign --source-option=--tar-ignore=.git --source-option=--diff-ignore="(^|/)\\.git(/|\\$)"',
  ]);
}

/** The upstream part of the tree; all that is not Debian's. */
function origTarball(name: string): string[] {
  const options = [
    '--sort=name',
    '--format=gnu',
    '--owner=0',
    '--group=0',
    '--numeric-owner',
    '--mtime=@$SOURCE_DATE_EPOCH',
    '--anchored',
    '--exclude=./debian',
    '--no-anchored',
    '--exclude=.git',
    "--transform='s,^\\.,source,S'",
  ];
  const compress = name.endsWith('.gz') ? 'gzip -9 -n' : 'xz -6 -T1';
  return [
    `tar -c ${options.join(' ')} . | ${compress} > ../${name}.part`,
    `mv ../${name}.part ../${name}`,
  ];
}

function binaryScript(plan: PackagingPlan): string {
  const { options } = plan;
  const parallel = options.parallel === undefined ? '$(nproc)' : String(options.parallel);
  const checks = options.tests && !options.profiles.includes('nocheck') ? '' : 'nocheck ';
  const exports = Object.entries(options.environment).map(
    ([name, value]) => `export ${name}=${quoted(value)}`,
  );
  const profiles = options.profiles.join(' ');
  return lines([
    ...header(plan),
    ...exports,
    `export DEB_BUILD_OPTIONS="${checks}parallel=${parallel}"`,
    ...(profiles === '' ? [] : [`export DEB_BUILD_PROFILES=${quoted(profiles)}`]),
    'export HOME=/nonexistent',
    `dpkg-source --extract ../${dscName(plan)} source`,
    'cd source',
    'dpkg-buildpackage --build=binary --no-sign',
    `cd .. && find . -maxdepth 1 -type f -exec mv -t .. {} +`,
  ]);
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function lines(all: readonly string[]): string {
  return `${all.join('\n')}\n`;
}
