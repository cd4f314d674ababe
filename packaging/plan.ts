import { CairnError } from '../crds/reasons.ts';
import { readConfig, type PackagingConfig } from './settings/settings.ts';
import { formatEntry } from './debian/changelog.ts';
import { hasPackaging, readPackaging } from './debian/existing.ts';
import { packageNameOf } from './debian/names.ts';
import { detect } from './detect.ts';
import { generate } from './generate.ts';
import { given } from './given.ts';
import type { Look, Recipe } from './recipe.ts';
import type {
  BuildOptions,
  PackagingPlan,
  PackagingRequest,
  PlannedFile,
  VersionFacts,
} from './request.ts';
import { readTree, type Tree } from './tree.ts';
import {
  formatVersion,
  higherVersion,
  nextVersion,
  upstreamVersion,
  versionOfTag,
  type DebianVersion,
} from './version.ts';

/**
 * Says how a checked-out tree becomes a Debian source package, and changes nothing. Runs nothing of the tree, follows no
 * symbolic link, and reads only a bounded part of few files. Throws `SourceInvalid` with file, line and what was
 * expected when the tree can't be packaged, `SpecInvalid` when the request can't be.
 */
export async function planPackaging(asked: PackagingRequest): Promise<PackagingPlan> {
  checkRequest(asked);
  const date = Math.max(asked.source.date, earliestDate);
  const request = { ...asked, source: { ...asked.source, date } };
  const tree = await readTree(request.folder, request.subdirectory);
  const config = await readConfig(tree);
  return hasPackaging(tree)
    ? planExisting(request, tree, config)
    : planGenerated(request, tree, config);
}

/** What ends in the changelog must not break it. */
function checkRequest({ maintainer, distribution, source }: PackagingRequest): void {
  if (!/^[^<>\n,"]{1,200} <[^<>@\s,]{1,200}@[^<>@\s,]{1,200}>$/.test(maintainer)) {
    throw new CairnError('SpecInvalid', 'maintainer: expected "Name <name@example.org>"');
  }
  if (!/^[a-z0-9][a-z0-9.+-]{0,99}$/i.test(distribution)) {
    throw new CairnError('SpecInvalid', 'distribution: expected the name of a suite');
  }
  if (!/^([0-9a-f]{40}|[0-9a-f]{64})$/.test(source.commit)) {
    throw new CairnError('InternalError', 'a commit is named by 40 or 64 hex digits');
  }
  if (!Number.isSafeInteger(source.date) || Math.abs(source.date) > latestDate) {
    throw new CairnError('SourceInvalid', `the commit is dated ${source.date}, which is no time`);
  }
}

/** Before 1980 some archives can't be dated. */
const earliestDate = Date.UTC(1980, 0, 2) / 1000;

/** The end of the year 9999, in seconds: what a changelog can say. */
const latestDate = 253_402_300_799;

/** A `debian/` folder is used as it is, but for the entry in its changelog. */
async function planExisting(
  request: PackagingRequest,
  tree: Tree,
  config: PackagingConfig,
): Promise<PackagingPlan> {
  const found = await readPackaging(tree);
  const facts = await versionFacts(request, found.sourceName);
  const version = nextVersion(found.version, facts);
  const entry = formatEntry({
    ...request,
    sourceName: found.sourceName,
    version: formatVersion(version),
  });
  return {
    kind: 'Debian',
    sourceName: found.sourceName,
    version: formatVersion(version),
    ...given('last', facts.last),
    format: found.format,
    ...given('origTarball', origOf(found.sourceName, version, found.format)),
    ...given('subdirectory', request.subdirectory),
    files: [{ path: 'debian/changelog', mode: 0o644, content: entry, prepend: true }],
    buildDependencies: [...found.buildDependencies, ...config.buildDependencies],
    buildConflicts: found.buildConflicts,
    binaryPackages: found.binaryPackages,
    options: optionsOf(config, config.tests ?? true),
    notes: [`debian/ is used as it is, format ${found.format}`, ...config.notes],
    date: request.source.date,
  };
}

/** Without its epoch, which file names don't have; compressed as the format allows. */
function origOf(
  name: string,
  { upstream, revision }: DebianVersion,
  format: string,
): string | undefined {
  if (format === '3.0 (native)' || revision === undefined) return undefined;
  return `${name}_${upstream}.orig.tar.${format === '1.0' ? 'gz' : 'xz'}`;
}

async function planGenerated(
  request: PackagingRequest,
  tree: Tree,
  config: PackagingConfig,
): Promise<PackagingPlan> {
  if (tree.entries.has('debian')) refuseLeftovers(tree);
  const fallbackName = packageNameOf(request.source.name) ?? 'source';
  const look: Look = { tree, config, request, fallbackName };
  const recipe = await detect(look);
  const source = config.name ?? packageNameOf(recipe.name ?? '') ?? fallbackName;
  const base = baseVersion(recipe, request);
  const facts = await versionFacts(request, source);
  const version = formatVersion(nextVersion({ epoch: 0, upstream: base }, facts));
  const binary = recipe.binaryName?.(source) ?? source;
  const names = { source, binary, version: base.replace(/~/g, '') };
  const { files, buildDependencies, notes } = await generate(look, recipe, names);
  return {
    kind: recipe.kind,
    sourceName: source,
    version,
    ...given('last', facts.last),
    format: '3.0 (native)',
    ...given('subdirectory', request.subdirectory),
    files: [...files, changelog(request, source, version)],
    buildDependencies,
    buildConflicts: [],
    binaryPackages: [{ name: binary, architecture: recipe.architecture }],
    options: optionsOf(config, config.tests ?? false),
    notes: [...recipe.notes, ...notes, ...config.notes],
    date: request.source.date,
  };
}

/** Files of a `debian/` without control, changelog and rules would mix with the generated ones. */
function refuseLeftovers(tree: Tree): void {
  const inside = [...tree.entries.keys()].find((file) => file.startsWith('debian/'));
  if (inside === undefined) return;
  throw new CairnError(
    'SourceInvalid',
    'debian: expected control, changelog and rules in this folder, or no such folder',
  );
}

/** What was made before under this name, by whomever. */
async function versionFacts(
  { version: { counter, last, lastOf } }: PackagingRequest,
  sourceName: string,
): Promise<VersionFacts> {
  return { counter, ...given('last', higherVersion(last, await lastOf?.(sourceName))) };
}

/** Metadata or tag, whichever is higher; 0 when there is neither. */
function baseVersion(recipe: Recipe, { source }: PackagingRequest): string {
  const own = recipe.version === undefined ? undefined : upstreamVersion(recipe.version);
  const tagged = source.describe === undefined ? undefined : versionOfTag(source.describe);
  return higherVersion(own, tagged) ?? '0';
}

function changelog(request: PackagingRequest, sourceName: string, version: string): PlannedFile {
  const content = formatEntry({ ...request, sourceName, version });
  return { path: 'debian/changelog', mode: 0o644, content: content.replace(/\n+$/, '\n') };
}

function optionsOf(config: PackagingConfig, tests: boolean): BuildOptions {
  return {
    ...given('parallel', config.parallel),
    profiles: config.profiles,
    extraBuildDependencies: config.buildDependencies,
    environment: config.environment,
    tests,
  };
}
