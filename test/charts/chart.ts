/** The chart, rendered. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { loadAll } from 'js-yaml';
import type { Helm } from '../world/helm.ts';
import type { Values } from './matrix.ts';

export const chart = path.resolve(import.meta.dirname, '../../charts/cairn');
export const release = 'cairn';
export const namespace = 'apt';

export interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

/** An object of Kubernetes, with what these tests look at. */
export interface Rendered {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: unknown;
  readonly rules?: readonly Rule[];
}

/** The text that `helm template` prints. Fails when helm does. */
export async function template(helm: Helm, values: Values): Promise<string> {
  const args = ['template', release, chart, '--namespace', namespace, '--values', '-'];
  const { code, stdout, output } = await helm(args, JSON.stringify(values));
  assert.equal(code, 0, output);
  return stdout;
}

/** What it renders, object by object. */
export async function rendered(helm: Helm, values: Values): Promise<readonly Rendered[]> {
  const documents = loadAll(await template(helm, values));
  return documents.filter((one) => one !== null && one !== undefined) as Rendered[]; // of our own templates
}

/** What all Roles together grant. */
export function rulesOf(objects: readonly Rendered[]): readonly Rule[] {
  return objects.flatMap(({ rules }) => rules ?? []);
}

/** The only object of a kind. */
export function only(objects: readonly Rendered[], kind: string): Rendered {
  const [found, ...more] = objects.filter((one) => one.kind === kind);
  assert.ok(found && more.length === 0, `not one ${kind}`);
  return found;
}

export interface PodSpec {
  readonly serviceAccountName: string;
  readonly containers: readonly {
    readonly image: string;
    readonly args: readonly string[];
    readonly env?: readonly object[];
    readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
  }[];
  readonly volumes: readonly { readonly name: string }[];
}

export interface PodTemplate {
  readonly metadata: { readonly labels: Readonly<Record<string, string>> };
  readonly spec: PodSpec;
}

/** What the Deployment makes Pods of. */
export function podTemplate(objects: readonly Rendered[]): PodTemplate {
  return (only(objects, 'Deployment').spec as { template: PodTemplate }).template; // our template
}

/** The options that the container is started with. */
export function argsOf(objects: readonly Rendered[]): readonly string[] {
  return podTemplate(objects).spec.containers[0]?.args ?? [];
}
