import type { Column, Kind } from '../../crds/kind.ts';
import type { KubeObject } from '../../crds/object.ts';
import { ageOf } from './age.ts';
import { asText, evaluateJsonPath } from './json-path.ts';

export interface ObjectTableStyle {
  readonly wide?: boolean;
  readonly namespaces?: boolean;
  /** `mirror/debian` instead of `debian`, where tables of several kinds follow each other. */
  readonly qualified?: boolean;
}

/** The header of a kind's table: `NAME URL PACKAGES READY STATUS AGE`. */
export function objectHeader(kind: Kind, style: ObjectTableStyle): readonly string[] {
  const names = shownColumns(kind, style).map(({ name }) => name.toUpperCase());
  return [...(style.namespaces ? ['NAMESPACE'] : []), 'NAME', ...names];
}

/** The row of one object, by its kind's printer columns. */
export function objectRow(
  kind: Kind,
  object: KubeObject,
  style: ObjectTableStyle,
  now: Date,
): readonly string[] {
  const { name, namespace } = object.metadata;
  const shown = style.qualified ? `${kind.kind.toLowerCase()}/${name}` : name;
  const cells = shownColumns(kind, style).map((column) => cellOf(column, object, now));
  return [...(style.namespaces ? [namespace] : []), shown, ...cells];
}

function shownColumns({ columns }: Kind, { wide = false }: ObjectTableStyle): readonly Column[] {
  return columns.filter((column) => wide || !column.wide);
}

function cellOf({ jsonPath, type }: Column, object: KubeObject, now: Date): string {
  const [value] = evaluateJsonPath(object, jsonPath);
  if (type === 'date') return typeof value === 'string' ? ageOf(value, now) : '';
  return upToLineEnd(asText(value));
}

/** As kubectl does it: `describe` has what follows. */
function upToLineEnd(text: string): string {
  const [line = '', more] = text.split(/[\r\n]+/, 2);
  return more ? `${line} …` : line;
}
