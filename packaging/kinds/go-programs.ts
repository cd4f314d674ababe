import { isPlainPath } from '../debian/names.ts';
import type { Tree } from '../tree.ts';

const maxFiles = 20_000;
const headBytes = 8 * 1024;

/** Folders that programs are not shipped from. */
const aside =
  /(^|\/)(vendor|testdata|examples?|_[^/]*|\.[^/]*|internal|hack|tools?|scripts?|tests?|e2e|docs?)\//;

/**
 * The folders with programs, as `.` and `./cmd/foo`: those in the root and below cmd/ if there are any, else
 * all that are not for the project's own use.
 */
export async function findPrograms(tree: Tree): Promise<readonly string[]> {
  const folders = new Set<string>();
  const files = tree.files.filter(isCandidate).slice(0, maxFiles);
  for (const file of files) {
    const folder = file.includes('/') ? `./${file.slice(0, file.lastIndexOf('/'))}` : '.';
    if (folders.has(folder) || !isPlainPath(file)) continue;
    if (isProgram((await tree.head(file, headBytes)) ?? '')) folders.add(folder);
  }
  const all = [...folders].filter((folder) => !ofAnotherModule(tree, folder));
  const main = all.filter((folder) => folder === '.' || folder.startsWith('./cmd/'));
  return main.length > 0 ? main : all;
}

function isCandidate(file: string): boolean {
  return file.endsWith('.go') && !file.endsWith('_test.go') && !aside.test(file);
}

function ofAnotherModule(tree: Tree, folder: string): boolean {
  const parts = folder.split('/').slice(1);
  return parts.some((_, index) => tree.has(`${parts.slice(0, index + 1).join('/')}/go.mod`));
}

/** `package main` in a file that is part of the build on Linux. */
function isProgram(head: string): boolean {
  const clause = /^package[ \t]{1,4}main\b/m.exec(head);
  if (!clause) return false;
  return !/^\/\/(go:build|[ \t]?\+build)[ \t].*(?<!!)\b(ignore|windows|darwin|tools?)\b/m.test(
    head.slice(0, clause.index),
  );
}
