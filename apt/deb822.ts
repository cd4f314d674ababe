import { CairnError, type Reason } from '../crds/reasons.ts';
import { withoutTrailingBlanks } from './blanks.ts';

export interface Field {
  readonly name: string;
  /** Lines joined by `\n`; continuation lines come without their first blank. */
  readonly value: string;
}

/** A field of a file: also the number of its first line there, counted from 1. */
export interface ParsedField extends Field {
  readonly line: number;
}

/** One paragraph of a control file: fields in their order, found whatever the case of the name. */
export class Stanza {
  readonly fields: readonly ParsedField[];
  readonly #values: ReadonlyMap<string, ParsedField>;

  constructor(fields: readonly ParsedField[]) {
    this.fields = fields;
    this.#values = new Map(fields.map((field) => [field.name.toLowerCase(), field]));
  }

  get(name: string): string | undefined {
    return this.field(name)?.value;
  }

  field(name: string): ParsedField | undefined {
    return this.#values.get(name.toLowerCase());
  }

  /** The number of the first line. */
  get line(): number {
    return this.fields[0]?.line ?? 1;
  }
}

/**
 * The paragraphs of a small control file (deb822(5), Debian Policy 5.1): Release, .sources. Lines
 * that start with `#` are comments, CRLF counts as a line end, and like apt only an empty line ends
 * a paragraph. Throws `reason` with the number of the line when a line is no field or a field
 * comes twice.
 */
export function parseStanzas(text: string, reason: Reason = 'ReleaseInvalid'): Stanza[] {
  const stanzas: Stanza[] = [];
  let open: OpenField[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const clean = line.endsWith('\r') ? line.slice(0, -1) : line;
    if (clean.startsWith('#')) continue;
    if (clean === '') {
      if (open.length > 0) stanzas.push(close(open));
      open = [];
    } else {
      takeLine(open, clean, index + 1, reason);
    }
  }
  if (open.length > 0) stanzas.push(close(open));
  return stanzas;
}

interface OpenField {
  readonly name: string;
  readonly line: number;
  readonly values: string[];
}

function takeLine(open: OpenField[], line: string, number: number, reason: Reason): void {
  if (line.startsWith(' ') || line.startsWith('\t')) {
    const last = open.at(-1);
    if (!last) throw new CairnError(reason, `line ${number}: a continuation line without a field`);
    last.values.push(withoutTrailingBlanks(line.slice(1)));
    return;
  }
  const [, name, value] = /^([!"$-,.-9;-~][!-9;-~]*):(.*)$/s.exec(line) ?? [];
  if (name === undefined || value === undefined) {
    throw new CairnError(reason, `line ${number}: expected "Field: value"`);
  }
  const key = name.toLowerCase();
  if (open.some((field) => field.name.toLowerCase() === key)) {
    throw new CairnError(reason, `line ${number}: field ${name} comes twice`);
  }
  open.push({ name, line: number, values: [value.trim()] });
}

function close(open: readonly OpenField[]): Stanza {
  return new Stanza(
    open.map(({ name, line, values }) => ({ name, line, value: values.join('\n') })),
  );
}

/** One paragraph as text, without an empty line after it. Empty lines of a value become ` .`. */
export function formatStanza(fields: readonly Field[]): string {
  return fields.map(formatField).join('');
}

function formatField({ name, value }: Field): string {
  const [first = '', ...more] = value.split('\n').map(withoutTrailingBlanks);
  const head = first === '' ? `${name}:\n` : `${name}: ${first}\n`;
  return head + more.map((line) => ` ${line === '' ? '.' : line}\n`).join('');
}
