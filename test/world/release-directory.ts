import {
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import type { HashField } from './archive-options.ts';
import { hashOf } from './pool.ts';
import type { ReleaseEntry } from './release-file.ts';

/** So many publications stay reachable by hash, the present one included. */
const generationsKept = 3;

/** Writes one suite's files: each at once (temporary file and rename), unchanged ones not at all. */
export class ReleaseDirectory {
  readonly #directory: string;
  readonly #generations: ReadonlySet<string>[] = [];

  constructor(directory: string) {
    this.#directory = directory;
  }

  write(entries: readonly ReleaseEntry[], hashes: readonly HashField[], date: Date): void {
    const byHash = new Set<string>();
    for (const entry of entries) {
      if (!entry.stored) continue;
      const file = path.join(this.#directory, entry.path);
      replace(file, entry.content, date);
      for (const hash of entry.listed ? hashes : []) {
        const name = hashOf(hash, entry.content);
        const link = path.join(path.dirname(file), 'by-hash', hash, name);
        linkOnce(file, link);
        byHash.add(link);
      }
    }
    this.#forget(byHash);
  }

  /** In the order that keeps clients consistent longest; undefined takes a file away. */
  writeReleaseFiles(files: Readonly<Record<string, string | undefined>>, date: Date): void {
    for (const [name, text] of Object.entries(files)) {
      const file = path.join(this.#directory, name);
      if (text === undefined) rmSync(file, { force: true });
      else replace(file, Buffer.from(text), date);
    }
  }

  #forget(newest: ReadonlySet<string>): void {
    this.#generations.unshift(newest);
    for (const old of this.#generations.splice(generationsKept)) {
      for (const link of old) {
        if (!this.#generations.some((kept) => kept.has(link))) rmSync(link, { force: true });
      }
    }
  }
}

function replace(file: string, content: Uint8Array, date: Date): void {
  if (existsSync(file) && readFileSync(file).equals(content)) return;
  mkdirSync(path.dirname(file), { recursive: true });
  const draft = `${file}.new`;
  writeFileSync(draft, content);
  utimesSync(draft, date, date);
  renameSync(draft, file);
}

function linkOnce(file: string, link: string): void {
  if (existsSync(link)) return;
  mkdirSync(path.dirname(link), { recursive: true });
  linkSync(file, link);
}
