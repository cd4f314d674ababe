/** One word, string or punctuation mark of a build script. */
export interface Token {
  readonly type: 'word' | 'string' | 'mark';
  readonly text: string;
  readonly line: number;
}

export type Language = 'cmake' | 'meson' | 'python' | 'm4';

/** Enough for the largest build scripts; the rest is not looked at. */
const maxTokens = 100_000;

/** CMake parts words by blanks and parentheses only. */
const marksOf: Readonly<Record<Language, string>> = {
  cmake: '()',
  meson: '()[]{},=:;',
  python: '()[]{},=:;',
  m4: '()[]{},=:;',
};

/**
 * The tokens of a build script, as far as is needed to find calls with plain arguments in it: comments are left
 * out, strings have no quotes, escapes stay as they are. Goes through the text once.
 */
export function tokensOf(text: string, language: Language): Token[] {
  const tokens: Token[] = [];
  let line = 1;
  let at = 0;
  while (at < text.length && tokens.length < maxTokens) {
    const piece = pieceAt(text, at, language);
    if (piece.token) tokens.push({ ...piece.token, line });
    for (let index = at; index < piece.end; index++) if (text[index] === '\n') line++;
    at = piece.end;
  }
  return tokens;
}

interface Piece {
  readonly end: number;
  readonly token?: Omit<Token, 'line'>;
}

function pieceAt(text: string, at: number, language: Language): Piece {
  const char = text[at] ?? '';
  if (/\s/.test(char)) return { end: at + 1 };
  if (char === '#' || (language === 'm4' && isDnl(text, at))) return { end: lineEnd(text, at) };
  if (char === '"' || (char === "'" && (language === 'python' || language === 'meson'))) {
    return stringAt(text, at, language);
  }
  const marks = marksOf[language];
  if (marks.includes(char)) return { end: at + 1, token: { type: 'mark', text: char } };
  const endsWord = ` \t\r\n"'#${marks}`;
  let end = at + 1;
  while (end < text.length && !endsWord.includes(text[end] ?? '')) end++;
  return { end, token: { type: 'word', text: text.slice(at, end) } };
}

function isDnl(text: string, at: number): boolean {
  return text.startsWith('dnl', at) && !/\w/.test(text[at + 3] ?? ' ');
}

function lineEnd(text: string, at: number): number {
  const end = text.indexOf('\n', at);
  return end < 0 ? text.length : end;
}

function stringAt(text: string, at: number, language: Language): Piece {
  const char = text[at] ?? '"';
  const triple = language !== 'cmake' && text.startsWith(char.repeat(3), at);
  const quote = triple ? char.repeat(3) : char;
  let end = at + quote.length;
  while (end < text.length && !text.startsWith(quote, end)) end += text[end] === '\\' ? 2 : 1;
  const content = text.slice(at + quote.length, end);
  return { end: end + quote.length, token: { type: 'string', text: content } };
}

/** A call with what stands between its parentheses. */
export interface Call {
  readonly name: string;
  readonly line: number;
  readonly tokens: readonly Token[];
}

const maxCalls = 2000;
/** Tokens of all calls together: those of a call in another one's arguments count for both. */
const maxInCalls = 100_000;

/**
 * The calls of some functions: `name(` up to its closing parenthesis. Names are compared in lower case; one that
 * starts with a dot is that of a method.
 */
export function callsOf(tokens: readonly Token[], names: readonly string[]): Call[] {
  const wanted = new Set(names.map((name) => name.toLowerCase()));
  const calls: Call[] = [];
  let left = maxInCalls;
  for (const [index, token] of tokens.entries()) {
    const name = token.text.toLowerCase();
    if (token.type !== 'word' || tokens[index + 1]?.text !== '(') continue;
    const method = name.slice(name.lastIndexOf('.') < 0 ? name.length : name.lastIndexOf('.'));
    if (!wanted.has(name) && !wanted.has(method)) continue;
    const call = argumentsAt(tokens, index + 2);
    calls.push({ name: wanted.has(name) ? name : method, line: token.line, tokens: call });
    left -= call.length;
    if (calls.length >= maxCalls || left <= 0) break;
  }
  return calls;
}

/** A call that never ends must not make every other one that long. */
const maxArguments = 2000;

function argumentsAt(tokens: readonly Token[], start: number): Token[] {
  let depth = 1;
  let end = start;
  for (; end < tokens.length && end - start < maxArguments; end++) {
    const token = tokens[end];
    if (token?.type !== 'mark') continue;
    if (token.text === '(') depth++;
    if (token.text === ')' && --depth === 0) break;
  }
  return tokens.slice(start, end);
}

/** Words and strings of a call, without the marks between them. */
export function plainArguments(call: Call): string[] {
  return call.tokens.filter(({ type }) => type !== 'mark').map(({ text }) => text);
}

/** Arguments as M4 divides them: by commas outside of brackets, without the brackets around them. */
export function dividedArguments(call: Call): string[] {
  const parts: string[][] = [[]];
  let depth = 0;
  for (const { type, text } of call.tokens) {
    if (type === 'mark' && '[({'.includes(text)) depth++;
    if (type === 'mark' && '])}'.includes(text)) depth--;
    if (type === 'mark' && text === ',' && depth === 0) parts.push([]);
    else if (type !== 'mark' || !'[]'.includes(text)) parts.at(-1)?.push(text);
  }
  return parts.map((words) => words.join(' '));
}
