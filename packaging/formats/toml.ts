import { parse, TomlError } from 'smol-toml';
import { isRecord } from '../../crds/record.ts';
import { invalid } from '../failure.ts';
import type { Tree } from '../tree.ts';
import { Lookup } from './lookup.ts';

const maxDepth = 32;

/** A TOML file of the tree; undefined when there is none. What is wrong with it is said with its line. */
export async function readToml(tree: Tree, file: string): Promise<Lookup | undefined> {
  const text = await tree.text(file);
  if (text === undefined) return undefined;
  try {
    return new Lookup(parse(text, { maxDepth, unsafeKeyBehaviour: 'drop' }));
  } catch (error) {
    if (error instanceof TomlError) {
      throw invalid(`${file}:${error.line}`, `not TOML: ${error.message.split('\n')[0] ?? ''}`);
    }
    if (error instanceof RangeError) throw invalid(file, 'not TOML: nested too deep');
    throw error;
  }
}

/** A JSON file of the tree, an object; undefined when there is none. */
export async function readJson(tree: Tree, file: string): Promise<Lookup | undefined> {
  const text = await tree.text(file);
  if (text === undefined) return undefined;
  const value = parseJson(file, text);
  if (!isRecord(value)) throw invalid(`${file}:1`, 'expected a JSON object');
  return new Lookup(value);
}

function parseJson(file: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof RangeError)) throw error;
    const position = /at position (\d+)/.exec(error.message)?.[1];
    const line = position === undefined ? 1 : text.slice(0, Number(position)).split('\n').length;
    throw invalid(`${file}:${line}`, 'not JSON');
  }
}
