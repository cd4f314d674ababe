import { CliError } from './command.ts';

/** A refusal of the server, as its Status object tells it. */
export class ApiError extends CliError {
  override readonly name = 'ApiError';
  /** The HTTP status; 0 when it was not Cairn that answered. */
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

interface Status {
  readonly message?: unknown;
  readonly details?: { readonly causes?: readonly { field?: unknown; message?: unknown }[] };
}

/** The error for an answer that is not 2xx; `body` is what it said, if that was JSON. */
export function apiError(code: number, body: unknown, server: URL): ApiError {
  const { message, details }: Status = typeof body === 'object' && body !== null ? body : {};
  const hint = code === 401 ? '; set CAIRN_TOKEN or use --token-file' : '';
  if (typeof message !== 'string') {
    return new ApiError(0, `${server.origin} does not answer like Cairn (HTTP ${code})${hint}`);
  }
  const causes = (details?.causes ?? [])
    .map(({ field, message: why }) => `\n  ${String(field ?? '')}: ${String(why ?? '')}`)
    .filter((line) => !message.includes(line.trim()));
  return new ApiError(code, `${message}${hint}${causes.join('')}`);
}
