/** Everything that reads trees, in one place to import from. */
export { diffTrees, type Difference } from './tree-diff.ts';
export { IndexedTree, openTree } from './indexed-tree.ts';
export { treeEntries } from './tree-entries.ts';
export { Trees, type TreesOptions } from './trees.ts';
