import { CairnError } from '../crds/reasons.ts';

/** The tree can't be packaged as it is. `where` is a file, or `file:line`. */
export function invalid(where: string, message: string): CairnError {
  return new CairnError('SourceInvalid', `${shownPath(where)}: ${message}`);
}

/** A value that strangers wrote, short and on one line, in quotes. */
export function quoted(text: string): string {
  const short = text.length > 80 ? `${text.slice(0, 80)}…` : text;
  return JSON.stringify(short).replace(/[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g, '?');
}

function shownPath(path: string): string {
  return /^[\w./+:@ ~-]{1,200}$/.test(path) ? path : quoted(path);
}
