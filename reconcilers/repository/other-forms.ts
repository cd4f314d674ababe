import type { FileFacts } from '../../apt/write/file-facts.ts';
import type { NewIndex } from './indexes.ts';
import { contentsPath, indexPath } from './places.ts';
import type { SlowFiles } from './slow-files.ts';

/** A file beside an index, by its path below the suite's directory. */
export interface OtherForm {
  readonly path: string;
  readonly facts: FileFacts;
  readonly isServed: boolean;
}

export interface KnownForms {
  /** Of the suite, with a slash at the end. */
  readonly directory: string;
  /** What the Release of before lists. */
  readonly known: (path: string) => FileFacts | undefined;
  readonly slow: SlowFiles | undefined;
}

/**
 * What a Release lists beside an index and its .gz, as far as it is there. The .xz has to be of the
 * same index. Contents may be of the one before: nobody checks them against each other, and a client
 * would have none otherwise.
 */
export function otherForms(index: NewIndex, sha256: string, forms: KnownForms): OtherForm[] {
  const xz = `${indexPath(index)}.xz`;
  const contents = contentsPath(index);
  const isBinary = index.architecture !== 'source';
  return [
    form(xz, forms, { sha256, isSame: index.facts === undefined }),
    ...(isBinary ? [form(contents, forms), form(`${contents}.gz`, forms)] : []),
  ].filter((one) => one !== undefined);
}

function form(
  path: string,
  { directory, known, slow }: KnownForms,
  index?: { readonly sha256: string; readonly isSame: boolean },
): OtherForm | undefined {
  const made = slow?.files.find(
    (file) => file.path === directory + path && (!index || file.of?.sha256 === index.sha256),
  );
  const facts = made?.facts ?? (!index || index.isSame ? known(path) : undefined);
  return facts && { path, facts, isServed: /\.[gx]z$/.test(path) };
}
