import { isRecord } from '../../crds/record.ts';

/** Most items that are taken of a list or mapping: what is longer was not written by people. */
const maxItems = 1000;

/** What a metadata file holds, by paths of keys. What has another type than asked for is not there. */
export class Lookup {
  readonly #value: unknown;

  constructor(value: unknown) {
    this.#value = value;
  }

  at(...path: readonly string[]): Lookup {
    let value = this.#value;
    for (const key of path) {
      value = isRecord(value) && Object.hasOwn(value, key) ? value[key] : undefined;
    }
    return new Lookup(value);
  }

  has(...path: readonly string[]): boolean {
    return this.at(...path).#value !== undefined;
  }

  text(...path: readonly string[]): string | undefined {
    const value = this.at(...path).#value;
    return typeof value === 'string' ? value : undefined;
  }

  truth(...path: readonly string[]): boolean | undefined {
    const value = this.at(...path).#value;
    return typeof value === 'boolean' ? value : undefined;
  }

  /** The texts of a list. */
  texts(...path: readonly string[]): string[] {
    return this.list(...path).flatMap((one) => one.text() ?? []);
  }

  list(...path: readonly string[]): Lookup[] {
    const value = this.at(...path).#value;
    return Array.isArray(value) ? value.slice(0, maxItems).map((one) => new Lookup(one)) : [];
  }

  /** The fields of a mapping. */
  entries(...path: readonly string[]): [string, Lookup][] {
    const value = this.at(...path).#value;
    if (!isRecord(value)) return [];
    const entries = Object.entries(value).slice(0, maxItems);
    return entries.map(([key, one]) => [key, new Lookup(one)]);
  }

  keys(...path: readonly string[]): string[] {
    return this.entries(...path).map(([key]) => key);
  }
}
