import {
  constructFromEvents,
  EVENT_ID,
  getScalarValue,
  JSON_SCHEMA,
  parseEvents,
  YAMLException,
  type Event,
} from 'js-yaml';
import { invalid } from '../failure.ts';

const maxDepth = 16;
const maxBytes = 64 * 1024;

/** A YAML document, and the line that a path of keys and indexes is in. */
export interface YamlDocument {
  readonly value: unknown;
  lineOf(path: readonly (string | number)[]): number;
}

/** Reads one small YAML document. No aliases: such a file has no need of them, and bombs are made of them. */
export function readYaml(file: string, text: string): YamlDocument {
  if (text.length > maxBytes) throw invalid(file, `expected at most ${maxBytes / 1024} KiB`);
  try {
    const events = parseEvents(text, { filename: file, maxDepth });
    const lines = linesOf(file, text, events);
    const value: unknown = constructFromEvents(events, { source: text, schema: JSON_SCHEMA })[0];
    return {
      value: value ?? {},
      lineOf: (path) => {
        for (let length = path.length; length > 0; length--) {
          const line = lines.get(JSON.stringify(path.slice(0, length).map(String)));
          if (line !== undefined) return line;
        }
        return 1;
      },
    };
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    const line = lineFinder(text)(error.mark?.position ?? 0);
    throw invalid(`${file}:${line}`, `not YAML: ${error.reason}`);
  }
}

interface Frame {
  readonly path: readonly string[];
  readonly mapping: boolean;
  key?: string | undefined;
  index: number;
}

/** The line of each value's key, or of the item of a list. */
function linesOf(file: string, text: string, events: readonly Event[]): Map<string, number> {
  const lines = new Map<string, number>();
  const frames: Frame[] = [];
  const lineAt = lineFinder(text);
  for (const event of events) {
    if (event.type === EVENT_ID.POP) frames.pop();
    if (event.type === EVENT_ID.POP || event.type === EVENT_ID.DOCUMENT) continue;
    if (event.type === EVENT_ID.ALIAS) {
      const line = lineAt(event.anchorStart);
      throw invalid(`${file}:${line}`, 'aliases (*) are not supported; repeat the value');
    }
    const start = event.type === EVENT_ID.SCALAR ? event.valueStart : event.start;
    take({ frames, lines, line: lineAt(start) }, event, text);
  }
  return lines;
}

interface Walk {
  readonly frames: Frame[];
  readonly lines: Map<string, number>;
  readonly line: number;
}

function take({ frames, lines, line }: Walk, event: Event, text: string): void {
  const frame = frames.at(-1);
  if (frame?.mapping && frame.key === undefined && event.type === EVENT_ID.SCALAR) {
    frame.key = getScalarValue(text, event);
    lines.set(JSON.stringify([...frame.path, frame.key]), line);
    return;
  }
  const path = frame ? [...frame.path, frame.key ?? String(frame.index)] : [];
  const place = JSON.stringify(path);
  if (frame && !frame.mapping) lines.set(place, line);
  if (frame?.mapping) frame.key = undefined;
  else if (frame) frame.index++;
  if (event.type === EVENT_ID.SCALAR) return;
  // The end of the document pops as well, and finds nothing then.
  frames.push({ path, mapping: event.type === EVENT_ID.MAPPING, index: 0 });
}

/** A function from offsets to lines, counted from 1; each look takes the time of a search. */
function lineFinder(text: string): (offset: number) => number {
  const ends = [...text.matchAll(/\r\n|\n|\r/g)].map(({ index }) => index);
  return (offset) => {
    let low = 0;
    let high = ends.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((ends[middle] ?? 0) < offset) low = middle + 1;
      else high = middle;
    }
    return low + 1;
  };
}
