import { CairnError } from '../../crds/reasons.ts';

const maxShown = 120;

/** `where` is the member, and in it the line or field; `problem` says what was expected. */
export function invalid(where: string, problem: string, cause?: unknown): CairnError {
  return new CairnError('PackageInvalid', `${where}: ${problem}`, cause ? { cause } : {});
}

/** What a stranger wrote, fit for a message: in quotes, cut, control characters escaped. */
export function shown(text: string): string {
  return JSON.stringify(text.length > maxShown ? `${text.slice(0, maxShown)}…` : text);
}
