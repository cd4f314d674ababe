import type { Io } from './command.ts';

/** Resolves when the user wants to stop. */
export function stopped({ signal }: Io): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) =>
    signal.addEventListener('abort', () => resolve(), { once: true }),
  );
}
