import type { Context } from './context.ts';
import { parseImageName, type ImageReference } from './image-name.ts';
import { inspectImage, isOwn } from './images.ts';
import { BaseProblem } from './problems.ts';
import { Pulled } from './pulled.ts';
import { askRegistry, pullImage, RegistryDenied, type RegistryLogin } from './registry.ts';

export interface NamedImage {
  readonly name: string;
  /** To be tried in this order; none when left out, and then the engine may have it already. */
  readonly logins?: readonly RegistryLogin[] | undefined;
}

const imageId = /^sha256:[0-9a-f]{64}$/;

/**
 * The id of a named image, which is pulled when the engine does not have it. With logins, and of an image that somebody has pulled with
 * some, it is the registry that says each time who may have it, and which one it is: an engine itself asks nobody for what it has. What
 * was made here for builds is none: it is theirs who may read the archives that it was made of. Throws a BaseProblem; a RegistryDenied when none of the logins is good.
 */
export async function resolveImage(
  context: Context,
  { name, logins = [] }: NamedImage,
): Promise<string> {
  const image = parseImageName(name);
  if (!image) throw new BaseProblem(`no image is called ${JSON.stringify(name)}`);
  if (logins.length > 0) return await resolveWith(context, image, logins);
  const pulled = new Pulled(context);
  const isId = imageId.test(name);
  const known = await inspectImage(context, name);
  if (!known && !isId) await pullImage(context, image, undefined);
  const found = known ?? (await inspectImage(context, name));
  if (!found || isOwn(context, found) || (isId && pulled.has(found))) {
    throw new BaseProblem(`there is no image ${name}`);
  }
  return pulled.has(found) ? await resolveWith(context, image, [undefined]) : found.Id;
}

async function resolveWith(
  context: Context,
  image: ImageReference,
  logins: readonly (RegistryLogin | undefined)[],
): Promise<string> {
  const { digest, login } = await firstLetIn(context, image, logins);
  const reference = `${image.repository}@${digest}`;
  const pulled = new Pulled(context);
  const known = await inspectImage(context, reference);
  if (!known) {
    // Before it is there: from then on others could ask for it.
    if (login) pulled.noteManifest(reference);
    await pullImage(context, { ...image, full: reference }, login);
  }
  const found = known ?? (await inspectImage(context, reference));
  if (!found) throw new BaseProblem(`there is no image ${reference}`);
  pulled.noteUse(reference, found);
  return found.Id;
}

async function firstLetIn(
  context: Context,
  image: ImageReference,
  logins: readonly (RegistryLogin | undefined)[],
) {
  let refused: unknown;
  for (const login of logins) {
    try {
      return { digest: await askRegistry(context, image, login), login };
    } catch (error) {
      if (!(error instanceof RegistryDenied)) throw error;
      refused ??= error;
    }
  }
  throw refused;
}
