import { keyOf, type ObjectKey } from '../../crds/object.ts';
import type { Dependency } from '../../reconcilers/reconciler.ts';

/** Who is to be woken when an object changes: the dependencies that each object last reported. */
export class DependencyIndex {
  readonly #dependents = new Map<string, Set<string>>();
  readonly #dependencies = new Map<string, readonly string[]>();
  readonly #watching = new Map<string, Set<string>>();

  /**
   * Begins to notice what changes for an object that is being looked at, so that a change between
   * its reading of a dependency and its report on it is not lost.
   */
  begin(key: string): void {
    this.#watching.set(key, new Set());
  }

  /**
   * Replaces what an object depends on (left out: it stays). True when one of these changed since
   * `begin`.
   */
  end(key: string, dependsOn?: readonly Dependency[]): boolean {
    const changed = this.#watching.get(key) ?? new Set();
    this.#watching.delete(key);
    if (dependsOn) this.#set(key, [...new Set(dependsOn.map(wordOf))]);
    return (this.#dependencies.get(key) ?? []).some((word) => changed.has(word));
  }

  remove(key: string): void {
    this.#set(key, []);
    this.#dependencies.delete(key);
  }

  /**
   * An object has come, changed or gone: yields the keys of those who depend on it. `isDeclared`:
   * something has changed that people declare, and not its status alone.
   */
  changed(object: ObjectKey, isDeclared = true): ReadonlySet<string> {
    const { kind, namespace, name } = object;
    const ways: readonly Dependency[] = [
      { kind, namespace, name },
      { kind, namespace },
    ];
    const declared = ways.map((one): Dependency => ({ ...one, aspect: 'declared' }));
    const words = [...ways, ...(isDeclared ? declared : [])].map(wordOf);
    for (const [key, seen] of this.#watching) {
      if (key !== keyOf(object)) for (const word of words) seen.add(word);
    }
    const woken = new Set(words.flatMap((word) => [...(this.#dependents.get(word) ?? [])]));
    woken.delete(keyOf(object));
    return woken;
  }

  #set(key: string, words: readonly string[]): void {
    for (const word of this.#dependencies.get(key) ?? []) {
      const dependents = this.#dependents.get(word);
      dependents?.delete(key);
      if (dependents?.size === 0) this.#dependents.delete(word);
    }
    for (const word of words) {
      const dependents = this.#dependents.get(word) ?? new Set();
      this.#dependents.set(word, dependents.add(key));
    }
    this.#dependencies.set(key, words);
  }
}

/** A key for one object, and one that no object has for all of a kind. */
function wordOf(dependency: Dependency): string {
  const { kind, namespace, aspect = '' } = dependency;
  const word = 'name' in dependency ? keyOf(dependency) : `${kind}/${namespace}/*`;
  return word + (aspect && ` ${aspect}`);
}
