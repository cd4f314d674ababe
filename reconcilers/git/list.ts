import { CairnError } from '../../crds/reasons.ts';

/** Linux has 90,000 files; what is five times as large is no source. */
const mostFiles = 500_000;
/** Of all files together, as they are laid out. */
const mostBytes = 16 * 2 ** 30;
/** Linux takes 4096 bytes, of which we need some ourselves. */
const longestPath = 3500;
/** What a list may take: that of trees in trees in trees would go on for ever. */
const mostListBytes = 64 * 2 ** 20;

type List = (args: readonly string[], limit: { readonly mostBytes: number }) => Promise<string>;

/**
 * Checks what a commit has before it is laid out: git itself takes whatever there is. Throws `SourceInvalid` for
 * what is too much, and for names that nobody can write down.
 */
export async function checkFiles(commit: string, git: List): Promise<void> {
  const listed = (...options: string[]) =>
    git(['ls-tree', '-r', '-z', '--full-tree', ...options, commit], { mostBytes: mostListBytes });
  // First without the sizes, which take long to find out.
  checkNames(split(await listed('--name-only')));
  checkSizes(split(await listed('--long')));
}

/** Throws `SourceInvalid`. */
function checkNames(names: readonly string[]): void {
  if (names.length > mostFiles) throw cannotLayOut(`it has more than ${mostFiles} files`);
  for (const name of names) {
    if (name.length > longestPath) throw cannotLayOut(`${name.slice(0, 100)}… is too long`);
    // What is no UTF-8 was decoded to this.
    if (!name.includes('\ufffd')) continue;
    throw cannotLayOut(`expected UTF-8 in the name ${JSON.stringify(name)}`);
  }
}

/** Of `mode type object size<tab>name`. */
function checkSizes(lines: readonly string[]): void {
  let bytes = 0;
  for (const line of lines) {
    const [, size = '0'] = /^[0-7]+ blob [0-9a-f]+ +([0-9]{1,15})\t/.exec(line) ?? [];
    bytes += Number(size);
    if (bytes > mostBytes) throw cannotLayOut(`its files have more than ${mostBytes} bytes`);
  }
}

function split(list: string): readonly string[] {
  return list.split('\0').filter((line) => line !== '');
}

export function cannotLayOut(what: string): CairnError {
  return new CairnError('SourceInvalid', `the commit can not be laid out: ${what}`);
}
