import type { Tree } from '../tree.ts';

const maxScripts = 300;
/** Of all of them: more than any project has, and few enough to be taken apart at once. */
const maxCharacters = 2 * 1024 * 1024;
/** Parts of other projects, and what is not part of the product. */
const aside =
  /(^|\/)(third[_-]?party|3rd[_-]?party|external|extern|vendor|subprojects|deps|examples?|tests?|bench(marks?)?|fuzz(ing)?)\//i;

/** The texts of all build scripts of one name, that of the root first. */
export async function scriptsNamed(tree: Tree, name: string): Promise<string[]> {
  const files = tree.files.filter((file) => file === name || file.endsWith(`/${name}`));
  const own = files.filter((file) => !aside.test(file));
  const sorted = [...own].sort((a, b) => a.split('/').length - b.split('/').length);
  const texts: string[] = [];
  let left = maxCharacters;
  for (const file of sorted.slice(0, maxScripts)) {
    const text = (await tree.text(file)) ?? '';
    texts.push(text.slice(0, left));
    left -= text.length;
    if (left <= 0) break;
  }
  return texts;
}
