import type Docker from 'dockerode';
import type { Context } from './context.ts';
import { isLost, messageOf, statusOf, within } from './engine.ts';
import { followToEnd } from './images.ts';
import type { ImageReference } from './image-name.ts';
import { BaseProblem } from './problems.ts';

/** What a registry wants to know of who pulls. */
export interface RegistryLogin {
  readonly username: string;
  readonly password: string;
}

/** A registry refuses to give an image to whoever asks. */
export class RegistryDenied extends BaseProblem {
  override readonly name = 'BaseProblem';
}

const askWithinMs = 60_000;
const pullWithinMs = 3_600_000;

/**
 * The digest of the manifest that an image has at its registry now, which the engine asks for it. Unlike a pull of a digest, which
 * an engine answers itself when it has that image, this always is the registry's own answer: who gets one may have the image.
 * Throws a BaseProblem.
 */
export async function askRegistry(
  { docker }: Context,
  image: ImageReference,
  login: RegistryLogin | undefined,
): Promise<string> {
  try {
    const asked = docker.getImage(image.full).distribution(authOf(image, login));
    const { Descriptor } = (await within(asked, askWithinMs)) as DistributionAnswer;
    if (/^sha256:[0-9a-f]{64}$/.test(Descriptor.digest)) return Descriptor.digest;
  } catch (error) {
    throw problemOf(error, image, login);
  }
  throw new BaseProblem(`the registry of ${image.full} names no digest that is known here`);
}

/** As in Docker's API, `GET /distribution/NAME/json`. */
interface DistributionAnswer {
  readonly Descriptor: { readonly digest: string };
}

/** Has the engine fetch an image. Throws a BaseProblem. */
export async function pullImage(
  { docker }: Context,
  image: ImageReference,
  login: RegistryLogin | undefined,
): Promise<void> {
  const options = { ...authOf(image, login), abortSignal: AbortSignal.timeout(pullWithinMs) };
  try {
    await followToEnd(docker, await docker.pull(image.full, options));
  } catch (error) {
    throw problemOf(error, image, login);
  }
}

/** In a header of the request to the engine, which hands it to nobody but that registry. */
function authOf(
  { registry }: ImageReference,
  login: RegistryLogin | undefined,
): { readonly authconfig?: Docker.AuthConfig } {
  if (!login) return {};
  const { username, password } = login;
  return { authconfig: { username, password, serveraddress: registry } };
}

const denied =
  /unauthorized|denied|forbidden|no basic auth credentials|authentication required|incorrect username/i;

function problemOf(
  error: unknown,
  { full }: ImageReference,
  login: RegistryLogin | undefined,
): unknown {
  if (isLost(error)) return error;
  const told = without(login, saidOf(error));
  const isDenied = [401, 403].includes(statusOf(error) ?? 0) || denied.test(told);
  const Kind = isDenied ? RegistryDenied : BaseProblem;
  return new Kind(`the image ${full} can't be pulled: ${told}`);
}

/** The engine's own words, without what the library adds. */
function saidOf(error: unknown): string {
  const json: unknown = Object(error).json;
  const { message }: { message?: unknown } = Object(json);
  return messageOf(typeof message === 'string' ? new Error(message) : error);
}

/** Registries may put anything into their answers. */
function without(login: RegistryLogin | undefined, text: string): string {
  if (!login) return text;
  const { username, password } = login;
  const basic = Buffer.from(`${username}:${password}`).toString('base64');
  return [basic, password, encodeURIComponent(password)]
    .filter((secret) => secret !== '')
    .reduce((clean, secret) => clean.replaceAll(secret, '***'), text);
}
