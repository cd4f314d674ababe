import { invalid, shown } from './invalid.ts';

/** A field as the file has it, for indexes to repeat. */
export interface ControlField {
  readonly name: string;
  /**
   * Blanks around it taken off. Continuation lines keep the blank that they begin with; there are
   * no empty ones.
   */
  readonly value: string;
}

/** The one paragraph of a control file; its fields in their order, and found whatever their case. */
export class ControlParagraph {
  readonly fields: readonly ControlField[];
  readonly #values: ReadonlyMap<string, string>;
  readonly #where: string;

  constructor(fields: readonly ControlField[], where: string) {
    this.fields = fields;
    this.#values = new Map(fields.map(({ name, value }) => [name.toLowerCase(), value]));
    this.#where = where;
  }

  get(name: string): string | undefined {
    return this.#values.get(name.toLowerCase());
  }

  /** Throws `PackageInvalid` when the field is missing or empty. */
  required(name: string): string {
    const value = this.get(name);
    if (value) return value;
    throw invalid(this.#where, value === undefined ? `no field ${name}` : `field ${name} is empty`);
  }

  /** Why the value of this field won't do. */
  invalid(name: string, problem: string): Error {
    return invalid(this.#where, `field ${name}: ${problem}`);
  }
}

/**
 * A control file of one paragraph, as strictly as dpkg: no comments, no lines of blanks only, no
 * field twice, a newline at the end; besides UTF-8 (Debian Policy 5.1) and no control characters,
 * which parsers disagree about. `where` is the file's name for errors. Throws `PackageInvalid`.
 */
export function parseControl(bytes: Uint8Array, where: string): ControlParagraph {
  return parseParagraph(decode(bytes, where), where);
}

/** The same for text. */
export function parseParagraph(text: string, where: string): ControlParagraph {
  if (!text.endsWith('\n')) throw invalid(where, 'no newline at its end');
  const lines = text.split('\n').map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line));
  const begin = lines.findIndex((line) => line !== '');
  if (begin === -1) throw invalid(where, 'it is empty');
  const length = lines.slice(begin).indexOf('');
  const after = lines.findIndex((line, index) => index > begin + length && line !== '');
  if (after !== -1) throw invalid(`${where} line ${after + 1}`, 'only one paragraph is allowed');
  return new ControlParagraph(fieldsOf(lines.slice(begin, begin + length), begin, where), where);
}

function decode(bytes: Uint8Array, where: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw invalid(where, 'it is not UTF-8 text', cause);
  }
}

interface OpenField {
  readonly name: string;
  readonly lines: string[];
}

function fieldsOf(lines: readonly string[], begin: number, where: string): ControlField[] {
  const open: OpenField[] = [];
  const names = new Set<string>();
  for (const [index, line] of lines.entries()) {
    const problem = takeLine(open, names, line);
    if (problem) throw invalid(`${where} line ${begin + index + 1}`, problem);
  }
  return open.map((field) => ({ name: field.name, value: valueOf(field) }));
}

/** Returns what is wrong with the line. */
function takeLine(open: OpenField[], names: Set<string>, line: string): string | undefined {
  if (controlCharacter.test(line)) return 'it has a control character';
  if (line.startsWith(' ') || line.startsWith('\t')) {
    if (line.trim() === '') return 'a line of blanks only; an empty line is written as " ."';
    open.at(-1)?.lines.push(line);
    return open.length === 0 ? 'a continuation line without a field' : undefined;
  }
  const [, name, value] = /^([!"$-,.-9;-~][!-9;-~]*):(.*)$/.exec(line) ?? [];
  if (name === undefined || value === undefined) {
    return `expected "Field: value", not ${shown(line)}`;
  }
  const key = name.toLowerCase();
  if (names.has(key)) return `field ${name} comes twice`;
  names.add(key);
  open.push({ name, lines: [value] });
  return undefined;
}

const controlCharacter = /[\0-\x08\x0a-\x1f\x7f]/;

function valueOf({ lines }: OpenField): string {
  const [first = '', ...more] = lines;
  return [first.trimStart(), ...more].join('\n').trimEnd();
}

/** One field as a file has it, with the newline. */
export function formatField({ name, value }: ControlField): string {
  return value === '' || value.startsWith('\n') ? `${name}:${value}\n` : `${name}: ${value}\n`;
}
