import type Docker from 'dockerode';
import type { EngineAddress } from './connect.ts';

/** Whether an engine does what builds need. */
export type EngineHealth =
  | { readonly ok: true; readonly version: string; readonly architecture: string }
  | { readonly ok: false; readonly message: string };

const oldestApi = '1.41'; // Docker 20.10: cgroup namespaces, and what Debian 12 has
const answerWithinMs = 10_000;

/** Asks the engine who it is. Never throws: what is wrong is named, with the address. */
export async function checkEngine(
  docker: Docker,
  { address }: EngineAddress,
): Promise<EngineHealth> {
  try {
    const version = await within(docker.version());
    if (isOlder(version.ApiVersion, oldestApi)) {
      return bad(
        `Docker at ${address} is too old: API ${version.ApiVersion}, needed is ${oldestApi}`,
      );
    }
    if (version.Os !== 'linux') return bad(`Docker at ${address} runs ${version.Os}, not linux`);
    return { ok: true, version: version.Version, architecture: version.Arch };
  } catch (error) {
    return bad(`Docker doesn't answer at ${address}: ${messageOf(error)}`);
  }
}

/** 1.100 comes after 1.41. */
function isOlder(version: string, than: string): boolean {
  return version.localeCompare(than, 'en', { numeric: true }) < 0;
}

/** Waits so long for an answer of the engine: the types of dockerode have no signal here. */
export async function within<T>(answer: Promise<T>, ms = answerWithinMs): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error('no answer in time')), ms);
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Whether the engine answers now. */
export async function answers(docker: Docker): Promise<boolean> {
  return await within(docker.ping()).then(
    () => true,
    () => false,
  );
}

function bad(message: string): EngineHealth {
  return { ok: false, message };
}

/** The status of an answer of the engine; undefined when there was none. */
export function statusOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('statusCode' in error)) return undefined;
  return typeof error.statusCode === 'number' ? error.statusCode : undefined;
}

/** Whether the engine could not be reached, rather than having refused something. */
export function isLost(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const isConnecting = 'syscall' in error && error.syscall === 'connect';
  const isCut = wasCut(error) || cutCodes.has(codeOf(error)) || noTrust.test(codeOf(error));
  return isCut || (isConnecting && codeOf(error) !== '');
}

/** Either end takes the other one's certificate for no good: codes of Node and of OpenSSL. */
const noTrust = /^(ERR_SSL_|ERR_TLS_|CERT_|UNABLE_TO_|EPROTO$)|SELF_SIGNED/;
const cutCodes = new Set(['ECONNRESET', 'EPIPE', 'ERR_STREAM_PREMATURE_CLOSE']);

function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : '';
}

function wasCut(error: Error): boolean {
  return /socket hang up|^aborted$/.test(error.message);
}

/** What people should read of a failure, in one line. */
export function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message || codeOf(error) : String(error);
  return text.replace(/\s+/g, ' ').trim().slice(0, 1000);
}
