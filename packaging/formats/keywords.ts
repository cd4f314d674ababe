import type { Call, Token } from './tokens.ts';

/** A literal of Python or Meson: what is no literal (a name, a call) is undefined. */
export type Literal = string | readonly Literal[] | { readonly [key: string]: Literal } | undefined;

const maxDepth = 8;

/** Arguments of a call, those with a keyword under it: `setup(name='x')`, `dependency('x', required: false)`. */
export interface Arguments {
  readonly positional: readonly Literal[];
  readonly named: ReadonlyMap<string, Literal>;
}

/** Reads the arguments of a call in Python (`=`) or Meson (`:`). */
export function argumentsOf(call: Call): Arguments {
  const reader = new Reader(call.tokens);
  const positional: Literal[] = [];
  const named = new Map<string, Literal>();
  while (!reader.done) {
    const key = reader.keyword();
    const value = reader.value(0);
    if (key === undefined) positional.push(value);
    else named.set(key, value);
    reader.skipPast(',');
  }
  return { positional, named };
}

/** The texts of a literal list, or of one text. */
export function textsOf(literal: Literal): string[] {
  if (typeof literal === 'string') return [literal];
  return isList(literal) ? literal.flatMap((one) => (typeof one === 'string' ? [one] : [])) : [];
}

export function isList(literal: Literal): literal is readonly Literal[] {
  return Array.isArray(literal);
}

const closing: Readonly<Record<string, string>> = { '[': ']', '(': ')', '{': '}' };

class Reader {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  get done(): boolean {
    return this.#at >= this.#tokens.length;
  }

  /** `name =` or `name:` before a value. */
  keyword(): string | undefined {
    const [word, mark] = [this.#tokens[this.#at], this.#tokens[this.#at + 1]];
    if (word?.type !== 'word' || mark?.type !== 'mark' || !'=:'.includes(mark.text))
      return undefined;
    this.#at += 2;
    return word.text;
  }

  /** A literal that is followed by the end of its place; anything else is undefined. */
  value(depth: number): Literal {
    const token = this.#tokens[this.#at];
    if (!token || depth > maxDepth) return undefined;
    if (token.type === 'string') return this.#text();
    if (token.type === 'mark' && closing[token.text] !== undefined) return this.#group(depth);
    if (token.type === 'word' && /^(true|false|True|False)$/.test(token.text)) {
      this.#at++;
      return token.text.toLowerCase();
    }
    return undefined;
  }

  /** Strings beside each other are one. */
  #text(): Literal {
    let text = '';
    for (let token = this.#tokens[this.#at]; token?.type === 'string';) {
      text += token.text;
      token = this.#tokens[++this.#at];
    }
    const next = this.#tokens[this.#at];
    return next === undefined || next.type === 'mark' ? text : undefined;
  }

  #group(depth: number): Literal {
    const close = closing[this.#tokens[this.#at++]?.text ?? ''];
    const items: Literal[] = [];
    const fields: Record<string, Literal> = Object.create(null);
    while (!this.done && !this.#isMark(close ?? '')) {
      const start = this.#at;
      const item = this.value(depth + 1);
      if (close === '}' && this.#isMark(':') && typeof item === 'string') {
        this.#at++;
        fields[item] = this.value(depth + 1);
      } else items.push(item);
      this.#skipTo([',', close ?? '']);
      if (this.#isMark(',')) this.#at++;
      if (this.#at === start) break; // a mark that closes nothing
    }
    this.#at++;
    return close === '}' ? fields : items;
  }

  #isMark(text: string): boolean {
    const token = this.#tokens[this.#at];
    return token?.type === 'mark' && token.text === text;
  }

  /** Goes behind the next such mark that is not inside of brackets. */
  skipPast(mark: string): void {
    this.#skipTo([mark]);
    this.#at++;
  }

  #skipTo(ends: readonly string[]): void {
    let depth = 0;
    for (; this.#at < this.#tokens.length; this.#at++) {
      const token = this.#tokens[this.#at];
      if (token?.type !== 'mark') continue;
      if (depth === 0 && ends.includes(token.text)) return;
      if (closing[token.text] !== undefined) depth++;
      else if (')]}'.includes(token.text)) depth--;
    }
  }
}
