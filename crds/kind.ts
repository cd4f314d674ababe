import type { Static, TObject } from 'typebox';
import type { CommonStatus, KubeObject } from './object.ts';

/** A printer column of `cairn get` and `kubectl get`. */
export interface Column {
  readonly name: string;
  readonly jsonPath: string;
  readonly type?: 'string' | 'integer' | 'date';
  /** Shown only with `-o wide`. */
  readonly wide?: boolean;
}

/** A rule in CEL that the schema alone can't say (`x-kubernetes-validations`). */
export interface Rule {
  readonly rule: string;
  readonly message: string;
  /** The field that it is about, such as `.schedule`; else the whole spec. */
  readonly fieldPath?: string;
}

/**
 * All that Cairn knows about a kind, from which its static type, its validator, its defaults, its
 * CRD and its columns are derived. Nothing is defined twice.
 */
export interface Kind<Spec extends TObject = TObject, Status extends TObject = TObject> {
  readonly kind: string;
  readonly plural: string;
  readonly shortNames: readonly string[];
  readonly summary: string;
  readonly spec: Spec;
  readonly status: Status;
  readonly columns: readonly Column[];
  /** Older or friendlier names of spec fields: `{ series: 'suites' }`. */
  readonly aliases?: Readonly<Record<string, string>>;
  /** CEL rules on the spec, for the API server. `check` says the same for everybody else. */
  readonly rules?: readonly Rule[];
  /** What the schema can't express. Yields a path inside the spec and what was expected there. */
  readonly check?: (spec: Static<Spec>) => readonly SpecProblem[];
  /** The spec may not change after creation. */
  readonly immutable?: boolean;
  /** Not written by people: hidden from `cairn init` and refused in config sources. */
  readonly internal?: boolean;
}

/** One thing wrong with a manifest. `path` is a list of keys and indexes from the document's root. */
export interface SpecProblem {
  readonly path: readonly (string | number)[];
  readonly message: string;
  /** It is the key that is wrong: an unknown field, say. Else it is the value. */
  readonly at?: 'key';
}

/** The stored object of a kind. */
export type ObjectOf<K> =
  K extends Kind<infer Spec, infer Status>
    ? KubeObject<Static<Spec>, Static<Status> & CommonStatus>
    : never;

export type SpecOf<K> = K extends Kind<infer Spec> ? Static<Spec> : never;
export type StatusOf<K> =
  K extends Kind<TObject, infer Status> ? Static<Status> & CommonStatus : never;

/** Keeps the literal types of a kind's definition. */
export function defineKind<Spec extends TObject, Status extends TObject>(
  kind: Kind<Spec, Status>,
): Kind<Spec, Status> {
  return kind;
}

/** The columns that every kind ends with. */
export const commonColumns: readonly Column[] = [
  { name: 'Ready', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
  { name: 'Status', jsonPath: '.status.conditions[?(@.type=="Ready")].message' },
  { name: 'Age', jsonPath: '.metadata.creationTimestamp', type: 'date' },
];
