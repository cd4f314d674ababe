import { CairnError } from '../crds/reasons.ts';
import { parseStanzas, type Stanza } from './deb822.ts';

export { formatDeb822Source, type ClientSource } from './sources-format.ts';

export type SourceType = 'deb' | 'deb-src';

/** What an entry says in Signed-By. No field at all means: any key that the machine trusts. */
export interface SignedBy {
  readonly paths: readonly string[];
  /** In upper case; a `!` at the end stands for exactly that key. */
  readonly fingerprints: readonly string[];
  /** Armored keys that are embedded in the entry. */
  readonly inline?: string;
}

/** One entry of a sources file, of either style (sources.list(5)). */
export interface AptSource {
  readonly types: readonly SourceType[];
  readonly uris: readonly string[];
  /** Those that end in a slash are flat repositories and have no components. */
  readonly suites: readonly string[];
  readonly components: readonly string[];
  /** Left out: those of the machine. */
  readonly architectures?: readonly string[];
  readonly signedBy?: SignedBy;
  readonly trusted: boolean;
  readonly enabled: boolean;
  readonly file: string;
  readonly line: number;
}

/**
 * Reads a file in one-line style: `deb [option=value …] URI suite component …`. Throws
 * `ConfigInvalid` that begins with `file:line:`.
 */
export function parseSourcesList(text: string, file: string): AptSource[] {
  return text.split('\n').flatMap((line, index) => {
    const entry = withoutComment(line).trim();
    return entry === '' ? [] : [parseEntry(entry, { file, line: index + 1 })];
  });
}

interface Place {
  readonly file: string;
  readonly line: number;
}

/** Like apt: a `#` begins a comment anywhere but within the options. */
function withoutComment(line: string): string {
  const options = /^[^#[]*\[[^\]]*\]/.exec(line)?.[0] ?? '';
  const comment = line.indexOf('#', options.length);
  return comment === -1 ? line : line.slice(0, comment);
}

function parseEntry(entry: string, place: Place): AptSource {
  const [, type = '', , options, rest = ''] = /^(\S+)\s+(\[([^\]]*)\]\s+)?(.*)$/.exec(entry) ?? [];
  const [uri, suite, ...components] = words(rest);
  if (uri === undefined || suite === undefined) throw invalid(place, 'expected a URI and a suite');
  return source(
    { type, uri, suite, components: components.join(' ') },
    oneLineOptions(options),
    place,
  );
}

type Options = ReadonlyMap<string, string>;

/** By the name of the field that means the same in deb822 style. */
function oneLineOptions(text = ''): Options {
  const names: Readonly<Record<string, string>> = {
    arch: 'architectures',
    'signed-by': 'signed-by',
    trusted: 'trusted',
  };
  return new Map(
    words(text).flatMap((option) => {
      const [name = '', value = ''] = option.split(/=(.*)/s);
      const field = names[name.toLowerCase()];
      return field === undefined ? [] : [[field, value.replaceAll(',', ' ')] as const];
    }),
  );
}

/**
 * Reads a `.sources` file in deb822 style. Throws `ConfigInvalid` that begins with `file:line:`, or
 * `file: line`.
 */
export function parseDeb822Sources(text: string, file: string): AptSource[] {
  return stanzasOf(text, file).map((stanza) => {
    const place = { file, line: stanza.line };
    const options = new Map(stanza.fields.map(({ name, value }) => [name.toLowerCase(), value]));
    const [type, uri, suite] = ['Types', 'URIs', 'Suites'].map((name) => {
      const value = stanza.get(name);
      if (value === undefined || words(value).length === 0)
        throw invalid(place, `no ${name} field`);
      return value;
    });
    const components = stanza.get('Components') ?? '';
    return source({ type, uri, suite, components }, options, place);
  });
}

function stanzasOf(text: string, file: string): Stanza[] {
  try {
    return parseStanzas(text, 'ConfigInvalid');
  } catch (cause) {
    if (!(cause instanceof CairnError)) throw cause;
    throw new CairnError(cause.reason, `${file}: ${cause.message}`, { cause });
  }
}

interface Target {
  readonly type: string | undefined;
  readonly uri: string | undefined;
  readonly suite: string | undefined;
  readonly components: string;
}

function source(
  { type, uri, suite, components }: Target,
  options: Options,
  place: Place,
): AptSource {
  const architectures = words(options.get('architectures'));
  const signedBy = options.get('signed-by');
  const made = {
    types: words(type).map((word) => sourceType(word, place)),
    uris: words(uri),
    suites: words(suite),
    components: words(components),
    ...(architectures.length > 0 && { architectures }),
    ...(signedBy !== undefined && { signedBy: parseSignedBy(signedBy) }),
    trusted: isYes(options.get('trusted')),
    enabled: !isNo(options.get('enabled')),
    ...place,
  };
  refuseWrongComponents(made, place);
  return made;
}

function sourceType(word: string, place: Place): SourceType {
  if (word === 'deb' || word === 'deb-src') return word;
  throw invalid(place, `type ${JSON.stringify(word)} is neither deb nor deb-src`);
}

/** Apt takes components with a suite, and none with a directory. */
function refuseWrongComponents({ suites, components }: AptSource, place: Place): void {
  for (const suite of suites) {
    const isFlat = suite.endsWith('/');
    if (isFlat && components.length > 0) throw invalid(place, `${suite} takes no components`);
    if (!isFlat && components.length === 0) throw invalid(place, `${suite} needs components`);
  }
}

/** Files, fingerprints, or the armored keys themselves, in which ` .` stands for an empty line. */
function parseSignedBy(value: string): SignedBy {
  if (value.includes('-----BEGIN PGP PUBLIC KEY BLOCK-----')) {
    const lines = value.trim().split('\n');
    const inline = lines.map((line) => (line.trim() === '.' ? '' : line.trim())).join('\n');
    return { paths: [], fingerprints: [], inline: `${inline}\n` };
  }
  const all = words(value.replaceAll(',', ' '));
  const paths = all.filter((word) => word.startsWith('/'));
  const fingerprints = all.filter((word) => !word.startsWith('/'));
  return { paths, fingerprints: fingerprints.map((word) => word.toUpperCase()) };
}

function words(text = ''): string[] {
  return text.split(/\s+/).filter((word) => word !== '');
}

function isYes(value = ''): boolean {
  return /^(yes|true|with|on|enable|1)$/i.test(value.trim());
}

function isNo(value = ''): boolean {
  return /^(no|false|without|off|disable|0)$/i.test(value.trim());
}

function invalid({ file, line }: Place, problem: string): CairnError {
  return new CairnError('ConfigInvalid', `${file}:${line}: ${problem}`);
}
