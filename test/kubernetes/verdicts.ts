import assert from 'node:assert/strict';
import type { Manifest } from '../../crds/object.ts';
import { validateManifest } from '../../crds/validate.ts';
import { readDocuments } from '../../controller/sources/documents.ts';
import type { Answer } from '../world/kubernetes.ts';

/** What was made of a manifest: all that counts of it, with defaults, or why it was refused. */
export type Verdict = { readonly accepted: object } | { readonly refused: string };

/** What Cairn makes of a manifest. */
export function ours(manifest: unknown): Verdict {
  const { manifest: accepted, problems } = validateManifest(manifest);
  if (accepted) return { accepted: substance(accepted) };
  return refusal(problems.map(({ path, message }) => `${path.join('.')}: ${message}`));
}

/** What Cairn makes of a file of one document. */
export function oursOfYaml(text: string): Verdict {
  const { documents, problems } = readDocuments(text, 'manifest.yaml');
  const all = [...problems, ...documents.flatMap((document) => document.problems)];
  return all.length > 0 ? refusal(all.map(({ message }) => message)) : ours(documents[0]?.value);
}

/** What an API server has made of an object. */
export function theirs({ status, body }: Answer): Verdict {
  if (status === 200 || status === 201) return { accepted: substance(body as Manifest) };
  return refusal([`${status}: ${(body as { readonly message: string }).message}`]);
}

/** The same result, or a refusal on both sides, for whatever reason. */
export function assertSame(one: Verdict, other: Verdict): void {
  const bothRefuse = 'refused' in one && 'refused' in other;
  if (!bothRefuse) assert.deepEqual(one, other);
}

function refusal(reasons: readonly string[]): Verdict {
  return { refused: reasons.join('\n') };
}

function substance({ metadata, spec }: Manifest): object {
  const { name, namespace, labels = {}, annotations = {} } = metadata;
  return JSON.parse(JSON.stringify({ name, namespace, labels, annotations, spec }));
}
