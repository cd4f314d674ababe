import { isPlainPath } from './debian/names.ts';
import type { Tree } from './tree.ts';

const documentNames =
  /^(README|LICEN[CS]E|COPYING|NOTICE|CHANGELOG|CHANGES|NEWS|AUTHORS|CONTRIBUT|SECURITY|CODE_OF_CONDUCT)/i;

/** Whether a file of the root is for people to read, a page of the manual, or a unit of systemd. */
export function isDocument(file: string): boolean {
  if (file.includes('/')) return isManualPage(file) || isUnit(file);
  return documentNames.test(file) || isManualPage(file) || isUnit(file);
}

/** What goes to /usr/share/doc: a README of the root. */
export function readmesOf(tree: Tree): string[] {
  return tree.files.filter((file) => /^README(\.(md|rst|txt|adoc))?$/i.test(file)).slice(0, 5);
}

function isManualPage(file: string): boolean {
  return /^((man|doc|docs|share\/man)\/(man[1-8]\/)?)?[a-z0-9][\w.+-]*\.[1-8]$/i.test(file);
}

function isUnit(file: string): boolean {
  return /^((systemd|contrib\/systemd|contrib|init|dist|etc)\/)?[a-z][\w.-]*\.service$/i.test(file);
}

const maxPages = 200;

/** Pages of the manual, by their names and what is in them. */
export async function manualPages(tree: Tree): Promise<string[]> {
  const pages: string[] = [];
  const named = tree.files.filter((one) => isManualPage(one) && isPlainPath(one));
  for (const file of named.slice(0, maxPages)) {
    if (/^[.'](TH|Dd|so|\\")/m.test((await tree.head(file, 4096)) ?? '')) pages.push(file);
  }
  return pages;
}

export interface Unit {
  readonly file: string;
  readonly text: string;
}

/** The one unit of systemd in the tree, if what it starts is a program of the package. */
export async function serviceUnit(tree: Tree): Promise<Unit | undefined> {
  const units = tree.files.filter(isUnit);
  const [file] = units;
  if (file === undefined || units.length > 1) return undefined;
  const text = (await tree.head(file, 64 * 1024)) ?? '';
  return /^ExecStart=[-@:+!]{0,3}\/usr\/s?bin\//m.test(text) ? { file, text } : undefined;
}
