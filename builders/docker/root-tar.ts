import type { Readable } from 'node:stream';
import { fromRoot } from '../../apt/deb/contents.ts';
import { readDeb, type UnpackedFile } from '../../apt/deb.ts';
import { CairnError } from '../../crds/reasons.ts';
import { BaseProblem } from './problems.ts';
import { writeTar, type PutEntry } from './tar.ts';

/** A package on its way into a root file system. */
export interface PackedDeb {
  readonly name: string;
  readonly content: Buffer;
}

/** Debian's folders of old, which are links by now (merged /usr); packages of some releases still have files there. */
const merged = ['bin', 'lib', 'lib32', 'lib64', 'libo32', 'libx32', 'sbin'];
const unneeded = /^usr\/share\/(bug|doc|info|lintian|locale|man)\//;

/**
 * Made by maintainer scripts otherwise, which don't run: the users that programs look for, no package known to dpkg, and the
 * programs that Policy counts on, under their own names.
 */
const files: Readonly<Record<string, string>> = {
  'etc/passwd':
    'root:x:0:0:root:/root:/bin/sh\n' +
    '_apt:x:42:65534::/nonexistent:/usr/sbin/nologin\n' +
    'nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n',
  'etc/group': 'root:x:0:\nadm:x:4:\nshadow:x:42:\nnogroup:x:65534:\n',
  'var/lib/dpkg/status': '',
  'var/lib/dpkg/available': '',
};
const alternatives: Readonly<Record<string, readonly string[]>> = {
  'usr/bin/sh': ['usr/bin/dash', 'usr/bin/bash'],
  'usr/bin/awk': ['usr/bin/mawk', 'usr/bin/gawk', 'usr/bin/original-awk'],
};

const limits = { maxData: 2 ** 30, maxFiles: 100_000, maxPath: 4096, maxFile: 2 ** 27 };
const mostEntries = 300_000;
const mostBytes = 2 ** 31;

/**
 * A root file system of the files of these packages, as a tar stream. None of their scripts runs. The same packages give the same bytes.
 * A package that can't be read is the error of the stream.
 */
export function rootTar(debs: AsyncIterable<PackedDeb>): Readable {
  return writeTar(async (put) => {
    const root = new Root(put);
    await root.begin();
    for await (const deb of debs) await root.add(deb);
    await root.end();
  });
}

class Root {
  readonly #put: PutEntry;
  /** Of all but directories. */
  readonly #paths = new Set<string>();
  readonly #directories = new Set<string>();
  #bytes = 0;

  constructor(put: PutEntry) {
    this.#put = put;
  }

  async begin(): Promise<void> {
    for (const name of merged) await this.#link(name, `usr/${name}`);
  }

  async add({ name, content }: PackedDeb): Promise<void> {
    const unpack = async (files: readonly UnpackedFile[]) => {
      for (const file of files) await this.#add(file);
    };
    try {
      await readDeb(once(content), { unpack, limits });
    } catch (error) {
      if (!(error instanceof CairnError)) throw error;
      throw new BaseProblem(`package ${name}: ${error.message}`, { cause: error });
    }
  }

  async end(): Promise<void> {
    for (const [name, content] of Object.entries(files)) {
      await this.#put({ name, mode: 0o644, ...fixed }, content);
    }
    for (const [name, targets] of Object.entries(alternatives)) {
      const target = targets.find((one) => this.#paths.has(one));
      if (target !== undefined && !this.#paths.has(name)) await this.#link(name, `/${target}`);
    }
  }

  async #add({ path, type, link, content, mode, uid, gid }: UnpackedFile): Promise<void> {
    const name = inUsr(path);
    if (name === '' || merged.includes(name) || unneeded.test(name)) return;
    if (type === 'directory' && this.#directories.has(name)) return;
    (type === 'directory' ? this.#directories : this.#paths).add(name);
    this.#bytes += content.length;
    if (this.#paths.size + this.#directories.size > mostEntries || this.#bytes > mostBytes) {
      throw new BaseProblem('the packages of a root file system hold too much');
    }
    const header = { name, mode, uid, gid, mtime: fixed.mtime, type };
    if (type === 'symlink') return this.#put({ ...header, linkname: link });
    if (type === 'link') return this.#put({ ...header, linkname: inUsr(fromRoot(link)) });
    if (type === 'directory') return this.#put(header);
    return this.#put({ ...header, size: content.length }, once(content));
  }

  async #link(name: string, linkname: string): Promise<void> {
    await this.#put({ name, type: 'symlink', linkname, mode: 0o777, ...fixed });
  }
}

const fixed = { uid: 0, gid: 0, mtime: new Date(0) };

/** Where a path leads on a system whose /bin is a link to /usr/bin. */
function inUsr(path: string): string {
  const [first = '', ...more] = path.split('/');
  return more.length > 0 && merged.includes(first) ? `usr/${path}` : path;
}

async function* once(content: Buffer): AsyncGenerator<Buffer> {
  yield content;
}
