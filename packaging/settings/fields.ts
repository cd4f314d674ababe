import { invalid, quoted } from '../failure.ts';
import type { YamlDocument } from './yaml.ts';

type Path = readonly (string | number)[];

const maxItems = 200;
const maxText = 1000;

/** A value of a YAML file that knows where it is, and takes nothing but what is expected there. */
export class Field {
  readonly #file: string;
  readonly #document: YamlDocument;
  readonly #path: Path;
  readonly #value: unknown;

  constructor(file: string, document: YamlDocument, path: Path = [], value = document.value) {
    this.#file = file;
    this.#document = document;
    this.#path = path;
    this.#value = value;
  }

  /** An error that names line and field. */
  failure(expected: string): Error {
    const where = `${this.#file}:${this.#document.lineOf(this.#path)}`;
    const name = this.#path.length === 0 ? '' : `${this.#path.join('.')}: `;
    const value = JSON.stringify(this.#value) ?? 'nothing';
    return invalid(where, `${name}expected ${expected}; found ${quoted(value)}`);
  }

  /** The fields of a mapping. One that is not among `known` is an error. */
  mapping(known?: readonly string[]): ReadonlyMap<string, Field> {
    const value = this.#value;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw this.failure('a mapping');
    }
    const entries = Object.entries(value).map(
      ([key, one]) => [key, this.#child(key, one)] as const,
    );
    if (entries.length > maxItems) throw this.failure(`at most ${maxItems} fields`);
    for (const [key, field] of entries) {
      if (known && !known.includes(key)) {
        throw field.#unknown(key, known);
      }
    }
    return new Map(entries);
  }

  list(): readonly Field[] {
    if (!Array.isArray(this.#value)) throw this.failure('a list');
    if (this.#value.length > maxItems) throw this.failure(`at most ${maxItems} items`);
    return this.#value.map((one, index) => this.#child(index, one));
  }

  /** A list of texts; one text with blanks, commas or line ends between does as well. */
  words(): readonly Field[] {
    if (typeof this.#value !== 'string') return this.list();
    const parts = this.#value.split(/[,\n]/).map((part) => part.trim());
    return parts.filter((part) => part !== '').map((part) => this.#as(part));
  }

  text(expected = 'a text', pattern?: RegExp): string {
    const value = this.#value;
    const fits = typeof value === 'string' && value.length <= maxText && !/[\0\r]/.test(value);
    if (!fits || (pattern && !pattern.test(value))) throw this.failure(expected);
    return value;
  }

  /** Numbers and truth values as they would be written. */
  plain(): string {
    if (typeof this.#value === 'number' || typeof this.#value === 'boolean') {
      return String(this.#value);
    }
    return this.text('a text, number, true or false');
  }

  bool(): boolean {
    if (typeof this.#value === 'boolean') return this.#value;
    throw this.failure('true or false');
  }

  whole(least: number, most: number): number {
    const value = this.#value;
    if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) {
      return value;
    }
    throw this.failure(`a whole number from ${least} to ${most}`);
  }

  is(type: 'boolean' | 'string' | 'object'): boolean {
    return typeof this.#value === type;
  }

  #child(key: string | number, value: unknown): Field {
    return new Field(this.#file, this.#document, [...this.#path, key], value ?? null);
  }

  #as(value: unknown): Field {
    return new Field(this.#file, this.#document, this.#path, value);
  }

  #unknown(key: string, known: readonly string[]): Error {
    const where = `${this.#file}:${this.#document.lineOf(this.#path)}`;
    return invalid(where, `unknown field ${quoted(key)}; expected one of ${known.join(', ')}`);
  }
}
