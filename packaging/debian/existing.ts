import { invalid, quoted } from '../failure.ts';
import type { BinaryPackage, SourceFormat } from '../request.ts';
import type { Tree } from '../tree.ts';
import { parseVersion, type DebianVersion } from '../version.ts';
import { maxChangelogBytes, readChangelogHead } from './changelog.ts';
import { readControl } from './control.ts';

/** What a `debian/` folder that somebody wrote says. */
export interface ExistingPackaging {
  readonly sourceName: string;
  readonly version: DebianVersion;
  readonly format: SourceFormat;
  readonly buildDependencies: readonly string[];
  readonly buildConflicts: readonly string[];
  readonly binaryPackages: readonly BinaryPackage[];
}

/** Whether the tree brings its own packaging. A `debian` that is not a folder is an error. */
export function hasPackaging(tree: Tree): boolean {
  const type = tree.entries.get('debian');
  if (type === undefined) return false;
  if (type !== 'folder') throw invalid('debian', `expected a folder; it is ${nameOf(type)}`);
  const wanted = ['debian/control', 'debian/changelog', 'debian/rules'];
  return wanted.some((file) => tree.entries.has(file));
}

/** Reads a `debian/` folder, and says where it is wrong. */
export async function readPackaging(tree: Tree): Promise<ExistingPackaging> {
  const changelog = readChangelogHead(await needed(tree, 'debian/changelog', maxChangelogBytes));
  const control = readControl(await needed(tree, 'debian/control'));
  await needed(tree, 'debian/rules');
  const place = `debian/changelog:${changelog.line}`;
  if (control.sourceName !== changelog.sourceName) {
    const message = `expected the package ${control.sourceName}, as in debian/control; found ${changelog.sourceName}`;
    throw invalid(place, message);
  }
  const version = parseVersion(changelog.version);
  if (!version) throw invalid(place, `${quoted(changelog.version)} is no version of Debian`);
  return { ...control, version, format: await formatOf(tree, version, place) };
}

async function needed(tree: Tree, file: string, maxBytes?: number): Promise<string> {
  const type = tree.entries.get(file);
  if (type === undefined) throw invalid(file, 'the folder debian/ needs this file');
  if (type !== 'file') throw invalid(file, `expected a file; it is ${nameOf(type)}`);
  return (await tree.text(file, maxBytes)) ?? '';
}

/** dpkg-source(1): without `debian/source/format` it is 1.0. */
async function formatOf(tree: Tree, version: DebianVersion, place: string): Promise<SourceFormat> {
  const file = 'debian/source/format';
  const format = tree.entries.has(file) ? (await needed(tree, file)).trim() : '1.0';
  if (format === '1.0') return format;
  if (format === '3.0 (quilt)') {
    if (version.revision !== undefined) return format;
    const message = `expected a version with a revision, such as ${version.upstream}-1: ${file} says 3.0 (quilt)`;
    throw invalid(place, message);
  }
  if (format === '3.0 (native)') {
    if (version.revision === undefined) return format;
    const message = `expected a version without a revision, such as ${version.upstream}: ${file} says 3.0 (native)`;
    throw invalid(place, message);
  }
  throw invalid(`${file}:1`, `expected 1.0, 3.0 (native) or 3.0 (quilt); found ${quoted(format)}`);
}

function nameOf(type: string): string {
  return type === 'link' ? 'a symbolic link, which is not followed' : `a ${type}`;
}
