/** What tests of builds by the whole product have in common. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openBuilder } from '../builders/docker/world.ts';
import type { TestDocker } from '../world/docker.ts';
import type { Scope } from '../world/temp.ts';
import type { Product } from './product.ts';

/** A manifest of the namespace `default`. */
export function manifest(kind: string, name: string, spec: object): string {
  const metadata = { name };
  return `${JSON.stringify({ apiVersion: 'cairn.build/v1alpha1', kind, metadata, spec })}\n`;
}

/**
 * Has a product build under a name that is the same each time, so that it finds the images of before. Its
 * containers go with the scope.
 */
export function nameBuilder(
  scope: Scope,
  { data }: Product,
  { engine, owner }: { readonly engine: TestDocker; readonly owner: string },
): void {
  mkdirSync(join(data, 'builder'), { recursive: true });
  writeFileSync(join(data, 'builder/owner'), owner);
  openBuilder(scope, engine, owner);
}
