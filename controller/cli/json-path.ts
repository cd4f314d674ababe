/**
 * The part of JSONPath that printer columns and `--for=jsonpath` use: `.a.b`, `['a.b']`, `[0]`,
 * `[*]` and `[?(@.type=="Ready")]`, with or without braces around it. Returns every match.
 * Throws `SyntaxError`.
 */
export function evaluateJsonPath(root: unknown, path: string): readonly unknown[] {
  let found: readonly unknown[] = [root];
  for (const step of parseJsonPath(path)) found = found.flatMap((value) => [...step(value)]);
  return found;
}

type Step = (value: unknown) => Iterable<unknown>;

const token =
  /\.([A-Za-z_][\w-]*)|\[(?:'([^']*)'|"([^"]*)"|(\d+)|(\*)|\?\(@\.([\w.-]+)\s*==\s*(?:"([^"]*)"|'([^']*)')\))\]/y;

function parseJsonPath(path: string): readonly Step[] {
  const text = path
    .trim()
    .replace(/^\{(.*)\}$/s, '$1')
    .replace(/^\$?/, '');
  const steps: Step[] = [];
  for (let at = 0; at < text.length; at = token.lastIndex) {
    token.lastIndex = at;
    const match = token.exec(text);
    if (!match) throw new SyntaxError(`can't read the JSONPath ${path} from ${text.slice(at)} on`);
    steps.push(stepOf(match));
  }
  return steps;
}

function stepOf(match: RegExpExecArray): Step {
  const [, word, single, double, index, star, field, expected, otherwise] = match;
  if (star !== undefined) return elements;
  if (field !== undefined) {
    const wanted = expected ?? otherwise ?? '';
    return (value) => elements(value).filter((item) => asText(fieldOf(item, field)) === wanted);
  }
  const key = word ?? single ?? double ?? index ?? '';
  return (value) => {
    const child = property(value, key);
    return child === undefined ? [] : [child];
  };
}

function elements(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function fieldOf(value: unknown, path: string): unknown {
  return path.split('.').reduce(property, value);
}

function property(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as Record<string, unknown>)[key] // an own property of an object
    : undefined;
}

/** A value the way that tables and comparisons show it. */
export function asText(value: unknown): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
