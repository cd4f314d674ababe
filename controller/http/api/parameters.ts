import type { Request } from 'express';
import { textOf } from './selectors.ts';
import { ApiFailure } from './status.ts';

/** What happens to fields that the schema does not name. */
export type FieldValidation = 'Strict' | 'Warn' | 'Ignore';

/** What a write is asked to be, beside its body. */
export interface WriteParameters {
  readonly dryRun: boolean;
  /** Whom managedFields will name. */
  readonly manager: string;
  readonly validation: FieldValidation;
}

/** As in Kubernetes' ValidateFieldManager: printable, and no longer than this. */
const maxManager = 128;

/**
 * Reads `dryRun`, `fieldManager` and `fieldValidation`; throws 422 with the parameter's name. A
 * manager that isn't given is the program that calls. Unknown fields are refused unless the client
 * says otherwise: they are nearly always slips.
 */
export function writeParameters(req: Request): WriteParameters {
  const validation = textOf(req, 'fieldValidation') || 'Strict';
  if (validation !== 'Strict' && validation !== 'Warn' && validation !== 'Ignore') {
    throw unsupported('fieldValidation', validation, ['Ignore', 'Strict', 'Warn']);
  }
  return { dryRun: isDryRun(req), manager: managerOf(req), validation };
}

/** Whether nothing is to be stored. */
export function isDryRun(req: Request): boolean {
  const given = textOf(req, 'dryRun');
  if (given !== '' && given !== 'All') throw unsupported('dryRun', given, ['All']);
  return given === 'All';
}

/** A parameter's value that is none of those it may have. */
export function unsupported(
  field: string,
  value: unknown,
  supported: readonly string[],
): ApiFailure {
  const offered = supported.map((one) => JSON.stringify(one)).join(', ');
  const message = `Unsupported value: ${JSON.stringify(value)}: supported values: ${offered}`;
  const causes = [{ reason: 'FieldValueNotSupported', message, field }];
  return new ApiFailure(422, `${field}: ${message}`, { details: { causes } });
}

/** A parameter that is wrong in some other way: 422, with its name. */
export function invalidParameter(field: string, message: string): ApiFailure {
  const causes = [{ reason: 'FieldValueInvalid', message, field }];
  return new ApiFailure(422, `${field}: ${message}`, { details: { causes } });
}

function managerOf(req: Request): string {
  const given = textOf(req, 'fieldManager');
  if (given === '') return callerOf(req);
  if (given.length <= maxManager && /^[\x20-\x7e]+$/.test(given)) return given;
  throw invalidParameter('fieldManager', `expected at most ${maxManager} printable characters`);
}

/** The program's name in its User-Agent. */
function callerOf(req: Request): string {
  const [name = ''] = (req.headers['user-agent'] ?? '').split('/', 1);
  const printable = name.replace(/[^\x20-\x7e]/g, '').slice(0, maxManager);
  return printable === '' ? 'unknown' : printable;
}
