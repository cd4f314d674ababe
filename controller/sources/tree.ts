import { EVENT_ID, getScalarValue, SCALAR_STYLE, type Event } from 'js-yaml';
import { isPlainText, surprise, unfitNumber } from './kubectl-yaml.ts';

/** Where the parts of a document are: offsets into its text. */
export interface TreeNode {
  readonly start: number;
  readonly fields?: ReadonlyMap<string, Field>;
  readonly items?: readonly TreeNode[];
  /** Nodes and characters below it, with aliases written out. */
  readonly size: number;
}

export interface Field {
  readonly key: number;
  readonly node: TreeNode;
}

/** Something to know about an offset. */
export interface TreeNote {
  readonly offset: number;
  readonly message: string;
}

/** Something wrong at an offset. A document with a fatal one has no meaning at all. */
export interface TreeProblem extends TreeNote {
  readonly fatal: boolean;
}

export interface Tree {
  readonly root?: TreeNode;
  readonly problems: readonly TreeProblem[];
  readonly surprises: readonly TreeNote[];
}

const maxAliases = 100;

/** Nodes and characters that all aliases of a document may stand for together. */
const maxExpansion = 1024 * 1024;

/**
 * Builds the tree of one document from its parser events. Finds all that the parser lets pass:
 * duplicate keys, merge keys, keys that are not text, aliases that contain themselves or grow
 * without bound, and numbers that JSON has not. Notes scalars whose meaning may surprise.
 */
export function treeOf(source: string, events: readonly Event[]): Tree {
  const builder = new TreeBuilder(source);
  for (const event of events) builder.take(event);
  return builder;
}

interface Frame {
  readonly anchor: string | undefined;
  readonly start: number;
  readonly fields?: Map<string, Field>;
  readonly items?: TreeNode[];
  size: number;
  key?: { readonly text: string; readonly offset: number } | undefined;
}

class TreeBuilder {
  root?: TreeNode;
  readonly problems: TreeProblem[] = [];
  readonly surprises: TreeNote[] = [];
  readonly #source: string;
  readonly #frames: Frame[] = [];
  readonly #anchors = new Map<string, TreeNode | 'open'>();
  #aliases = 0;
  #expanded = 0;

  constructor(source: string) {
    this.#source = source;
  }

  take(event: Event): void {
    switch (event.type) {
      case EVENT_ID.DOCUMENT:
        return;
      case EVENT_ID.SEQUENCE:
      case EVENT_ID.MAPPING:
        return this.#open(event);
      case EVENT_ID.SCALAR:
        return this.#scalar(event);
      case EVENT_ID.ALIAS:
        return this.#alias(event);
      case EVENT_ID.POP:
        return this.#close();
    }
  }

  #open(event: Extract<Event, { start: number }>): void {
    const anchor = this.#anchorOf(event);
    if (anchor !== undefined) this.#anchors.set(anchor, 'open');
    const content = event.type === EVENT_ID.MAPPING ? { fields: new Map() } : { items: [] };
    this.#frames.push({ anchor, start: event.start, size: 1, ...content });
  }

  #close(): void {
    const frame = this.#frames.pop();
    if (!frame) return; // the end of the document
    const { anchor, start, size } = frame;
    const node = frame.fields
      ? { start, size, fields: frame.fields }
      : { start, size, items: frame.items ?? [] };
    if (anchor !== undefined) this.#anchors.set(anchor, node);
    this.#add(node);
  }

  #scalar(event: Extract<Event, { valueStart: number }>): void {
    const text = getScalarValue(this.#source, event);
    const quoted =
      event.style === SCALAR_STYLE.SINGLE_QUOTED || event.style === SCALAR_STYLE.DOUBLE_QUOTED;
    const start = event.valueStart < 0 ? -1 : event.valueStart - (quoted ? 1 : 0);
    const plain = event.style === SCALAR_STYLE.PLAIN && event.tagStart < 0;
    const node = { start, size: 1 + text.length };
    const anchor = this.#anchorOf(event);
    if (anchor !== undefined) this.#anchors.set(anchor, node);
    if (plain) this.#checkPlain(text, start);
    if (this.#expectsKey()) this.#takeKey(text, start, plain);
    else this.#add(node);
  }

  #checkPlain(text: string, offset: number): void {
    const unfit = unfitNumber(text);
    if (unfit !== undefined) this.problems.push({ offset, message: unfit, fatal: false });
    const note = surprise(text);
    if (note !== undefined) this.surprises.push({ offset, message: note });
  }

  #takeKey(text: string, offset: number, plain: boolean): void {
    const frame = this.#frames.at(-1);
    if (!frame) return;
    const at = offset < 0 ? frame.start : offset;
    if (plain && text === '<<') {
      this.#fail(at, 'merge keys (<<) are not supported; repeat the fields');
    } else if (plain && !isPlainText(text)) {
      this.#fail(at, `a key has to be text; put ${text === '' ? 'it' : text} in quotes`);
    } else if (frame.fields?.has(text)) {
      this.#fail(at, `duplicate key \`${text}\`; it is given before`);
    }
    frame.key = { text, offset: at };
  }

  #alias(event: Extract<Event, { type: typeof EVENT_ID.ALIAS }>): void {
    const start = event.anchorStart - 1;
    const name = this.#source.slice(event.anchorStart, event.anchorEnd);
    const target = this.#anchors.get(name);
    const known = target !== undefined && target !== 'open' ? target : { start, size: 1 };
    const before = this.#expanded;
    this.#aliases++;
    this.#expanded += known.size;
    if (target === 'open') this.#fail(start, `the alias *${name} contains itself`);
    if (target === undefined) this.#fail(start, `there is no anchor &${name} before this alias`);
    if (this.#aliases === maxAliases + 1) this.#fail(start, `more than ${maxAliases} aliases`);
    if (before <= maxExpansion && this.#expanded > maxExpansion)
      this.#fail(start, 'aliases stand for too much (a bomb?)');
    if (this.#expectsKey()) {
      this.#fail(start, 'an alias can not be a key');
      this.#takeKey(`*${name}`, start, false);
    } else this.#add({ ...known, start });
  }

  #add(node: TreeNode): void {
    const frame = this.#frames.at(-1);
    if (!frame) {
      this.root = node;
      return;
    }
    frame.size += node.size;
    if (frame.items) frame.items.push(node);
    else if (frame.key) {
      frame.fields?.set(frame.key.text, { key: frame.key.offset, node });
      frame.key = undefined;
    } else {
      this.#fail(node.start, 'a key has to be text, not a list or mapping');
      frame.key = { text: '', offset: node.start };
    }
  }

  #expectsKey(): boolean {
    const frame = this.#frames.at(-1);
    return frame?.fields !== undefined && frame.key === undefined;
  }

  #anchorOf(event: { anchorStart: number; anchorEnd: number }): string | undefined {
    return event.anchorStart < 0
      ? undefined
      : this.#source.slice(event.anchorStart, event.anchorEnd);
  }

  #fail(offset: number, message: string): void {
    this.problems.push({ offset, message, fatal: true });
  }
}
