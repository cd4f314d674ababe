/** The project's own Markdown, and what is written in it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryFiles, root } from '../repository.ts';

export interface Page {
  /** Relative to the root of the repository. */
  readonly file: string;
  readonly text: string;
}

/** Every Markdown file. */
export function pages(): readonly Page[] {
  return repositoryFiles()
    .filter((file) => file.endsWith('.md'))
    .map(page);
}

export function page(file: string): Page {
  return { file, text: readFileSync(join(root, file), 'utf8') };
}

export interface Block {
  readonly language: string;
  readonly text: string;
  /** Where it begins, as `docs/serving.md:12`. */
  readonly place: string;
}

/** The fenced code blocks of a page. */
export function blocksOf({ file, text }: Page): readonly Block[] {
  const fence = /^```(\w*)\n(.*?)^```$/gms;
  return [...text.matchAll(fence)].map(({ 1: language = '', 2: content = '', index }) => {
    const line = text.slice(0, index).split('\n').length;
    return { language, text: content, place: `${file}:${line}` };
  });
}

/** A page without its code blocks. */
export function proseOf({ text }: Page): string {
  return text.replace(/^```.*?^```$/gms, '');
}

/** What stands in backticks in the prose of a page. */
export function codeOf(one: Page): readonly string[] {
  return [...proseOf(one).matchAll(/(?<!`)`([^`\n]+)`(?!`)/g)].map(([, code = '']) => code);
}
