import { comparePaths } from './compare-paths.ts';
import { invalid, quoted } from './tree-format.ts';

/**
 * Checks paths as they come: each must follow the one before, and none may lie below a path that is
 * a file. `a` and `a/b` need not be neighbours (`a`, `a-b`, `a/b`), but everything between the
 * two begins with `a`: so the files that could still turn out to be directories form a stack.
 */
export class TreeOrder {
  #last: string | undefined;
  readonly #prefixes: string[] = [];

  /** Throws `TreeInvalid` when this path may not come next. */
  next(path: string): void {
    if (this.#last !== undefined && comparePaths(this.#last, path) >= 0) {
      throw invalid(`${quoted(path)} comes after ${quoted(this.#last)}: not sorted, or twice`);
    }
    this.#last = path;
    this.#dropOthers(path);
    for (const file of this.#prefixes) {
      if (path[file.length] === '/') {
        throw invalid(`${quoted(file)} is a file and, because of ${quoted(path)}, a directory`);
      }
    }
    this.#prefixes.push(path);
  }

  #dropOthers(path: string): void {
    for (;;) {
      const file = this.#prefixes.at(-1);
      if (file === undefined || path.startsWith(file)) return;
      this.#prefixes.pop();
    }
  }
}
