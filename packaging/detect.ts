import type { Detector, Look, Recipe } from './recipe.ts';
import { detectAutotools } from './kinds/autotools.ts';
import { detectCmake } from './kinds/cmake.ts';
import { detectGeneric } from './kinds/generic.ts';
import { detectGo } from './kinds/go.ts';
import { detectMake } from './kinds/make.ts';
import { detectMeson } from './kinds/meson.ts';
import { detectNode } from './kinds/node.ts';
import { detectPython } from './kinds/python.ts';
import { detectRust } from './kinds/rust.ts';
import { invalid } from './failure.ts';

/**
 * In the order that they are tried: languages with metadata of their own before build systems, since a
 * Makefile is often a list of shortcuts. Meson calls cargo, where both are there; autotools are mostly kept
 * for older systems; package.json is in many projects for the tools of its developers.
 */
const detectors = {
  Python: detectPython,
  Go: detectGo,
  Meson: detectMeson,
  Rust: detectRust,
  CMake: detectCmake,
  Autotools: detectAutotools,
  Node: detectNode,
  Make: detectMake,
  Generic: detectGeneric,
} as const satisfies Record<Recipe['kind'], Detector>;

/** What the tree is, as `.cairn.yml` says or its files tell. */
export async function detect(look: Look): Promise<Recipe> {
  const { kind } = look.config;
  if (kind !== undefined) {
    const recipe = await detectors[kind](look);
    if (recipe) return recipe;
    throw invalid('.cairn.yml', `kind: the tree has none of the files that make it ${kind}`);
  }
  for (const detector of Object.values(detectors)) {
    const recipe = await detector(look);
    if (recipe) return recipe;
  }
  throw invalid('.', 'there is nothing to package in this folder');
}
