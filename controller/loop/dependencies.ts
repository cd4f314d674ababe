import { keyOf, type ObjectKey } from '../../crds/object.ts';
import type { Dependency } from '../../reconcilers/reconciler.ts';

type Labels = Readonly<Record<string, string>>;

interface Changed {
  readonly isDeclared?: boolean;
  readonly labels?: readonly Labels[];
}

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
   * something has changed that people declare, and not its status alone. `labels`: those that it
   * has, and those that it had before.
   */
  changed(
    object: ObjectKey,
    { isDeclared = true, labels = [] }: Changed = {},
  ): ReadonlySet<string> {
    const ways = wordsOf(object, labels);
    const words = isDeclared ? [...ways, ...ways.map(declared)] : ways;
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

/**
 * A key for one object, and one that no object has for all of a kind. Of several labels the first
 * decides: one who is woken for an object that has not all of them finds nothing to do.
 */
function wordOf(dependency: Dependency): string {
  const { kind, namespace, aspect } = dependency;
  const word =
    'name' in dependency ? keyOf(dependency) : wordOfKind(dependency, { kind, namespace });
  return aspect === 'declared' ? declared(word) : word;
}

function declared(word: string): string {
  return `${word} declared`;
}

function wordOfKind(
  { labels = {} }: Exclude<Dependency, ObjectKey>,
  { kind, namespace }: Pick<ObjectKey, 'kind' | 'namespace'>,
): string {
  const [label] = Object.entries(labels).sort(([one], [other]) => (one < other ? -1 : 1));
  return label ? wordOfLabel({ kind, namespace }, label) : `${kind}/${namespace}/*`;
}

/** All words that mean an object with these labels, or with those that it had before. */
function wordsOf(object: ObjectKey, labels: readonly Labels[]): string[] {
  const { kind, namespace } = object;
  const known = labels.flatMap((some) => Object.entries(some));
  return [
    keyOf(object),
    wordOf({ kind, namespace }),
    ...new Set(known.map((label) => wordOfLabel({ kind, namespace }, label))),
  ];
}

function wordOfLabel(
  { kind, namespace }: Pick<ObjectKey, 'kind' | 'namespace'>,
  [name, value]: readonly [string, string],
): string {
  return `${kind}/${namespace}/*${name}=${value}`;
}
