import { nearestWord } from '../../crds/hint.ts';
import { kindNamed, kinds } from '../../crds/index.ts';
import type { Kind } from '../../crds/kind.ts';
import type { Target } from './api-client.ts';
import { UsageError } from './command.ts';

/** A kind, or one object of it: what the arguments of `get` name. */
export interface Selection {
  readonly kind: Kind;
  /** All of the kind when left out. */
  readonly name?: string;
}

/** Reads `KIND`, `KIND,KIND`, `KIND NAME…`, `KIND/NAME…` and `all`. Throws `UsageError`. */
export function parseSelections(words: readonly string[]): readonly Selection[] {
  const [first, ...rest] = words;
  if (first === undefined) throw new UsageError(`expected a kind (${kindWords()}) or all`);
  if (rest.includes('')) throw new UsageError('expected a name; one of them is empty');
  if (words.some((word) => word.includes('/'))) {
    return words.map((word) => parseSlash(word));
  }
  const named = first === 'all' ? kinds : first.split(',').map(kindOf);
  if (rest.length === 0) return named.map((kind) => ({ kind }));
  if (first === 'all') throw new UsageError('all takes no names: give a kind instead');
  return named.flatMap((kind) => rest.map((name) => ({ kind, name })));
}

/** The same for commands that need objects: `KIND/NAME…` or `KIND NAME…`. */
export function parseTargets(words: readonly string[], namespace: string): readonly Target[] {
  if (words.length === 0) throw new UsageError('expected an object, such as mirror/debian');
  return parseSelections(words).map(({ kind, name }) => {
    if (name === undefined) {
      throw new UsageError(`expected the name of an object, as in ${kind.kind.toLowerCase()}/NAME`);
    }
    return { kind, namespace, name };
  });
}

/** Exactly one object, for commands that change one. */
export function parseTarget(words: readonly string[], namespace: string): Target {
  const [target, ...others] = parseTargets(words, namespace);
  if (!target || others.length > 0)
    throw new UsageError('expected one object, such as mirror/debian');
  return target;
}

/** How an object is called in messages: `mirror/debian`. */
export function nameOf({ kind, name }: Pick<Target, 'kind' | 'name'>): string {
  return `${kind.kind.toLowerCase()}/${name}`;
}

/** The kind of a word. Throws `UsageError` with the nearest one. */
export function kindOf(word: string): Kind {
  const kind = kindNamed(word);
  if (kind) return kind;
  const words = kinds.flatMap((known) => [
    known.kind.toLowerCase(),
    known.plural,
    ...known.shortNames,
  ]);
  const near = nearestWord(word, words);
  const hint = near === undefined ? `the kinds are ${kindWords()}` : `did you mean ${near}?`;
  throw new UsageError(`there is no kind ${JSON.stringify(word)}; ${hint}`);
}

function parseSlash(word: string): Selection {
  const [kind = '', name = '', more] = word.split('/');
  if (name === '' || more !== undefined) {
    throw new UsageError(`expected KIND/NAME instead of ${JSON.stringify(word)}`);
  }
  return { kind: kindOf(kind), name };
}

function kindWords(): string {
  return kinds.map(({ plural }) => plural).join(', ');
}
