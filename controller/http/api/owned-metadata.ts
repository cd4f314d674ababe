import { randomInt } from 'node:crypto';
import type { SpecProblem } from '../../../crds/kind.ts';
import type { ObjectMeta, OwnerReference } from '../../../crds/object.ts';
import { isRecord } from '../../../crds/record.ts';
import { ApiFailure, invalid, type Details } from './status.ts';

/** Kubernetes' alphabet for generated names: nothing that reads like another letter, no vowels. */
const alphabet = 'bcdfghjklmnpqrstvwxz2456789';
const suffixLength = 5;
const maxBase = 63 - suffixLength;

/** A finalizer is a qualified name: `cairn.build/finalizer`. */
const finalizer =
  /^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;

/** A name from `metadata.generateName`, another one each time. */
export function generatedName(base: string): string {
  const suffix = Array.from({ length: suffixLength }, () => alphabet[randomInt(alphabet.length)]);
  return base.slice(0, maxBase) + suffix.join('');
}

/**
 * The finalizers and owner references that a client has written; what it leaves out is left out.
 * Throws 422 with the field.
 */
export function ownedMetadata(
  metadata: Readonly<Record<string, unknown>>,
  about: Details,
): Pick<ObjectMeta, 'finalizers' | 'ownerReferences'> {
  const { finalizers, ownerReferences } = metadata;
  const problems = [
    ...listProblems('finalizers', finalizers, finalizerProblem),
    ...listProblems('ownerReferences', ownerReferences, ownerProblem),
  ];
  if (problems.length > 0) throw invalid(problems, about);
  return {
    ...(Array.isArray(finalizers) && { finalizers: finalizers.map(String) }),
    ...(Array.isArray(ownerReferences) && {
      ownerReferences: ownerReferences.map((one) => one as OwnerReference), // checked above
    }),
  };
}

/** Where a client means the object that it has read. Throws 409 when that one is gone. */
export function checkIsSame(metadata: Readonly<Record<string, unknown>>, uid: string): void {
  const given = metadata['uid'];
  if (typeof given === 'string' && given !== '' && given !== uid) {
    throw new ApiFailure(409, `metadata.uid: this is another object of that name by now (${uid})`);
  }
}

function listProblems(
  field: string,
  list: unknown,
  problemOf: (item: unknown) => string | undefined,
): SpecProblem[] {
  if (list === undefined || list === null) return [];
  const path = ['metadata', field];
  if (!Array.isArray(list)) return [{ path, message: 'expected a list' }];
  return list.flatMap((item: unknown, index) => {
    const message = problemOf(item);
    return message === undefined ? [] : [{ path: [...path, index], message }];
  });
}

function finalizerProblem(item: unknown): string | undefined {
  const isGood = typeof item === 'string' && finalizer.test(item);
  return isGood ? undefined : 'expected a name such as example.com/finalizer';
}

function ownerProblem(item: unknown): string | undefined {
  const owner = isRecord(item) ? item : {};
  const texts = ['apiVersion', 'kind', 'name', 'uid'];
  const lacking = texts.find((key) => typeof owner[key] !== 'string' || owner[key] === '');
  if (lacking !== undefined) return `expected an owner with ${texts.join(', ')}; no ${lacking}`;
  const flags = ['controller', 'blockOwnerDeletion'];
  const odd = Object.keys(owner).find((key) => ![...texts, ...flags].includes(key));
  if (odd !== undefined) return `unknown field ${odd}`;
  const wrong = flags.find((key) => owner[key] !== undefined && typeof owner[key] !== 'boolean');
  return wrong === undefined ? undefined : `expected true or false as ${wrong}`;
}
