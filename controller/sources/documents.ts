import { constructFromEvents, parseEvents, YAMLException, type Event } from 'js-yaml';
import type { ManifestProblem } from '../../crds/config-source.ts';
import { kubectlSchema } from './kubectl-yaml.ts';
import { segments, type Segment } from './stream.ts';
import { lineStarts, positionAt, type Position } from './text.ts';
import { treeOf, type TreeNode } from './tree.ts';

/** One YAML document that could be read, for better or worse. */
export interface Document {
  readonly file: string;
  /** The line that its content starts in. */
  readonly line: number;
  readonly value: unknown;
  /** What is wrong with its YAML. It must not be applied then, but `value` says what it is about. */
  readonly problems: readonly ManifestProblem[];
  /** What to know about a value (not a key) that is wrong: `yes is true in YAML 1.1`. */
  surprise(path: readonly (string | number)[]): string | undefined;
  /**
   * Where a value is (or its key). What is missing or empty is where its key or else its parent is.
   */
  position(path: readonly (string | number)[], at?: 'key'): Position;
}

export interface Documents {
  readonly documents: readonly Document[];
  /** What made documents, or the whole file, unreadable: nothing is known about their content. */
  readonly problems: readonly ManifestProblem[];
}

/** In UTF-16 code units, which is at most the number of bytes. */
export const maxFileSize = 1024 * 1024;

const maxDepth = 64;
const maxDocuments = 1000;

/**
 * Reads a stream of YAML documents as kubectl does. A bad one does not harm the others. Empty ones are left
 * out. Positions are those of the whole file.
 */
export function readDocuments(text: string, file: string): Documents {
  const content = text.startsWith('\ufeff') ? text.slice(1) : text;
  const starts = lineStarts(content);
  const problemAt = (offset: number, message: string): ManifestProblem => ({
    file,
    ...positionAt(starts, offset),
    message,
  });
  if (content.length > maxFileSize) {
    return { documents: [], problems: [problemAt(0, 'expected a file of at most 1 MiB')] };
  }
  const parts = segments(content);
  const excess = parts[maxDocuments];
  if (excess) {
    const message = `expected at most ${maxDocuments} documents in a file`;
    return { documents: [], problems: [problemAt(excess.start, message)] };
  }
  const documents: Document[] = [];
  const problems: ManifestProblem[] = [];
  for (const segment of parts) {
    const reading = readSegment({ content, segment, starts, file, problemAt });
    if (Array.isArray(reading)) problems.push(...reading);
    else if (reading) documents.push(reading);
  }
  return { documents, problems };
}

interface Part {
  readonly content: string;
  readonly segment: Segment;
  readonly starts: readonly number[];
  readonly file: string;
  readonly problemAt: (offset: number, message: string) => ManifestProblem;
}

/** The document, nothing when it is empty, or why it can't be read. */
function readSegment(part: Part): Document | ManifestProblem[] | undefined {
  const { content, segment, starts, file } = part;
  const source = content.slice(segment.start, segment.end);
  const problemAt = (offset: number, message: string) =>
    part.problemAt(segment.start + Math.max(0, offset), message);
  try {
    const events = parseEvents(source, { filename: file, maxDepth });
    const { root, problems, surprises } = treeOf(source, events);
    const found = problems.map(({ offset, message }) => problemAt(offset, message));
    if (!root || problems.some(({ fatal }) => fatal)) return found.length > 0 ? found : undefined;
    const value = construct(source, events);
    if (value === null || value === undefined) return undefined;
    const place = (offset: number) => positionAt(starts, segment.start + Math.max(0, offset));
    return {
      file,
      line: place(root.start).line,
      value,
      problems: found,
      surprise: (path) => {
        const offset = offsetOf(root, path);
        return surprises.find((one) => one.offset === offset)?.message;
      },
      position: (path, at) => place(offsetOf(root, path, at)),
    };
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    const at = error.mark?.position ?? 0;
    return [problemAt(at, plainer(error.reason, lineAt(source, at)))];
  }
}

function construct(source: string, events: Event[]): unknown {
  return constructFromEvents(events, { source, schema: kubectlSchema })[0];
}

function offsetOf(root: TreeNode, path: readonly (string | number)[], at?: 'key'): number {
  let offset = root.start;
  let node: TreeNode | undefined = root;
  for (const step of path) {
    const field: { key: number; node: TreeNode } | undefined = node?.fields?.get(String(step));
    const next: TreeNode | undefined = field?.node ?? node?.items?.[Number(step)];
    if (!next) return offset; // missing: where the key of its parent is
    offset = field?.key ?? next.start;
    node = next;
  }
  return at === 'key' || node.start < 0 ? offset : node.start;
}

/** The line of a text that an offset is in, up to that offset. */
function lineAt(text: string, offset: number): string {
  return /[^\r\n]*$/.exec(text.slice(0, offset + 1))?.[0] ?? '';
}

function plainer(reason: string, line: string): string {
  if (reason.includes('tab') || /^ *\t/.test(line))
    return 'a tab is used to indent; YAML wants spaces';
  if (reason.includes('maxDepth')) return `nested more than ${maxDepth} levels deep`;
  return `not YAML: ${reason}`;
}
