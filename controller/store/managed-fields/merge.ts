import { FieldSet } from './field-set.ts';
import { partsOf, typeOf, valueOf, type Type } from './structure.ts';

/** What is there with what a configuration gives in its place. */
export function merge(live: unknown, config: unknown, type: Type): unknown {
  if (config === undefined) return live;
  const [old, given] = [partsOf(live, type), partsOf(config, type)];
  if (!given || !old || old.size + given.size === 0) return config;
  const parts = new Map<string, unknown>();
  for (const element of mergedOrder([...old.keys()], [...given.keys()])) {
    parts.set(element, merge(old.get(element), given.get(element), typeOf(element, type)));
  }
  return valueOf(parts, config);
}

/**
 * What is there without what a manager gave before, where nobody gives it now. An item of which
 * somebody has a part stays, as does one in which there is something that the manager never gave.
 */
export function prune(value: unknown, before: FieldSet, owned: FieldSet, type: Type): unknown {
  const parts = partsOf(value, type);
  if (!parts) return value;
  for (const [element, child] of parts) {
    const given = before.children.get(element);
    if (!given) continue;
    const others = owned.children.get(element) ?? new FieldSet();
    const below = typeOf(element, type);
    const rest = prune(child, given, others, below);
    const isBare = (partsOf(rest, below)?.size ?? 0) === 0;
    if (isBare && others.isEmpty()) parts.delete(element);
    else parts.set(element, rest);
  }
  return valueOf(parts, value);
}

/** The order of the configuration, with what only the other has where it was. */
function mergedOrder(live: readonly string[], config: readonly string[]): readonly string[] {
  const given = new Set(config);
  const order: string[] = [];
  let next = 0;
  for (const element of live) {
    if (!given.has(element)) {
      order.push(element);
      continue;
    }
    const until = config.indexOf(element, next);
    if (until < 0) continue; // it came earlier
    order.push(...config.slice(next, until + 1));
    next = until + 1;
  }
  return [...order, ...config.slice(next)];
}
