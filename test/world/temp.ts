import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after } from 'node:test';

/** A test context, or `{ after }` of node:test inside a `describe`. */
export interface Scope {
  after(cleanUp: () => void | Promise<void>): void;
}

/** An empty folder that goes when the test, or the suite, is over. */
export function tempDir(scope: Scope): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'cairn-test-'));
  scope.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The end of the suite that is being described, for what its `before` starts: last come, first gone. */
export function suiteScope(): Scope {
  const cleanUps: (() => void | Promise<void>)[] = [];
  after(async () => {
    for (const cleanUp of cleanUps.reverse()) await cleanUp();
  });
  return { after: (cleanUp) => void cleanUps.push(cleanUp) };
}
