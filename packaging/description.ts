import { publicUrl } from './debian/changelog.ts';
import { plainLine } from './copyright.ts';
import { readmesOf } from './documents.ts';
import type { Look, Recipe } from './recipe.ts';

/** Policy 3.4.1. */
const maxSynopsis = 79;
const maxParagraph = 1200;

/** The Description field of a package: its synopsis, and a paragraph below it. */
export async function describe(look: Look, recipe: Recipe, packageName: string): Promise<string> {
  const readme = await firstParagraph(look);
  const candidates = [recipe.summary, readme, `${recipe.kind} software ${packageName}`];
  const found = candidates
    .map((text) => synopsis(text ?? '', packageName))
    .find((text) => text !== '');
  const paragraph = readme === '' || synopsis(readme, packageName) === found ? '' : readme;
  const source = `Made from ${publicUrl(look.request.source.url)}, as of commit ${look.request.source.commit.slice(0, 12)}.`;
  const lines = [...wrap(paragraph), ...(paragraph === '' ? [] : ['']), ...wrap(source)];
  return [found ?? packageName, ...lines].join('\n');
}

/** No article or name before, no full stop after, and no half sentence if it can be helped (Policy 3.4.1). */
function synopsis(text: string, packageName: string): string {
  const plain = plainLine(text.split('\n')[0] ?? '')
    .trim()
    .replace(/\s+/g, ' ');
  const sentence = nameless(plain, packageName).replace(/[.!?] .*$/, '');
  const short = sentence.length <= maxSynopsis ? sentence : clause(sentence.slice(0, maxSynopsis));
  return short.replace(/^(an?|the) /i, '').replace(/[\s.,:;–-]+$/, '');
}

/** `Foo: a tool` and `Foo is a tool` are a tool; `Foo does it` is software that does it. */
function nameless(text: string, packageName: string): string {
  const bare = packageName.replace(/^python3-|^node-/, '');
  const name = [packageName, bare].find((one) => text.toLowerCase().startsWith(one));
  if (name === undefined) return text;
  const rest = text.slice(name.length);
  if (/^[\w-]/.test(rest) && !/^ ?[-–] /.test(rest)) return text; // another word
  const plain = rest.replace(/^[\s,:;–—-]+/, '').replace(/^is /i, '');
  if (plain === '' || plain === '.') return '';
  return /^ [a-z]/.test(rest) && !/^ is /i.test(rest) ? `software that ${plain}` : plain;
}

/** As much of a sentence as makes sense alone. */
function clause(text: string): string {
  const end = Math.max(text.lastIndexOf(', '), text.lastIndexOf('; '), text.lastIndexOf(' - '));
  const words = text.replace(/\s+\S*$/, '');
  return end > 20 ? text.slice(0, end) : words.replace(trailing, '');
}

/** Words that no sentence ends with. */
const trailing =
  /(?: (?:an?|the|and|or|of|to|as|in|on|at|by|for|from|with|that|which|is|are|can|akin|your?|its?|when)){1,6}$/i;

/** The first paragraph of prose in the README: no headings, pictures, lists, tables, code, or HTML. */
async function firstParagraph({ tree }: Look): Promise<string> {
  const [file] = readmesOf(tree);
  const text = file === undefined ? '' : ((await tree.head(file, 16 * 1024)) ?? '');
  const paragraphs = text.replace(/\r/g, '').split(/\n[ \t]*\n/);
  const prose = paragraphs.map((one) => one.trim()).find(isProse);
  return plainLine(markless(prose ?? '').replace(/\n/g, ' '))
    .trim()
    .slice(0, maxParagraph);
}

function isProse(paragraph: string): boolean {
  const lines = paragraph.split('\n');
  const underlined = lines.some((line) => /^([=~^"'*+#.-])\1{2,}\s*$/.test(line));
  return (
    /^[A-Za-z0-9"'`*_[{]/.test(paragraph) &&
    !underlined &&
    !/^(\[!|\d+\.|[*-] |```|This is the README)/.test(paragraph) &&
    paragraph.length > 10
  );
}

/** Without the marks of Markdown. */
function markless(text: string): string {
  return text
    .replace(/!?\[([^\][]{0,200})\](\([^()]{0,500}\)|\[[^\][]{0,200}\])?/g, '$1')
    .replace(/[`*]+/g, '')
    .replace(/<[^<>]{0,500}>/g, '');
}

function wrap(text: string): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/)) {
    if (line !== '' && line.length + 1 + word.length > 76) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  const all = line === '' ? lines : [...lines, line];
  // A line that starts with a dot has a meaning of its own (deb822(5)).
  return all.map((one) => (one.startsWith('.') ? `\u2026${one.slice(1)}` : one));
}
