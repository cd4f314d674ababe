import type { HashingReader } from './hashing-reader.ts';
import { invalid, shown } from './invalid.ts';

const magic = '!<arch>\n';
const headerBytes = 60;

/** A member of an ar archive whose content comes next in the stream. */
export interface ArMember {
  readonly name: string;
  /** Reads the content on, whatever is left of it; throws `PackageInvalid` when it is cut short. */
  content(): AsyncGenerator<Uint8Array>;
  /** Passes over what is left of the content, and its padding. */
  skip(): Promise<void>;
}

/** Throws `PackageInvalid` unless the stream begins as ar archives do. */
export async function readMagic(reader: HashingReader): Promise<void> {
  const start = await reader.read(magic.length);
  if (start.toString('latin1') === magic) return;
  throw invalid('the file', `it is no Debian package: it does not begin with ${shown(magic)}`);
}

/**
 * The next member, as dpkg reads it (deb(5)): names of up to 16 characters, a slash after them is no
 * part of it. `before` says in errors what should come. Throws `PackageInvalid`.
 */
export async function nextMember(reader: HashingReader, before: string): Promise<ArMember> {
  const header = (await reader.read(headerBytes)).toString('latin1');
  if (header.length < headerBytes) throw invalid('the file', `it ends before ${before}`);
  const name = nameOf(header);
  const where = name === '' ? 'a member without a name' : name;
  if (header.slice(58) !== '`\n') throw invalid(shown(where), 'its ar header is corrupt');
  return new StreamedMember(reader, name, sizeOf(header, where));
}

function nameOf(header: string): string {
  const padded = header.slice(0, 16).replace(/ +$/, '');
  return padded.endsWith('/') ? padded.slice(0, -1) : padded;
}

function sizeOf(header: string, where: string): number {
  const text = header.slice(48, 58);
  const [, digits] = /^ *([0-9]+) *$/.exec(text) ?? [];
  if (digits === undefined)
    throw invalid(shown(where), `its ar header has the size ${shown(text)}`);
  return Number(digits);
}

class StreamedMember implements ArMember {
  readonly name: string;
  readonly #reader: HashingReader;
  readonly #padding: number;
  #left: number;

  constructor(reader: HashingReader, name: string, size: number) {
    this.name = name;
    this.#reader = reader;
    this.#left = size;
    this.#padding = size % 2;
  }

  async *content(): AsyncGenerator<Uint8Array> {
    while (this.#left > 0) {
      const piece = await this.#reader.take(this.#left);
      if (!piece) {
        throw invalid(
          shown(this.name),
          `the file ends ${this.#left} bytes before this member does`,
        );
      }
      this.#left -= piece.length;
      yield piece;
    }
  }

  async skip(): Promise<void> {
    for await (const _ of this.content());
    // dpkg does not miss the padding after the last member.
    await this.#reader.read(this.#padding);
  }
}
