import type { Lookup } from '../formats/lookup.ts';
import { given } from '../given.ts';
import type { MetadataPart } from './python-metadata.ts';

/** `[tool.poetry]`: what poetry had before PEP 621, and many projects still have. */
export function readPoetry(pyproject: Lookup): MetadataPart {
  const poetry = pyproject.at('tool', 'poetry');
  return {
    ...given('name', poetry.text('name')),
    ...given('version', poetry.text('version')),
    ...given('summary', poetry.text('description')),
    ...given('homepage', poetry.text('homepage') ?? poetry.text('repository')),
    dependencies: poetry.entries('dependencies').flatMap(([name, value]) => {
      if (name === 'python' || value.truth('optional') === true) return [];
      const markers = value.text('markers');
      return [markers === undefined ? name : `${name}; ${markers}`];
    }),
    scripts: poetry.keys('scripts'),
  };
}
