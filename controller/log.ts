import { isSecretName, redact } from '../reconcilers/redact.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export type LogFields = Readonly<Record<string, unknown>>;

/** The message is constant; facts go into fields. Secrets are taken out of both. */
export interface Log {
  debug(message: string, fields?: LogFields): void;
  /** A decision, with its reason. */
  info(message: string, fields?: LogFields): void;
  /** To be looked at in the morning. */
  warn(message: string, fields?: LogFields): void;
  /** A fault of Cairn itself. */
  error(message: string, fields?: LogFields): void;
  /** A log that adds these fields to every line. */
  child(fields: LogFields): Log;
}

export interface LogOptions {
  readonly format: 'json' | 'text';
  /** The least level that is written. */
  readonly level: LogLevel;
  /** Gets whole lines, each with its line feed. */
  readonly write: (line: string) => void;
  readonly now?: () => Date;
}

const levels: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];
const maxDepth = 4;
const maxEntries = 64;
const maxText = 8 * 1024;

/** A log of one line per entry: JSON with the keys `ts level msg`, or text for people. */
export function createLog(options: LogOptions, context: LogFields = {}): Log {
  const { format, level, write, now = () => new Date() } = options;
  const line = format === 'json' ? jsonLine : textLine;
  const at =
    (entryLevel: LogLevel) =>
    (message: string, fields: LogFields = {}) => {
      if (levels.indexOf(entryLevel) < levels.indexOf(level)) return;
      const clean = cleaned({ ...context, ...fields }, 0) as LogFields; // an object stays one
      write(`${line(now().toISOString(), entryLevel, redact(message), clean)}\n`);
    };
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (fields) => createLog(options, { ...context, ...fields }),
  };
}

function jsonLine(ts: string, level: LogLevel, msg: string, fields: LogFields): string {
  return JSON.stringify({ ...fields, ts, level, msg });
}

function textLine(ts: string, level: LogLevel, message: string, fields: LogFields): string {
  const pairs = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}=${asWord(value)}`);
  return `${ts} ${level.toUpperCase().padEnd(5)} ${oneLine(message)}${pairs.join('')}`;
}

/** Quoted where it would be taken for something else: nobody forges a line by a field. */
function asWord(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return /^[\w./:@+,*-]+$/.test(text) ? text : JSON.stringify(text);
}

function oneLine(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f]/g, ' ');
}

/** A bounded copy of a value without its secrets. */
function cleaned(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return cut(redact(value));
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Date) return value.toISOString();
  if (depth >= maxDepth) return '…';
  if (value instanceof Error) return cleanedError(value, depth);
  if (Array.isArray(value)) {
    return value.slice(0, maxEntries).map((entry) => cleaned(entry, depth + 1));
  }
  const entries = Object.entries(value).slice(0, maxEntries);
  return Object.fromEntries(
    entries.map(([key, inner]) => [key, isSecretName(key) ? '***' : cleaned(inner, depth + 1)]),
  );
}

function cleanedError(error: Error, depth: number): unknown {
  const text = cut(redact(error.stack ?? `${error.name}: ${error.message}`));
  return error.cause === undefined ? text : { stack: text, cause: cleaned(error.cause, depth + 1) };
}

function cut(text: string): string {
  return text.length > maxText ? `${text.slice(0, maxText)}…` : text;
}
