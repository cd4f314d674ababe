import { namesIn } from '../debian/relations.ts';
import { packageNameOf } from '../debian/names.ts';
import type { PackagingRequest } from '../request.ts';
import { cmakePackages, linkerPackages, pkgConfigPackages } from './libraries.ts';

/** What a build system asks for, and in whose words. */
export interface Wanted {
  readonly by: 'pkg-config' | 'cmake' | 'linker';
  readonly name: string;
  readonly required: boolean;
}

export interface Resolved {
  readonly packages: readonly string[];
  readonly notes: readonly string[];
}

type Available = PackagingRequest['available'];

/** Debian's packages for libraries that a build asks for; notes name those that are not found, what it needs first. */
export function resolveLibraries(wanted: readonly Wanted[], available: Available): Resolved {
  const packages = new Set<string>();
  const notes = new Set<string>();
  const wishes = new Set<string>();
  for (const one of wanted) {
    const found = packageOf(one, available);
    if (found === '') continue;
    if (found !== undefined) packages.add(found);
    else {
      const remedy = 'name its package in build.dependencies of .cairn.yml';
      const told = `${one.name} (${one.by}), whose package is not known: ${remedy}`;
      if (one.required) notes.add(`the build needs ${told}`);
      else wishes.add(`the build would use ${told}`);
    }
  }
  return { packages: [...packages], notes: [...notes, ...wishes] };
}

function packageOf({ by, name, required }: Wanted, available: Available): string | undefined {
  const [known, guesses] = candidates(by, name);
  if (known === '') return '';
  if (known !== undefined && exists(known, available)) return known;
  if (!available) return undefined;
  const guess = guesses.find((one) => available(one));
  // An optional library that is there by a table's word alone is not worth a failed installation.
  return guess ?? (required ? known : undefined);
}

function exists(relation: string, available: Available): boolean {
  return !available || namesIn(relation).some((name) => available(name));
}

/** The table's answer, and names that Debian's habits suggest. */
function candidates(by: Wanted['by'], name: string): [string | undefined, string[]] {
  const plain = packageNameOf(name) ?? '';
  const bare = plain.replace(/^lib/, '');
  const guesses = [`lib${bare}-dev`, `${plain}-dev`, `lib${bare.replace(/-[0-9.]+$/, '')}-dev`];
  return [inTables(by, name), plain === '' ? [] : guesses];
}

function inTables(by: Wanted['by'], name: string): string | undefined {
  const table = { 'pkg-config': {}, cmake: cmakePackages, linker: linkerPackages }[by];
  const lower = name.toLowerCase();
  const entry = own(table, by === 'cmake' ? lower : name);
  if (entry === '') return '';
  if (entry?.startsWith(':')) return entry.slice(1);
  return own(pkgConfigPackages, entry ?? name) ?? own(pkgConfigPackages, lower);
}

function own(table: Readonly<Record<string, string>>, key: string): string | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}

/** Packages that other ecosystems' names stand for, without those that are known not to exist. */
export function resolvePackages(
  wanted: readonly (readonly [name: string, debian: string])[],
  available: Available,
): Resolved & { readonly missing: readonly string[] } {
  const packages = new Set<string>();
  const missing = new Set<string>();
  for (const [name, debian] of wanted) {
    if (debian === '') continue;
    if (exists(debian, available)) packages.add(debian);
    else missing.add(name);
  }
  const notes = [...missing].map(
    (name) => `${name} is needed, and the archives have no package of it`,
  );
  return { packages: [...packages], missing: [...missing], notes };
}
