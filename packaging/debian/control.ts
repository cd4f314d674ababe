import { CairnError } from '../../crds/reasons.ts';
import { parseStanzas, type Stanza } from '../../apt/deb822.ts';
import { invalid, quoted } from '../failure.ts';
import type { BinaryPackage } from '../request.ts';
import { packageNamePattern } from './names.ts';
import { splitRelations } from './relations.ts';

export interface Control {
  readonly sourceName: string;
  readonly buildDependencies: readonly string[];
  readonly buildConflicts: readonly string[];
  readonly binaryPackages: readonly BinaryPackage[];
}

const file = 'debian/control';
const maxPackages = 2000;

/** Reads `debian/control` of a source package (Policy 5.2). Throws with the number of the line. */
export function readControl(text: string): Control {
  const [source, ...binaries] = stanzasOf(text);
  if (!source) throw invalid(file, 'it is empty; expected a paragraph that starts with "Source:"');
  const name = required(source, 'Source');
  required(source, 'Maintainer');
  if (binaries.length === 0) {
    throw invalid(
      file,
      'expected a paragraph that starts with "Package:" after that of the source',
    );
  }
  if (binaries.length > maxPackages) throw invalid(file, `more than ${maxPackages} packages`);
  return {
    sourceName: checkedName(source, 'Source', name),
    buildDependencies: relations(source, 'Build-Depends'),
    buildConflicts: relations(source, 'Build-Conflicts'),
    binaryPackages: distinct(binaries),
  };
}

function stanzasOf(text: string): Stanza[] {
  // dpkg takes a line of blanks for an empty one here, which apt does not.
  const plain = text.replace(/^\ufeff/, '').replace(/^[ \t]+$/gm, '');
  try {
    return parseStanzas(plain, 'SourceInvalid');
  } catch (error) {
    if (!(error instanceof CairnError)) throw error;
    const [, line = '', message = ''] = /^line (\d+): (.*)$/s.exec(error.message) ?? [];
    throw invalid(line === '' ? file : `${file}:${line}`, message || error.message);
  }
}

function required(stanza: Stanza, field: string): string {
  const value = stanza.get(field)?.trim();
  if (value !== undefined && value !== '') return value;
  const of = stanza.fields[0]
    ? ` in the paragraph that starts with "${stanza.fields[0].name}:"`
    : '';
  throw invalid(`${file}:${stanza.line}`, `expected the field ${field}${of}`);
}

function checkedName(stanza: Stanza, field: string, name: string): string {
  if (packageNamePattern.test(name)) return name;
  const line = stanza.field(field)?.line ?? stanza.line;
  const rule = 'lower-case letters, digits, "+", "-" and "."';
  throw invalid(`${file}:${line}`, `expected a name of ${rule}; found ${quoted(name)}`);
}

function distinct(stanzas: readonly Stanza[]): BinaryPackage[] {
  const names = new Set<string>();
  return stanzas.map((stanza) => {
    const name = checkedName(stanza, 'Package', required(stanza, 'Package'));
    const architecture = required(stanza, 'Architecture');
    if (!/^[a-z0-9-]+(\s+[a-z0-9-]+)*$/.test(architecture)) {
      const line = stanza.field('Architecture')?.line ?? stanza.line;
      throw invalid(`${file}:${line}`, `${quoted(architecture)} is no list of architectures`);
    }
    if (names.has(name)) throw invalid(`${file}:${stanza.line}`, `package ${name} comes twice`);
    names.add(name);
    return { name, architecture };
  });
}

/** A field with relations, and those for one half of the packages only: everything is built. */
function relations(stanza: Stanza, field: string): string[] {
  return ['', '-Arch', '-Indep'].flatMap((suffix) => {
    const found = stanza.field(`${field}${suffix}`);
    if (!found) return [];
    return splitRelations(found.value, (relation, line) =>
      invalid(
        `${file}:${found.line + line}`,
        `${quoted(relation)} is no relation to a package; expected such as "libfoo-dev (>= 1.0)"`,
      ),
    );
  });
}
